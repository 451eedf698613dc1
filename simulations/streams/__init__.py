"""Live views of runs as Server-Sent Events: one poller for all, a cursor for each client."""
