"""What the tools return, said in Markdown. Whatever people or runs wrote is shown as plain text."""

from __future__ import annotations

from collections.abc import Callable

from simulations.assistant import markdown
from simulations.assistant.markdown import code, link, plain, table
from simulations.assistant.tools import Result
from simulations.fl import strict_json

ABILITIES = """\
I answer from what is recorded here, and I only read. Ask me for example:

- **status**, or *status of* a run: how far it is, or why it failed
- **list** *failed runs with krum on mnist5k*
- **best** *strategy against label flipping on mnist5k*
- **compare** *run A and run B*, or *compare krum and trimmed mean*
- **why was client 7 removed** *in run A*
- **explain** *bulyan*, an attack, a dataset or a setting
- **log of** a run
- **draft a config** *for krum and rfa on digits with 2 gradient scaling attackers*
- **validate** followed by a configuration in JSON

A run is meant by its name, a part of it, its id, or *latest*. \
I can propose a run; only you can start, stop or delete one."""


def figure(value: float | None, form: str = ".4g") -> str:
    return "–" if value is None else format(value, form)


def percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def run_link(row: Result) -> str:
    return link(row.get("simulation") or row["name"], f"/simulations/{row['simulation_id']}/")


def listing(result: Result) -> str:
    rows = result["simulations"]
    if not rows:
        return "No simulation matches."
    cells = [
        [
            run_link(row),
            row["status"],
            plain(row["strategies"]),
            plain(row["dataset"]),
            plain(row["attacks"]) or "none",
            percent(row["best_final_accuracy"]),
        ]
        for row in rows
    ]
    shown = "" if result["total"] == len(rows) else f" These are the newest {len(rows)}."
    headings = ["run", "status", "strategies", "dataset", "attacks", "best accuracy"]
    count = result["total"]
    return (
        f"{count} simulation{'' if count == 1 else 's'} match{'es' if count == 1 else ''}.{shown}"
        f"\n\n{table(headings, cells)}"
    )


def state(result: Result) -> str:
    lines = [f"{run_link(result)} is **{result['status']}**{_progress(result)}."]
    if result["queue_position"]:
        lines.append(f"It is number {result['queue_position']} in the queue.")
    if result["error"]:
        lines.append(f"Error: {plain(result['error'])}")
    lines += [f"Warning: {plain(warning)}" for warning in result["warnings"]]
    cells = [
        [
            plain(run["name"]),
            str(run["rounds"]),
            percent(run["final_accuracy"]),
            figure(run["final_loss"]),
            plain(run["ended_early"]),
        ]
        for run in result["strategies"]
    ]
    headings = ["strategy", "rounds", "final accuracy", "final loss", "ended early"]
    about = (
        f"Dataset {plain(result['dataset'])}, {result['num_of_clients']} clients, "
        f"attacks: {plain(result['attacks']) or 'none'}, seed {result['seed']}."
    )
    return "\n\n".join([*lines, about, table(headings, cells)])


def _progress(result: Result) -> str:
    if result["status"] == "completed":
        return ""
    left = result["seconds_left_about"]
    ends = f", about {_duration(left)} left" if left is not None else ""
    return f", {result['progress']:.0%} done{ends}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def queue(result: Result) -> str:
    counts = [f"{count} {status}" for status, count in result["counts"].items() if count]
    if not counts:
        return "There is no simulation yet."
    lines = [
        f"- {run_link(row)}: {row['status']}, {row['progress']:.0%} done"
        for row in result["active"]
    ]
    active = "\n".join(lines) or "Nothing runs or waits."
    return f"Simulations: {', '.join(counts)}.\n\n{active}"


def best(result: Result) -> str:
    if not result["ranking"]:
        return "No finished strategy with a measured accuracy matches."
    top = result["ranking"][0]
    ranking = [
        [
            plain(row["name"]),
            run_link(row),
            plain(row["dataset"]),
            plain(row["attacks"]) or "none",
            percent(row["final_accuracy"]),
        ]
        for row in result["ranking"]
    ]
    summed = [
        [code(row["keyword"]), str(row["count"]), percent(row["mean"]), percent(row["highest"])]
        for row in result["by_strategy"]
    ]
    return "\n\n".join(
        [
            f"The highest final accuracy is {percent(top['final_accuracy'])}, of "
            f"**{plain(top['name'])}** in {run_link(top)}.",
            table(["strategy", "run", "dataset", "attacks", "final accuracy"], ranking),
            "Over all matching runs, by strategy:",
            table(["strategy", "runs", "mean accuracy", "highest"], summed),
            "Accuracies on different datasets or under different attacks are not comparable.",
        ]
    )


def compared(result: Result) -> str:
    rows = result["strategies"]
    if not rows:
        return "There is nothing to compare."
    cells = [
        [
            plain(row["name"]),
            run_link(row),
            str(row["rounds"]),
            percent(row["global_accuracy"]),
            figure(row["global_loss"]),
            percent(row["attack_success_rate"]),
        ]
        for row in rows
    ]
    headings = ["strategy", "run", "rounds", "accuracy", "loss", "attack success"]
    parts = [_winner(rows), table(headings, cells), _seeds(result), _settings(result)]
    ids = ",".join(result["simulation_ids"])
    parts.append(link("All curves beside each other", f"/simulations/compare/?ids={ids}"))
    return "\n\n".join(part for part in parts if part)


def _winner(rows: list[Result]) -> str:
    measured = [row for row in rows if row["global_accuracy"] is not None]
    if len(measured) < 2:
        return ""
    first, second, *_ = sorted(measured, key=lambda row: -row["global_accuracy"])
    lead = 100 * (first["global_accuracy"] - second["global_accuracy"])
    if lead < 0.05:
        best = " and ".join(f"**{plain(row['name'])}**" for row in (first, second))
        return f"{best} end with the same accuracy."
    return (
        f"**{plain(first['name'])}** in {run_link(first)} ends with the highest accuracy, "
        f"{lead:.1f} points above the next."
    )


def _seeds(result: Result) -> str:
    lines = []
    for group in result["groups"]:
        accuracy = group["global_accuracy"]
        if group["seeds"] > 1 and accuracy is not None and accuracy["std"] is not None:
            spread = f"{percent(accuracy['mean'])} ± {percent(accuracy['std'])}"
            lines.append(f"- {plain(group['label'])}: {spread} over {accuracy['count']} seeds")
    return "\n".join(lines)


def _settings(result: Result) -> str:
    lines = [
        f"- {code(name)}: {', '.join(code(text) for text in dict.fromkeys(texts))}"
        for name, texts in result["different_settings"].items()
        if name not in ("strategy_name", "display_name")
    ]
    return "\n".join(["Different settings:", "", *lines]) if lines else ""


def client(result: Result) -> str:
    opening = f"Client {result['client_id']} in {run_link(result)}:"
    return "\n\n".join([opening, *map(_verdict, result["strategies"])])


def _verdict(one: Result) -> str:
    said = ""
    if one["removed"]:
        said = f"removed from round {one['removed_from']} on. "
    lines = [f"**{plain(one['name'])}** – {said}{plain(one['reason'])}"]
    if "was_attacker" in one:
        truth = (
            f"it attacked in {one['rounds_attacked']} of {one['rounds_measured']} measured rounds"
            if one["was_attacker"]
            else "it is benign"
        )
        lines.append(f"In truth {truth}.")
    if one["rule"]:
        lines.append(f"The rule removes: {one['rule']}")
    return " ".join(lines)


def explained(result: Result) -> str:
    return f"**{plain(result['name'])}** ({result['kind']})\n\n{result['text']}"


def log(result: Result) -> str:
    if not result["lines"]:
        return f"{run_link(result)} has no log yet."
    return f"The end of the log of {run_link(result)}:\n\n" + markdown.block(
        "\n".join(result["lines"]), "text"
    )


def checked(result: Result) -> str:
    if not result["valid"]:
        lines = [f"- {plain(error)}" for error in result["errors"]]
        return "\n".join(["It cannot run:", "", *lines])
    lines = [f"- {plain(warning)}" for warning in result["warnings"]]
    return "\n".join(["It can run." if not lines else "It can run, but:", "", *lines]).strip()


def drafted(result: Result) -> str:
    text = markdown.block(strict_json.dumps(result["config"], indent=2), "json")
    ending = "Nothing was started: open it as a new simulation, look at it, and run it there."
    if not result["valid"]:
        ending = f"{checked(result)}\n\nSay what should be different."
    return f"A draft:\n\n{text}\n\n{ending}"


SAY: dict[str, Callable[[Result], str]] = {
    "list_simulations": listing,
    "get_simulation": state,
    "queue_status": queue,
    "read_log": log,
    "best_strategies": best,
    "compare_simulations": compared,
    "explain_client": client,
    "explain": explained,
    "validate_config": checked,
    "draft_config": drafted,
}


def said(tool: str, result: Result) -> str:
    """Return a tool's result in words, or what it could not find."""
    return plain(result["problem"]) if "problem" in result else SAY[tool](result)
