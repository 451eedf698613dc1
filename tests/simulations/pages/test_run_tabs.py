"""The tabs of attacks, data and settings."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client

from simulations.fl import label_distribution
from simulations.fl.label_distribution import LabelDistribution
from simulations.models import Simulation
from simulations.pages.run import attacks

Submit = Callable[..., Simulation]
ENTRY = {
    "attack_type": "token_replacement",
    "start_round": 1,
    "end_round": 4,
    "selection_strategy": "specific",
    "malicious_client_ids": [1, 2],
}
pytestmark = pytest.mark.django_db


def shown(client: Client, row: Simulation, tab: str, query: str = "") -> str:
    answer = client.get(f"/simulations/{row.simulation_id}/?tab={tab}&{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def snapshot(run_dir: Path, client: int, turn: int, **details: Any) -> None:
    folder = run_dir / "attack_snapshots_0" / f"client_{client}" / f"round_{turn}" / "data"
    folder.mkdir(parents=True)
    metadata = {
        "client_id": client,
        "round_num": turn,
        "attack_type": "label_flipping",
        "attack_types": ["label_flipping"],
        "attacks": [{"attack_type": "label_flipping", "settings": {"target": "<7>"}}],
        "kind": "data",
        "visualizations": {"primary": "before_after.png", "confusion_matrix": "confusion.png"},
        "modality": "image",
        "flip_summary": {},
        "num_samples": 9,
        "num_changed_samples": 0,
        "num_changed_labels": 4,
    }
    (folder / "metadata.json").write_text(json.dumps(metadata | details))


@pytest.fixture
def attacked(submit: Submit) -> Simulation:
    entry = {**ENTRY, "attack_type": "label_flipping"}
    return submit(num_of_clients=4, attack_schedule=[entry], save_attack_snapshots=True)


def test_snapshots_are_shown_with_links_to_the_pictures(
    client: Client, attacked: Simulation, out_dir: Path
) -> None:
    assert "No snapshot yet" in shown(client, attacked, "attacks")
    snapshot(out_dir / attacked.simulation_id, 1, 2)
    text = shown(client, attacked, "attacks")
    folder = f"/api/simulations/{attacked.simulation_id}/results/attack_snapshots_0/client_1"
    assert f'<a class="zoom" href="{folder}/round_2/data/before_after.png">' in text
    assert f'href="{folder}/round_2/data/confusion.png">confusion matrix</a>' in text
    assert "0 samples and 4 labels of 9 were changed." in text
    assert "target = &lt;7&gt;" in text


def test_texts_are_shown_piece_by_piece_before_and_after(
    client: Client, attacked: Simulation, out_dir: Path
) -> None:
    sample = {"label_before": 0, "label_after": 3, "pieces": [["a ", "a "], ["<cat>", "dog"]]}
    words = [{"before": "<cat>", "after": "dog", "count": 5}]
    snapshot(out_dir / attacked.simulation_id, 1, 1, shown=[sample], replaced_words=words)
    text = shown(client, attacked, "attacks")
    assert "a <del>&lt;cat&gt;</del>" in text and "a <ins>dog</ins>" in text
    assert "label 0 → 3" in text and "× 5" in text


def test_snapshots_are_paged_and_chosen_by_client(
    client: Client, attacked: Simulation, out_dir: Path
) -> None:
    for number in (1, 2):
        for turn in range(1, attacks.PAGE_SIZE):
            snapshot(out_dir / attacked.simulation_id, number, turn)
    titles = re.compile(r"Client (\d), round (\d+)")
    first = titles.findall(shown(client, attacked, "attacks"))
    second = titles.findall(shown(client, attacked, "attacks", "page=2"))
    assert len(set(first)) == attacks.PAGE_SIZE
    assert len({*first, *second}) == 2 * (attacks.PAGE_SIZE - 1)
    assert "page=3" not in shown(client, attacked, "attacks", "page=2")
    assert {one for one, _ in titles.findall(shown(client, attacked, "attacks", "client=2"))} == {
        "2"
    }


def test_a_snapshot_that_was_not_written_by_this_project_is_told(
    client: Client, attacked: Simulation, out_dir: Path
) -> None:
    snapshot(out_dir / attacked.simulation_id, 1, 1, visualizations={"primary": "../../x.png"})
    assert "is not the metadata of a snapshot" in shown(client, attacked, "attacks")


def test_the_label_distribution_is_drawn_and_paged(
    client: Client, submit: Submit, out_dir: Path
) -> None:
    row = submit(num_of_clients=60)
    assert "Written when the strategy starts" in shown(client, row, "data")
    counts = np.tile([[6, 2]], (60, 1))
    counts[59] = [0, 8]
    spread = LabelDistribution(
        counts.sum(axis=1), counts, ["<cat>", "dog"], 5, [59], [], "dirichlet", {"alpha": 0.5}
    )
    label_distribution.write(out_dir / row.simulation_id, 0, spread)
    text = shown(client, row, "data", "page=2")
    assert "dirichlet" in text and "alpha = 0.5" in text and "5 samples have no client" in text
    assert "&lt;cat&gt;" in text and "<cat>" not in text
    cells = re.findall(r'fill-opacity="([\d.]+)"><title>Client (\d+), (.*?)<', text)
    assert len(cells) == 20 and cells[-1] == ("1.000", "59", "dog: 8")
    assert cells[0] == ("0.750", "50", "&lt;cat&gt;: 6")
    assert "59 (8) ⚑" in text


def test_a_broken_file_of_the_partition_is_told(
    client: Client, submit: Submit, out_dir: Path
) -> None:
    row = submit()
    (out_dir / row.simulation_id / "partition_0.json").write_text("{}")
    assert "partition_0.json cannot be read" in shown(client, row, "data")


def test_settings_are_held_against_the_defaults(client: Client, submit: Submit) -> None:
    row = submit(num_of_clients=10, learning_rate=0.25)
    text = shown(client, row, "config")
    changed, kept = text.split("Defaults that were kept")
    entry = changed[changed.index("<code>learning_rate</code>") :].split("</tr>")[0]
    assert re.findall(r"<td>(.*?)</td>", entry) == [
        "<code>0.25</code>",
        "<code>0.001</code>",
        "given",
    ]
    entry = changed[changed.index("<code>model_keyword</code>") :].split("</tr>")[0]
    assert "follows from others" in entry and "<code>null</code>" in entry
    assert "<code>num_of_clients</code>" not in changed
    assert "<code>num_of_clients</code>" in kept


def test_settings_of_a_strategy_override_the_shared_ones(client: Client) -> None:
    from simulations import services

    row = services.create(
        {
            "shared_settings": {"num_of_rounds": 2, "dataset_keyword": "digits", "batch_size": 8},
            "simulation_strategies": [
                {"aggregation_strategy_keyword": "fedavg"},
                {"aggregation_strategy_keyword": "fedavg", "batch_size": 16},
            ],
        }
    ).simulation
    for number, size in ((0, 8), (1, 16)):
        text = shown(client, row, "config", f"strategy={number}")
        entry = text[text.index("<code>batch_size</code>") :].split("</tr>")[0]
        assert f"<code>{size}</code>" in entry and "given" in entry
