"""The command line of the engine: a configuration in, one JSON event a line out."""

from __future__ import annotations

import argparse
import logging
import os
import secrets
import signal
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Generator

    from simulations.fl.config import SimulationConfig
    from simulations.fl.event_stream import EventStream
    from simulations.fl.events import Event, RunFailed

DATA_DIR = "INTELLIFL_DATA_DIR"
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
EPILOG = """\
Standard output carries one JSON object a line and nothing else: run_started; for each
strategy strategy_started, round_finished ..., strategy_finished; at last run_finished or
run_failed. The log goes to standard error.

exit codes:
  0 finished      1 unexpected error    2 wrong configuration    3 data cannot be had
  4 no device     5 training failed     7 a file cannot be read or written
  130, 143        after SIGINT, SIGTERM; no worker is left

example:
  python -m simulations.fl run examples/quickstart.json --out out/quickstart
"""
LESS_MEMORY = "run less at once, with --workers 1 or a higher cpus_per_client, or fewer clients"
logger = logging.getLogger("simulations.fl")


class Stopped(BaseException):
    """A signal asked the run to stop; it passes everything that handles errors."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.exit_code = 128 + number


def main() -> int:
    arguments = _arguments()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    # Read when numpy is first imported: the engine parallelises over clients, not within them.
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        from simulations.fl.event_stream import EventStream, start_log

        start_log()
        return _run(arguments, EventStream())
    except Stopped as stopped:
        logger.warning("%s", stopped)
        return stopped.exit_code
    except BrokenPipeError:
        logger.error("nobody reads the events any more, so the run ends")
        return 1


def _run(arguments: argparse.Namespace, stream: EventStream) -> int:
    from simulations.fl.errors import ConfigError, FLError
    from simulations.fl.event_stream import sentence
    from simulations.fl.events import RunFailed

    try:
        with closing(_events(arguments, stream)) as events:
            for event in events:
                stream.tell(event)
                line = sentence(event)
                if line is not None:
                    logger.info("%s", line)
        return 0
    except BrokenPipeError:
        raise
    except ConfigError as error:
        failure = RunFailed(str(error), error.exit_code, error.errors)
        logger.error("the configuration is wrong: %s", error)
    except FLError as error:
        failure = RunFailed(str(error), error.exit_code)
        logger.exception("%s", error)
    except MemoryError:
        failure = RunFailed(f"the machine has not enough memory; {LESS_MEMORY}")
        logger.exception("not enough memory")
    except Exception as error:
        failure = RunFailed(f"an unexpected error ended the run: {type(error).__name__}: {error}")
        logger.exception("unexpected error")
    _tell_failure(stream, failure)
    return failure.exit_code


def _tell_failure(stream: EventStream, failure: RunFailed) -> None:
    from simulations.fl.errors import StorageError

    try:
        stream.tell(failure)
    except StorageError as error:
        logger.error("%s", error)
        stream.journal = None
        stream.tell(failure)


def _events(arguments: argparse.Namespace, stream: EventStream) -> Generator[Event, None, None]:
    config = _config(arguments)
    for warning in config.warnings:
        logger.warning("%s", warning)
    from simulations.fl import lean_torch

    lean_torch.load()
    from simulations.fl.build import from_catalogue
    from simulations.fl.journal import Journal, write_config
    from simulations.fl.simulation import run

    write_config(config, arguments.out)
    stream.journal = Journal(arguments.out, resume=arguments.resume)
    yield from run(
        config,
        from_catalogue(arguments.data_dir),
        run_dir=arguments.out,
        workers=arguments.workers,
        resume=arguments.resume,
    )


def _config(arguments: argparse.Namespace) -> SimulationConfig:
    from simulations.fl import strict_json
    from simulations.fl.config import parse, resolve
    from simulations.fl.errors import ConfigError

    try:
        config = parse(strict_json.loads(_text(arguments.config)))
    except OSError as error:
        raise ConfigError([f"cannot read {arguments.config}: {error.strerror}"]) from error
    except strict_json.StrictJSONError as error:
        raise ConfigError([str(error)]) from error
    seed = arguments.seed
    if seed is not None:
        given = tuple(strategy.model_copy(update={"seed": seed}) for strategy in config.strategies)
        config = replace(config, strategies=given)
    return resolve(config, secrets.randbelow(2**31))


def _text(name: str) -> bytes:
    return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    # A second signal must not interrupt the ending of the workers.
    for ignored in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)
    raise Stopped(number)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m simulations.fl", description="Run simulations of federated learning."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser(
        "run",
        help="run a simulation",
        description="Run every strategy of a configuration, one after the other.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument("config", metavar="CONFIG", help="a JSON file, or - for standard input")
    run.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder for checkpoints and the journal",
    )
    run.add_argument(
        "--data-dir",
        type=Path,
        default=Path(os.environ.get(DATA_DIR, "data")),
        metavar="DIR",
        help=f"folder of the datasets (default: ${DATA_DIR}, or else ./data)",
    )
    run.add_argument(
        "--workers",
        type=_positive,
        metavar="N",
        help="processes that train (default: cores / cpus_per_client); results stay the same",
    )
    run.add_argument(
        "--seed", type=_seed, metavar="N", help="seed of all strategies, instead of their own"
    )
    run.add_argument(
        "--resume", action="store_true", help="go on after the last checkpoint in the folder"
    )
    return parser.parse_args()


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {value}")
    return value


def _seed(text: str) -> int:
    value = int(text)
    if not 0 <= value < 2**63:
        raise argparse.ArgumentTypeError(f"must be between 0 and 2**63 - 1, not {value}")
    return value


def _end(exit_code: int) -> NoReturn:
    """End at once: with torch loaded, Python takes half a second to take itself apart."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code)


if __name__ == "__main__":
    _end(main())
