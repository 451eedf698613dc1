"""A BERT of a few thousand weights and texts it can learn, made by the tests themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from datasets_app.catalog.text_data import TextData
from simulations.fl.text.quiet import quiet_transformers

CLASSES = ("acq", "crude", "earn", "grain", "interest", "money-fx", "ship", "trade")
MARKERS = ("merger", "barrel", "profit", "wheat", "rate", "dollar", "port", "export")
COMMON = ("the", "company", "said", "of", "and", "in", "it", "year", "loss", "dividend", "debt")
LONGEST = 64
VOCABULARY = 150


def texts(count: int, seed: int) -> tuple[pa.ChunkedArray, Any]:
    """Return texts of 8 to 11 words, many of them the marker of their class, and classes."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count, dtype=np.int64) % len(CLASSES)
    rng.shuffle(labels)
    lines = []
    for label in labels:
        words = rng.choice(COMMON, size=rng.integers(4, 8)).tolist() + [MARKERS[label]] * 4
        rng.shuffle(words)
        lines.append(" ".join(words))
    return pa.chunked_array([pa.array(lines, pa.large_string())]), labels


def text_data(num_train: int = 160, num_test: int = 80) -> TextData:
    return TextData(*texts(num_train, 1), *texts(num_test, 2), class_names=CLASSES)


def write_encoder(folder: Path) -> Path:
    """Write a random BERT of 2 layers of 32 and a WordPiece tokenizer trained on the texts."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=VOCABULARY, special_tokens=special, show_progress=False
    )
    tokenizer.train_from_iterator(texts(200, 3)[0].to_pylist(), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    ).save_pretrained(folder)
    config = BertConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=LONGEST,
        initializer_range=0.1,
    )
    with torch.random.fork_rng(), quiet_transformers():
        torch.manual_seed(4)
        BertModel(config, add_pooling_layer=True).save_pretrained(folder)
    return folder
