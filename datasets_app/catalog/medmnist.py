"""The eleven single-label sets of MedMNIST v2 (Yang et al. 2023, arXiv 2110.14795), 28x28."""

from __future__ import annotations

from datasets_app.catalog.spec import DatasetSpec, HubSource

GREY, RGB = (1, 28, 28), (3, 28, 28)


def _spec(
    keyword: str,
    title: str,
    num_classes: int,
    shape: tuple[int, int, int],
    sizes: tuple[int, int],
    network: str = "cnn",
    licence: str = "CC BY 4.0",
) -> DatasetSpec:
    return DatasetSpec(
        keyword=keyword,
        title=title,
        source=HubSource("albertvillanova/medmnist-v2", keyword),
        modality="image",
        num_classes=num_classes,
        shape=shape,
        num_train=sizes[0],
        num_test=sizes[1],
        licence=licence,
        network=network,
    )


MEDMNIST = (
    _spec("pathmnist", "Colon pathology", 9, RGB, (89_996, 7_180)),
    _spec("dermamnist", "Skin lesions", 7, RGB, (7_007, 2_005), licence="CC BY-NC 4.0"),
    _spec("octmnist", "Retinal tomography", 4, GREY, (97_477, 1_000)),
    _spec("pneumoniamnist", "Chest X-rays, pneumonia", 2, GREY, (4_708, 624), "cnn_small"),
    _spec("retinamnist", "Fundus photographs, retinopathy grades", 5, RGB, (1_080, 400)),
    _spec("breastmnist", "Breast ultrasound", 2, GREY, (546, 156), "cnn_small"),
    _spec("bloodmnist", "Blood cells", 8, RGB, (11_959, 3_421)),
    _spec("tissuemnist", "Kidney cortex cells", 8, GREY, (165_466, 47_280)),
    _spec("organamnist", "Abdominal organs, axial", 11, GREY, (34_581, 17_778)),
    _spec("organcmnist", "Abdominal organs, coronal", 11, GREY, (13_000, 8_268)),
    _spec("organsmnist", "Abdominal organs, sagittal", 11, GREY, (13_940, 8_829)),
)
