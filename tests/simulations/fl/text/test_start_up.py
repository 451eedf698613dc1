from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[4]


def loaded(code: str) -> str:
    """Run `code` and return which libraries of language models it has loaded."""
    tell = "import sys; print({'transformers', 'peft', 'tokenizers'} & set(sys.modules))"
    command = [sys.executable, "-c", f"{code}\n{tell}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PROJECT)
    return done.stdout.splitlines()[-1]


def test_a_run_on_images_loads_no_library_of_language_models(data_dir: Path) -> None:
    code = f"""
from pathlib import Path
from simulations.fl.build import from_catalogue
from simulations.fl.config import parse, resolve
from simulations.fl.simulation import run
settings = {{"aggregation_strategy_keyword": "fedavg", "dataset_keyword": "digits",
    "num_of_rounds": 1, "partitioning_strategy": "dirichlet", "training_device": "cpu"}}
config = resolve(parse(settings), drawn_seed=1)
list(run(config, from_catalogue(Path({str(data_dir)!r})), workers=1))
"""
    assert loaded(code) == "set()"


def test_checking_a_configuration_of_texts_loads_none_either() -> None:
    code = """
from simulations.fl.config import parse, resolve
resolve(parse({"aggregation_strategy_keyword": "fedavg", "dataset_keyword": "reuters_r8",
    "num_of_rounds": 1}), drawn_seed=1)
"""
    assert loaded(code) == "set()"
