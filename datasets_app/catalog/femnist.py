"""Handwritten characters by writer (LEAF, Caldas et al. 2018, arXiv 1812.01097)."""

from __future__ import annotations

from string import ascii_lowercase, ascii_uppercase, digits

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
    natural_id_column="writer_id",
)
FEMNIST_NIID = DatasetSpec(
    keyword="femnist_niid",
    title="FEMNIST, 62 characters by writer",
    source=HubSource("flwrlabs/femnist", test_split=None),
    modality="image",
    num_classes=62,
    shape=(1, 28, 28),
    num_train=651_000,
    num_test=163_000,
    licence="BSD-2-Clause",
    network="cnn_small",
    partitioning="natural_id",
    label_column="character",
    natural_id_column="writer_id",
    class_names=(*digits, *ascii_uppercase, *ascii_lowercase),
)
