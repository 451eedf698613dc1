"""Measurements of the engine, to be run by hand: `python -m simulations.fl.bench.startup`."""
