"""70,000 pictures of clothes (Xiao et al. 2017, arXiv 1708.07747), as packaged by Debian."""

from __future__ import annotations

from datasets_app.catalog.package_formats import idx
from datasets_app.catalog.spec import DatasetSpec, Package, PackageSource

FOLDER = "usr/share/datasets/fashion-mnist"
FASHION_MNIST = DatasetSpec(
    keyword="fashion_mnist",
    title="Fashion-MNIST",
    source=PackageSource(
        Package(
            name="dataset-fashion-mnist",
            version="0.0~git20200523",
            members={
                f"{FOLDER}/train-images-idx3-ubyte.gz": (
                    "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7"
                ),
                f"{FOLDER}/train-labels-idx1-ubyte.gz": (
                    "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056"
                ),
                f"{FOLDER}/t10k-images-idx3-ubyte.gz": (
                    "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa"
                ),
                f"{FOLDER}/t10k-labels-idx1-ubyte.gz": (
                    "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05"
                ),
            },
            download_bytes=30_900_652,
            client="apt",
        ),
        idx,
    ),
    modality="image",
    num_classes=10,
    shape=(1, 28, 28),
    num_train=60_000,
    num_test=10_000,
    licence="MIT",
    class_names=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
)
