"""`manage.py worker` with a small engine: `worker_process.py ENGINE_COMMAND_AS_JSON [OPTION …]`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
os.environ["DJANGO_SETTINGS_MODULE"] = "intellifl.settings"

import django
from django.core.management import execute_from_command_line

if __name__ == "__main__":
    django.setup()
    from simulations import attempt

    command, *options = sys.argv[1:]
    attempt.engine_command = lambda simulation: [
        *json.loads(command),
        simulation.simulation_id,
        str(simulation.attempt),
    ]
    attempt.artifacts_command = lambda simulation_id: ["true"]
    execute_from_command_line(["manage.py", "worker", *options])
