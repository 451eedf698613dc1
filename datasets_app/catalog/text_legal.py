"""Provisions of contracts by their subject (LEDGAR in LexGLUE, Chalkidis et al. 2022)."""

from __future__ import annotations

from datasets_app.catalog.spec import DatasetSpec, HubSource

LEXGLUE = DatasetSpec(
    keyword="lexglue",
    title="LexGLUE LEDGAR, provisions of contracts",
    source=HubSource("coastalcph/lex_glue", "ledgar"),
    modality="text",
    num_classes=100,
    shape=(),
    num_train=60_000,
    num_test=10_000,
    licence="CC BY 4.0",
    network="transformer",
    domain="legal",
)
