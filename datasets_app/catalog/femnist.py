"""Handwritten characters by writer (LEAF, Caldas et al. 2018, arXiv 1812.01097)."""

from __future__ import annotations

from datasets_app.catalog.spec import DatasetSpec, HubSource

FEMNIST_IID = DatasetSpec(
    keyword="femnist_iid",
    title="FEMNIST, the ten digits",
    source=HubSource("flwrlabs/femnist", test_split=None, keeps_first_classes=True),
    modality="image",
    num_classes=10,
    shape=(1, 28, 28),
    num_train=322_000,
    num_test=80_000,
    licence="BSD-2-Clause",
    network="cnn_small",
    label_column="character",
)
