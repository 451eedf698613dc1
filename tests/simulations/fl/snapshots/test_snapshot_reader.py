from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulations.fl import strict_json
from simulations.fl.errors import DataError
from simulations.fl.snapshots.data import save_data_snapshot
from simulations.fl.snapshots.listing import finish
from simulations.fl.snapshots.reader import read, some_of
from simulations.fl.snapshots.records import strategy_folder
from simulations.fl.snapshots.samples import Stage


def test_a_run_without_snapshots_has_none(run_dir: Path) -> None:
    assert read(run_dir) == {"has_snapshots": False, "strategies": []}
    strategy_folder(run_dir, 0).mkdir(parents=True)
    assert read(run_dir) == {"has_snapshots": False, "strategies": []}


@pytest.mark.usefixtures("filled")
def test_the_answer_has_the_shape_of_the_contract(run_dir: Path) -> None:
    answer = read(run_dir)
    assert answer["has_snapshots"] is True
    first, second = answer["strategies"]
    assert (first["strategy_number"], second["strategy_number"]) == (0, 11)
    assert first["summary"] == {
        "total_snapshots": 4,
        "clients_attacked": [2, 10],
        "rounds_with_attacks": [2, 10],
        "attack_types": ["backdoor_trigger", "gradient_scaling", "label_flipping"],
    }
    assert [
        (one["round_num"], one["client_id"], one["attack_type"]) for one in first["snapshots"]
    ] == [
        (2, 2, "label_flipping+backdoor_trigger"),
        (2, 2, "gradient_scaling"),
        (10, 2, "backdoor_trigger"),
        (10, 10, "label_flipping"),
    ]
    for snapshot in first["snapshots"] + second["snapshots"]:
        assert set(snapshot) == {
            "client_id",
            "round_num",
            "attack_type",
            "image_path",
            "visualizations",
            "metadata",
            "flip_summary",
            "is_text_attack",
            "is_weight_attack",
        }
        assert snapshot["image_path"] == snapshot["visualizations"]["primary"]
    strict_json.dumps(answer)


@pytest.mark.usefixtures("filled")
def test_snapshots_tell_their_kind(run_dir: Path) -> None:
    first, second = read(run_dir)["strategies"]
    stack, weights, trigger, _ = first["snapshots"]
    (text,) = second["snapshots"]
    assert [(one["is_text_attack"], one["is_weight_attack"]) for one in (stack, weights, text)] == [
        (False, False),
        (False, True),
        (True, False),
    ]
    assert {"primary", "comparison", "confusion_matrix", "difference_heatmap"} <= set(
        stack["visualizations"]
    )
    assert set(trigger["visualizations"]["additional"]) == {"trigger_grid"}
    assert {"weight_histogram", "weight_layer_delta"} <= set(weights["visualizations"])
    assert "html_diff" in text["visualizations"]
    assert stack["flip_summary"]["flipped_samples"] > 0 and weights["flip_summary"] == {}


def paths_in(visualizations: dict[str, Any]) -> list[str]:
    flat = [path for role, path in visualizations.items() if role != "additional"]
    return [*flat, *visualizations.get("additional", {}).values()]


@pytest.mark.usefixtures("filled")
def test_every_path_leads_to_a_file_of_the_run(run_dir: Path) -> None:
    for strategy in read(run_dir)["strategies"]:
        for snapshot in strategy["snapshots"]:
            for path in paths_in(snapshot["visualizations"]):
                assert (run_dir / path).is_file()
                assert "\\" not in path and not path.startswith(("/", "."))


@pytest.mark.usefixtures("filled")
def test_some_snapshots_are_those_of_all_in_the_order_of_clients(run_dir: Path) -> None:
    strategy = read(run_dir)["strategies"][0]
    number, every = strategy["strategy_number"], strategy["snapshots"]
    by_client = sorted(every, key=lambda one: (one["client_id"], one["round_num"]))
    assert some_of(run_dir, number, 0, 99) == by_client
    assert some_of(run_dir, number, 1, 1) == by_client[1:2]
    client = by_client[-1]["client_id"]
    own = [one for one in by_client if one["client_id"] == client]
    assert some_of(run_dir, number, 0, 99, client) == own
    assert some_of(run_dir, number + 7, 0, 99) == []


def test_a_snapshot_without_figures_has_no_image(
    request_for: Any, images: np.ndarray, labels: np.ndarray, flipped: Stage, run_dir: Path
) -> None:
    save_data_snapshot(request_for(form="pickle"), images, labels, [flipped])
    (snapshot,) = read(run_dir)["strategies"][0]["snapshots"]
    assert snapshot["image_path"] is None and snapshot["visualizations"] == {"primary": None}


@pytest.mark.usefixtures("filled")
def test_finish_lists_everything_with_relative_links(run_dir: Path) -> None:
    folder = strategy_folder(run_dir, 0)
    finish(folder)
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["total_snapshots"] == 4 and summary["strategy_number"] == 0
    assert all((folder / one["metadata"]).is_file() for one in summary["snapshots"])
    page = (folder / "index.html").read_text(encoding="utf-8")
    links = re.findall(r'(?:href|src)="([^"]+)"', page)
    assert len(links) > 15
    assert all((folder / link).is_file() for link in links)
    assert "Round 2<" in page and "Round 10<" in page
    assert "http" not in page and "<script" not in page


def test_finish_writes_nothing_without_snapshots(run_dir: Path) -> None:
    finish(strategy_folder(run_dir, 0))
    assert not run_dir.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"visualizations": {"primary": "../../../../secret.png"}},
        {"visualizations": {"additional": {"x": "/etc/passwd.png"}}},
        {"visualizations": {"primary": 3}},
        {"visualizations": []},
        {"client_id": None, "visualizations": {"primary": "a.exe"}},
    ],
)
@pytest.mark.usefixtures("filled")
def test_forged_metadata_is_refused(change: dict[str, Any], run_dir: Path) -> None:
    path = strategy_folder(run_dir, 0) / "client_2" / "round_10" / "data" / "metadata.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    sentence = "attack_snapshots_0/client_2/round_10/data/metadata.json is not the metadata"
    with pytest.raises(DataError, match=sentence):
        read(run_dir)


@pytest.mark.parametrize("text", ["", "[]", "{}", "{nonsense", '{"client_id": NaN}'])
@pytest.mark.usefixtures("filled")
def test_broken_metadata_is_refused(text: str, run_dir: Path) -> None:
    path = strategy_folder(run_dir, 0) / "client_2" / "round_10" / "data" / "metadata.json"
    path.write_text(text)
    with pytest.raises(DataError, match="remove its folder"):
        read(run_dir)


@pytest.mark.usefixtures("filled")
def test_links_out_of_the_run_are_not_followed(run_dir: Path, tmp_path: Path) -> None:
    folder = strategy_folder(run_dir, 0)
    (folder / "client_10").rename(tmp_path / "elsewhere")
    (folder / "client_10").symlink_to(tmp_path / "elsewhere")
    (folder / "client_x").mkdir()
    (folder / "client_02").mkdir()
    assert read(run_dir)["strategies"][0]["summary"]["clients_attacked"] == [2]


def test_the_reader_loads_neither_matplotlib_nor_torch() -> None:
    code = (
        "import sys, simulations.fl.snapshots.reader, simulations.fl.snapshots.listing; "
        "print({'torch', 'matplotlib', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "set()"
