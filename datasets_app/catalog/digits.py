"""1,797 handwritten digits of 8x8 pixels (UCI), as packaged by scikit-learn."""

from __future__ import annotations

from functools import partial

from datasets_app.catalog.package_formats import csv_pixels
from datasets_app.catalog.spec import DatasetSpec, Package, PackageSource

DIGITS = DatasetSpec(
    keyword="digits",
    title="Handwritten digits, 8x8",
    source=PackageSource(
        Package(
            name="scikit-learn",
            version="1.9.1",
            members={
                "sklearn/datasets/data/digits.csv.gz": (
                    "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22"
                )
            },
            download_bytes=9_315_422,
        ),
        partial(csv_pixels, max_value=16),
    ),
    modality="image",
    num_classes=10,
    shape=(1, 8, 8),
    num_train=1_442,
    num_test=355,
    licence="CC BY 4.0 (UCI); the package is BSD-3-Clause",
    network="cnn_wide",
)
