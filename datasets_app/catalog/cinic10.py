"""CIFAR-10's classes from CIFAR and ImageNet (Darlow et al. 2018, arXiv 1810.03505)."""

from __future__ import annotations

from datasets_app.catalog.spec import DatasetSpec, HubSource

CINIC10 = DatasetSpec(
    keyword="cinic10",
    title="CINIC-10",
    source=HubSource("flwrlabs/cinic10"),
    modality="image",
    num_classes=10,
    shape=(3, 32, 32),
    num_train=90_000,
    num_test=90_000,
    licence="CC BY 4.0",
    network="cnn_wide",
)
