"""The page of one simulation: a header for all tabs, and a module for each tab."""
