"""One configuration as three texts that submit it elsewhere: for curl, the command line, Python."""

from __future__ import annotations

import pprint
from dataclasses import dataclass
from typing import Any

from simulations.fl import strict_json

END = "JSON"
WIDTH = 88


@dataclass(frozen=True)
class Command:
    name: str
    title: str
    text: str


def commands(config: Any, address: str, needs_token: bool) -> list[Command]:
    """Return the texts; `address` is that of the API's simulations."""
    # Written JSON has no line breaks inside strings, so no line of it can end the text early.
    text = f"<<'{END}'\n{strict_json.dumps(config, indent=2)}\n{END}\n"
    token = ' \\\n  -H "Authorization: Bearer $TOKEN"' if needs_token else ""
    declared = '-H "Content-Type: application/json"'
    return [
        Command("curl", "curl", f"curl -sS {address} {declared}{token} --data-binary @- {text}"),
        Command("cli", "Command line", f".venv/bin/python manage.py run_simulation - {text}"),
        Command("python", "Python", _python(config, address, needs_token)),
    ]


def _python(config: Any, address: str, needs_token: bool) -> str:
    literal = pprint.pformat(config, width=WIDTH, sort_dicts=False)
    imports = "import json\nimport os\n" if needs_token else "import json\n"
    token = ', "Authorization": f"Bearer {os.environ[\'TOKEN\']}"' if needs_token else ""
    return f"""\
{imports}from urllib.request import Request, urlopen

config = {literal}

request = Request(
    {address!r},
    data=json.dumps(config).encode(),
    headers={{"Content-Type": "application/json"{token}}},
)
with urlopen(request) as answer:
    print(json.load(answer)["simulation_id"])
"""
