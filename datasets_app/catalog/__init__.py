"""Datasets by keyword. Adding one is a file in this folder and a line in this table."""

from __future__ import annotations

from datasets_app.catalog.cifar import CIFAR10, CIFAR100
from datasets_app.catalog.cinic10 import CINIC10
from datasets_app.catalog.digits import DIGITS
from datasets_app.catalog.femnist import FEMNIST_IID
from datasets_app.catalog.medmnist import MEDMNIST
from datasets_app.catalog.mnist5k import MNIST5K
from datasets_app.catalog.spec import DatasetSpec

CATALOG: dict[str, DatasetSpec] = {
    spec.keyword: spec
    for spec in (MNIST5K, DIGITS, FEMNIST_IID, *MEDMNIST, CIFAR10, CIFAR100, CINIC10)
}
