"""From a resolved configuration to texts and a transformer; imported only by runs that need it."""

from __future__ import annotations

from pathlib import Path

import torch

from datasets_app.catalog.text_data import TextData
from simulations.fl.config import StrategyConfig
from simulations.fl.networks.transformer import Lora, TransformerSettings
from simulations.fl.text import encoders
from simulations.fl.text.corpus import Corpus, corpus
from simulations.fl.text.federated_texts import (
    ClassifiedTexts,
    ContinuousTexts,
    FederatedTexts,
)


def tokenised(config: StrategyConfig, data: TextData, data_dir: Path) -> Corpus:
    """Find the encoder that `config` names and tokenise `data` for it; both are kept on disk."""
    encoder = encoders.locate(config.llm_model or "", data_dir)
    return corpus(data, encoder, config.max_seq_length, data_dir)


def federated(config: StrategyConfig, texts: Corpus, device: torch.device) -> FederatedTexts:
    """Return the texts as the clients of `config` use them."""
    if config.llm_task == "classification":
        return ClassifiedTexts(texts, config.max_seq_length, device)
    return ContinuousTexts(
        texts, config.max_seq_length, device, config.llm_chunk_size, config.mlm_probability
    )


def network_settings(
    config: StrategyConfig, texts: Corpus, num_classes: int
) -> TransformerSettings:
    """Return what the network of `config` is built from."""
    longest = config.max_seq_length if config.llm_task == "classification" else None
    lora = Lora(
        rank=config.lora_rank,
        alpha=config.lora_alpha,
        dropout=config.lora_dropout,
        target_modules=tuple(config.lora_target_modules),
    )
    return TransformerSettings(
        name=config.llm_model or "",
        folder=texts.encoder,
        task=config.llm_task,
        num_classes=num_classes,
        num_layers=config.llm_num_layers,
        lora=lora if config.llm_finetuning == "lora" else None,
        pad_id=texts.tokenizer.pad_id,
        longest=longest or config.llm_chunk_size,
        vocabulary=texts.tokenizer.size,
    )
