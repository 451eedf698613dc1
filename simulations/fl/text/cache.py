"""Token numbers on disk: made once for a column of texts, memory-mapped ever after."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from simulations.fl.errors import StorageError
from simulations.fl.text.tokenizer import BATCH, Tokenizer
from simulations.fl.text.tokens import Tokens

if TYPE_CHECKING:
    from datasets_app.catalog.text_data import Texts

FOLDER = ".tokens"
FORMAT = "1"
NUMBERS, OFFSETS = "numbers.npy", "offsets.npy"


def tokens_of(
    texts: Texts, tokenizer: Tokenizer, most: int | None, cache_dir: Path | None
) -> Tokens:
    """Return the tokens of a column of texts, of each text the first `most`.

    They are kept in `cache_dir` under a hash of texts and tokenizer; with None they stay in
    memory. Raises StorageError when they cannot be written or read.
    """
    if cache_dir is None:
        return tokenizer.tokens(batches(texts), most)
    folder = cache_dir / FOLDER / _key(texts, tokenizer, most)
    try:
        if not folder.is_dir():
            _write(folder, tokenizer.tokens(batches(texts), most))
        return Tokens(np.load(folder / NUMBERS, mmap_mode="r"), np.load(folder / OFFSETS))
    except (OSError, ValueError) as error:
        raise StorageError(
            f"tokens cannot be kept in {folder} ({error}); make the data folder writable, or "
            "delete that folder if it is damaged"
        ) from error


def batches(texts: Texts) -> Iterator[list[str]]:
    """Give the strings of a column, a batch at a time: never all of them."""
    for batch in range(0, len(texts), BATCH):
        yield texts.slice(batch, BATCH).to_pylist()


def _key(texts: Texts, tokenizer: Tokenizer, most: int | None) -> str:
    digest = hashlib.sha256(f"{FORMAT} {most} {tokenizer.fingerprint}".encode())
    for batch in batches(texts):
        for text in batch:
            content = text.encode()
            digest.update(len(content).to_bytes(8, "little") + content)
    return digest.hexdigest()


def _write(folder: Path, tokens: Tokens) -> None:
    """Write the arrays so that the folder appears whole; whoever is second leaves the first's."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        draft = Path(scratch) / "draft"
        draft.mkdir()
        np.save(draft / NUMBERS, tokens.numbers)
        np.save(draft / OFFSETS, tokens.offsets)
        try:
            draft.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
