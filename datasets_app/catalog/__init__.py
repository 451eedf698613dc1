"""Datasets by keyword. Adding one is a file in this folder and a line in this table."""

from __future__ import annotations

from datasets_app.catalog.cifar import CIFAR10, CIFAR100
from datasets_app.catalog.cinic10 import CINIC10
from datasets_app.catalog.digits import DIGITS
from datasets_app.catalog.fashion_mnist import FASHION_MNIST
from datasets_app.catalog.femnist import FEMNIST_IID, FEMNIST_NIID
from datasets_app.catalog.image_folders import IMAGE_FOLDERS
from datasets_app.catalog.medmnist import MEDMNIST
from datasets_app.catalog.mnist5k import MNIST5K
from datasets_app.catalog.orange_texts import NEWSGROUPS, REUTERS_R8
from datasets_app.catalog.spec import DatasetSpec
from datasets_app.catalog.text_financial import FINANCIAL_PHRASEBANK
from datasets_app.catalog.text_legal import LEXGLUE
from datasets_app.catalog.text_medical import MEDAL, MEDQUAD, PUBMED_CLASSIFICATION_20K

CATALOG: dict[str, DatasetSpec] = {
    spec.keyword: spec
    for spec in (
        MNIST5K,
        DIGITS,
        FASHION_MNIST,
        FEMNIST_IID,
        FEMNIST_NIID,
        *MEDMNIST,
        CIFAR10,
        CIFAR100,
        CINIC10,
        *IMAGE_FOLDERS,
        REUTERS_R8,
        NEWSGROUPS,
        FINANCIAL_PHRASEBANK,
        LEXGLUE,
        PUBMED_CLASSIFICATION_20K,
        MEDAL,
        MEDQUAD,
    )
}
