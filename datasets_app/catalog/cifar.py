"""Natural photographs of 32x32 pixels (Krizhevsky 2009, "Learning Multiple Layers of Features")."""

from __future__ import annotations

from datasets_app.catalog.spec import DatasetSpec, HubSource

CIFAR10 = DatasetSpec(
    keyword="cifar10",
    title="CIFAR-10",
    source=HubSource("uoft-cs/cifar10"),
    modality="image",
    num_classes=10,
    shape=(3, 32, 32),
    num_train=50_000,
    num_test=10_000,
    licence="not stated by its authors",
    network="cnn_wide",
    image_column="img",
)
CIFAR100 = DatasetSpec(
    keyword="cifar100",
    title="CIFAR-100, fine labels",
    source=HubSource("uoft-cs/cifar100"),
    modality="image",
    num_classes=100,
    shape=(3, 32, 32),
    num_train=50_000,
    num_test=10_000,
    licence="not stated by its authors",
    network="cnn_wide",
    image_column="img",
    label_column="fine_label",
)
