from __future__ import annotations

import json
import pickletools
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from simulations.fl import strict_json
from simulations.fl.errors import StorageError
from simulations.fl.snapshots.data import save_data_snapshot
from simulations.fl.snapshots.samples import Stage

TEXTS = [
    "The patient had <script>alert('x')</script> & fever.",
    "Nothing to see here.",
    "Acute pain, $x$ acute pain.",
]
CHANGED = [
    "The nurse had <script>alert('x')</script> & cough.",
    "Nothing to see here.",
    "Chronic pain, $x$ chronic <b>ache</b>.",
]


def metadata_of(folder: Path) -> dict[str, Any]:
    metadata = strict_json.loads((folder / "metadata.json").read_bytes())
    assert isinstance(metadata, dict)
    return metadata


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def assert_figure(path: Path) -> None:
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert 300 <= image.width <= 2000 and 150 <= image.height <= 4000
        assert len(set(image.convert("L").resize((64, 64)).tobytes())) > 8


def test_a_trigger_gets_every_figure_of_images(
    request_for: Any, images: np.ndarray, labels: np.ndarray, stamped: Stage, run_dir: Path
) -> None:
    saved = save_data_snapshot(
        request_for(), images, labels, [stamped], predict=lambda shown: np.full(len(shown), 4)
    )
    assert saved.path == run_dir / "attack_snapshots_0" / "client_1" / "round_2" / "data"
    assert (saved.client_id, saved.round_number) == (1, 2)
    assert saved.attack_type == "backdoor_trigger"
    assert metadata_of(saved.path)["visualizations"] == {
        "primary": "before_after.png",
        "difference_heatmap": "difference_heatmap.png",
        "prediction_grid": "prediction_grid.png",
        "confusion_matrix": "confusion_matrix.png",
        "additional": {"trigger_grid": "trigger_grid.png"},
    }
    for figure in saved.path.glob("*.png"):
        assert_figure(figure)
    assert len(list(saved.path.glob("*.png"))) == 5
    assert not list(saved.path.glob(".writing-*"))


def test_metadata_tells_what_happened(
    request_for: Any, images: np.ndarray, labels: np.ndarray, stamped: Stage
) -> None:
    saved = save_data_snapshot(
        request_for(most=2), images, labels, [stamped], predict=lambda shown: np.array([4, 2])
    )
    metadata = metadata_of(saved.path)
    assert metadata["attacks"] == [
        {"attack_type": "backdoor_trigger", "settings": {"target_class": 4}}
    ]
    assert metadata["num_samples"] == 30
    assert metadata["num_changed_samples"] == 10
    assert metadata["num_changed_labels"] == 8
    assert metadata["flip_summary"]["flips"][0] == {"from": 0, "to": 4, "count": 2}
    assert metadata["shown"] == [
        {"sample": 0, "label_before": 0, "label_after": 4, "predicted": 4},
        {"sample": 27, "label_before": 2, "label_after": 4, "predicted": 2},
    ]


def test_flipped_labels_have_neither_heat_map_nor_trigger(
    request_for: Any, images: np.ndarray, labels: np.ndarray, flipped: Stage
) -> None:
    saved = save_data_snapshot(request_for(), images, labels, [flipped])
    assert set(metadata_of(saved.path)["visualizations"]) == {"primary", "confusion_matrix"}
    counts = np.array(metadata_of(saved.path)["confusion"]["counts"])
    assert np.array_equal(counts, 6 * np.roll(np.eye(5, dtype=int), 1, axis=1))


def test_stacked_attacks_are_compared_row_by_row(
    request_for: Any, images: np.ndarray, labels: np.ndarray, flipped: Stage, stamped: Stage
) -> None:
    noise = Stage("gaussian_noise", {}, np.clip(stamped.samples + 0.01, 0, 1), stamped.labels)
    saved = save_data_snapshot(request_for(), images, labels, [flipped, stamped, noise])
    metadata = metadata_of(saved.path)
    assert metadata["attack_type"] == "label_flipping+backdoor_trigger+gaussian_noise"
    assert metadata["visualizations"]["comparison"] == "comparison.png"
    assert metadata["visualizations"]["additional"] == {"trigger_grid": "trigger_grid.png"}
    assert_figure(saved.path / "comparison.png")


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_any_number_of_channels_and_samples_can_be_drawn(
    channels: int, request_for: Any, labels: np.ndarray
) -> None:
    before = np.random.default_rng(1).random((30, channels, 5, 9), dtype=np.float32)
    after = Stage("gaussian_noise", {}, 1 - before, labels)
    saved = save_data_snapshot(request_for(most=50), before, labels, [after])
    assert_figure(saved.path / "before_after.png")
    assert_figure(saved.path / "difference_heatmap.png")


def test_sixty_two_classes_fit_the_confusion_matrix(request_for: Any) -> None:
    labels = np.arange(124, dtype=np.int64) % 62
    images = np.zeros((124, 1, 8, 8), np.float32)
    stage = Stage("label_flipping", {}, images, (labels + 5) % 62)
    saved = save_data_snapshot(request_for(), images, labels, [stage])
    assert_figure(saved.path / "confusion_matrix.png")


@pytest.mark.parametrize(
    ("form", "figures", "pickled"),
    [("pickle", False, True), ("visual", True, False), ("pickle_and_visual", True, True)],
)
def test_the_form_decides_what_is_written(
    form: str,
    figures: bool,
    pickled: bool,
    request_for: Any,
    images: np.ndarray,
    labels: np.ndarray,
    flipped: Stage,
) -> None:
    saved = save_data_snapshot(request_for(form=form), images, labels, [flipped])
    assert ("before_after.png" in names(saved.path)) is figures
    assert ("snapshot.pickle" in names(saved.path)) is pickled
    assert metadata_of(saved.path)["pickle"] == ("snapshot.pickle" if pickled else None)
    assert bool(metadata_of(saved.path)["visualizations"]) is figures


def test_the_pickle_holds_nothing_but_plain_values_and_arrays(
    request_for: Any, images: np.ndarray, labels: np.ndarray, stamped: Stage
) -> None:
    saved = save_data_snapshot(request_for(form="pickle"), images, labels, [stamped])
    content = (saved.path / "snapshot.pickle").read_bytes()
    strings = [value for _, value, _ in pickletools.genops(content) if isinstance(value, str)]
    modules = {text for text in strings if "." in text or text in ("builtins", "numpy")}
    assert all(module.startswith("numpy") for module in modules)
    assert {"indices", "samples_before", "samples_after", "labels_after"} <= set(strings)
    assert len(content) < 5 * images.nbytes


def test_texts_are_shown_side_by_side_and_escaped(request_for: Any) -> None:
    labels = np.array([0, 1, 1])
    saved = save_data_snapshot(
        request_for(), TEXTS, labels, [Stage("token_replacement", {}, CHANGED, labels)]
    )
    page = (saved.path / "diff.html").read_text(encoding="utf-8")
    assert "<script" not in page and "<b>" not in page
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt; &amp;" in page
    assert "<del>patient</del>" in page and "<ins>nurse</ins>" in page
    assert "<del>Acute</del>" in page and "<ins>Chronic</ins>" in page
    assert "Nothing to see" not in page
    metadata = metadata_of(saved.path)
    assert metadata["modality"] == "text"
    assert metadata["visualizations"] == {
        "html_diff": "diff.html",
        "primary": "replaced_words.png",
    }
    assert {"before": "fever", "after": "cough", "count": 1} in metadata["replaced_words"]
    assert metadata["num_changed_samples"] == 2
    for sample in metadata["shown"]:
        before, after = map("".join, zip(*sample["pieces"], strict=True))
        assert (before, after) == (TEXTS[sample["sample"]], CHANGED[sample["sample"]])
    assert ["patient", "nurse"] in metadata["shown"][1]["pieces"] + metadata["shown"][0]["pieces"]
    assert_figure(saved.path / "replaced_words.png")


def test_relabelled_texts_show_the_confusion_matrix(request_for: Any) -> None:
    labels = np.array([0, 1, 1])
    stage = Stage("label_flipping", {}, list(TEXTS), 1 - labels)
    saved = save_data_snapshot(request_for(), TEXTS, labels, [stage])
    assert metadata_of(saved.path)["visualizations"] == {
        "html_diff": "diff.html",
        "confusion_matrix": "confusion_matrix.png",
        "primary": "confusion_matrix.png",
    }
    page = (saved.path / "diff.html").read_text(encoding="utf-8")
    assert "label 0 → <ins>1</ins>" in page


def test_an_attack_that_changed_nothing_can_be_shown(
    request_for: Any, images: np.ndarray, labels: np.ndarray
) -> None:
    same = Stage("targeted_label_flipping", {}, images.copy(), labels.copy())
    saved = save_data_snapshot(request_for(), images, labels, [same])
    assert metadata_of(saved.path)["flip_summary"]["flips"] == []
    assert names(saved.path) == {"before_after.png", "metadata.json", "snapshot.pickle"}
    texts = save_data_snapshot(
        request_for(client=2), TEXTS, labels[:3], [Stage("x", {}, list(TEXTS), labels[:3])]
    )
    assert metadata_of(texts.path)["visualizations"] == {"html_diff": "diff.html"}


def test_saving_again_replaces_and_gives_the_same_bytes(
    request_for: Any, images: np.ndarray, labels: np.ndarray, stamped: Stage
) -> None:
    saved = save_data_snapshot(request_for(), images, labels, [stamped])
    first = {path.name: path.read_bytes() for path in saved.path.iterdir()}
    save_data_snapshot(request_for(), images, labels, [stamped])
    assert first == {path.name: path.read_bytes() for path in saved.path.iterdir()}


def test_a_file_in_the_way_is_a_storage_error(
    request_for: Any, images: np.ndarray, labels: np.ndarray, flipped: Stage, run_dir: Path
) -> None:
    run_dir.mkdir()
    (run_dir / "attack_snapshots_0").write_text("in the way")
    with pytest.raises(StorageError, match=r"cannot write before_after\.png"):
        save_data_snapshot(request_for(), images, labels, [flipped])


def test_metadata_is_strict_json(request_for: Any, images: np.ndarray, labels: np.ndarray) -> None:
    stage = Stage("custom", {"limit": float("nan")}, images.copy(), labels.copy())
    saved = save_data_snapshot(request_for(), images, labels, [stage])
    text = (saved.path / "metadata.json").read_text(encoding="utf-8")
    assert json.loads(text)["attacks"][0]["settings"] == {"limit": None}
    assert "NaN" not in text


def test_figures_need_no_pyplot() -> None:
    code = "import sys, simulations.fl.snapshots.data; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "False"
