"""What goes wrong with datasets."""

from __future__ import annotations


class DataUnavailable(Exception):
    """The data cannot be had or used; the sentence says why and how to get it."""
