"""The summary and the overview page of a strategy's snapshots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from simulations.fl import strict_json
from simulations.fl.atomic import write_text
from simulations.fl.snapshots.reader import strategy_of
from simulations.fl.snapshots.records import FOLDER

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1f2933; margin: 2rem auto; max-width: 75rem;
       padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; } p { color: #66727f; }
ul { list-style: none; padding: 0; display: grid; gap: 1rem;
     grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); }
li { border: 1px solid #dde3ea; border-radius: 6px; padding: .8rem; }
img { display: block; width: 100%; height: 12rem; object-fit: contain; background: #f5f7fa; }
a { color: #2b6cb0; margin-right: .8rem; }
"""


def finish(folder: Path) -> None:
    """Write summary.json and index.html of a strategy's snapshot folder; none if there are none."""
    number = int(folder.name.removeprefix(FOLDER))
    strategy = strategy_of(folder, number, folder)
    if not strategy["snapshots"]:
        return
    summary = {
        "strategy_number": number,
        **strategy["summary"],
        "snapshots": [
            {
                "client_id": record["client_id"],
                "round_num": record["round_num"],
                "attack_type": record["attack_type"],
                "metadata": f"{_place(record)}/metadata.json",
            }
            for record in strategy["snapshots"]
        ],
    }
    write_text(folder / "summary.json", strict_json.dumps(summary, indent=2) + "\n")
    write_text(folder / "index.html", page(strategy))


def page(strategy: Mapping[str, Any]) -> str:
    """Return an overview by round whose links are relative to the snapshot folder."""
    summary, records = strategy["summary"], strategy["snapshots"]
    title = f"Attack snapshots of strategy {strategy['strategy_number']}"
    sections = "\n".join(
        f"<h2>Round {turn}</h2>\n<ul>\n"
        + "\n".join(_item(record) for record in records if record["round_num"] == turn)
        + "\n</ul>"
        for turn in summary["rounds_with_attacks"]
    )
    clients = ", ".join(str(client) for client in summary["clients_attacked"])
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style></head>
<body>
<h1>{title}</h1>
<p>{summary["total_snapshots"]} snapshots of clients {clients};
attacks: {escape(", ".join(summary["attack_types"]))}.</p>
{sections}
</body>
</html>
"""


def _item(record: Mapping[str, Any]) -> str:
    primary = record["image_path"]
    picture = (
        f'<a href="{escape(primary)}"><img src="{escape(primary)}" alt="" loading="lazy"></a>'
        if primary
        else ""
    )
    links = " ".join(
        f'<a href="{escape(path)}">{escape(role.replace("_", " "))}</a>'
        for role, path in _links(record)
    )
    name = f"Client {record['client_id']}: {record['attack_type']}"
    return f"<li><strong>{escape(name)}</strong>{picture}{links}</li>"


def _links(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for role, path in record["visualizations"].items():
        if role == "additional":
            yield from path.items()
        elif role != "primary":
            yield role, path
    yield "metadata", f"{_place(record)}/metadata.json"


def _place(record: Mapping[str, Any]) -> str:
    kind = "weights" if record["is_weight_attack"] else "data"
    return f"client_{record['client_id']}/round_{record['round_num']}/{kind}"
