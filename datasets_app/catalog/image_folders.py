"""Pictures that cannot be fetched: a folder a class, which people put into the data folder.

The classes are the folders' names; the size is found by the rule of `pictures`.
"""

from __future__ import annotations

from datasets_app.catalog.spec import DatasetSpec, FolderSource


def _spec(keyword: str, title: str) -> DatasetSpec:
    return DatasetSpec(
        keyword=keyword,
        title=title,
        source=FolderSource(),
        modality="image",
        num_classes=0,
        shape=(),
        num_train=0,
        num_test=0,
        licence="that of the copy",
        network="cnn_wide",
        image_column="",
        label_column="",
        is_detected=True,
    )


IMAGE_FOLDERS = (
    _spec("its", "ITS, your pictures"),
    _spec("flair", "FLAIR, your pictures"),
    _spec("lung_photos", "Lungs, your pictures"),
)
