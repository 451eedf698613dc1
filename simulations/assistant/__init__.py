"""The assistant: answers questions about simulations, by fixed rules or by a language model.

Either asks the same tools, which only read. It may propose a configuration; a person launches it.
"""

from __future__ import annotations
