"""Sentences of financial news by sentiment (Malo et al. 2014, "Good debt or bad debt")."""

from __future__ import annotations

from datasets_app.catalog.spec import DatasetSpec, HubSource

FINANCIAL_PHRASEBANK = DatasetSpec(
    keyword="financial_phrasebank",
    title="Financial PhraseBank, where all annotators agree",
    source=HubSource("gtfintechlab/financial_phrasebank_sentences_allagree", "5768"),
    modality="text",
    num_classes=3,
    shape=(),
    num_train=0,
    num_test=0,
    licence="CC BY-NC-SA 3.0",
    network="transformer",
    text_columns=("sentence",),
    class_names=("negative", "neutral", "positive"),
    domain="financial",
)
