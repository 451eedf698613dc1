"""The tokenizer that belongs to an encoder."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulations.fl.errors import DataError
from simulations.fl.text.quiet import quiet_transformers
from simulations.fl.text.tokens import Tokens, gathered

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

BATCH = 1_000


@dataclass(frozen=True)
class Tokenizer:
    """Turns texts into token numbers.

    `special_ids` are such as [CLS], `size` is that of the vocabulary, `fingerprint` the sha256 of
    everything that the numbers depend on.
    """

    fast: PreTrainedTokenizerFast
    fingerprint: str
    pad_id: int
    mask_id: int
    special_ids: tuple[int, ...]
    size: int

    def tokens(self, batches: Iterable[Sequence[str]], most: int | None) -> Tokens:
        """Return the tokens of all texts, of each the first `most`, with [CLS] and [SEP]."""
        return gathered(text for batch in batches for text in self.encode(batch, most))

    def encode(self, texts: Sequence[str], most: int | None) -> list[list[int]]:
        if not texts:
            return []
        encoded = self.fast(
            list(texts),
            truncation=most is not None,
            max_length=most,
            return_attention_mask=False,
            return_token_type_ids=False,
            verbose=False,
        )
        numbers: list[list[int]] = encoded["input_ids"]
        return numbers


def load(folder: Path) -> Tokenizer:
    """Load the tokenizer in an encoder's folder; raise DataError for one that does not fit."""
    from transformers import AutoTokenizer

    # Its threads would not outlive a fork: every worker would warn of it.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        with quiet_transformers():
            fast: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"llm_model: {folder} holds no tokenizer ({str(error)[:200]})") from error
    missing = [name for name in ("pad_token", "mask_token") if getattr(fast, name) is None]
    if missing or not fast.is_fast:
        lack = f"no {missing[0]}" if missing else "no tokenizer.json"
        raise DataError(
            f"llm_model: the tokenizer in {folder} has {lack}; use an encoder of the BERT family"
        )
    # Asked for before its first use: it keeps the truncation that it was last asked for.
    content = fast.backend_tokenizer.to_str().encode()
    return Tokenizer(
        fast=fast,
        fingerprint=hashlib.sha256(content).hexdigest(),
        pad_id=fast.pad_token_id,
        mask_id=fast.mask_token_id,
        special_ids=tuple(fast.all_special_ids),
        size=len(fast),
    )
