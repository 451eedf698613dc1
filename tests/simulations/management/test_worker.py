"""Real workers on a real Valkey; only the engine is small."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from intellifl.redis_client import PRESENT_S
from simulations import dispatch, lifecycle, processes, recovery, services
from simulations.attempt import Options
from simulations.broker import WORKERS, Broker
from simulations.local_queue import LocalQueue
from simulations.models import Simulation
from simulations.process_identity import is_running
from tests.servers import Valkey, eventually
from tests.workers import QUEUE, Engine, Worker, in_django, publish, spoil

CONFIG = {
    "aggregation_strategy_keyword": "fedavg",
    "dataset_keyword": "mnist5k",
    "num_of_rounds": 3,
    "num_of_clients": 4,
}
Submit = Callable[[], Simulation]


@pytest.fixture
def small_engine(engine: Callable[[str], list[str]], tmp_path: Path) -> Callable[[str], Engine]:
    """Return a factory of engines that tell their starts and then do as `body` says."""

    def build(body: str) -> Engine:
        starts = tmp_path / "starts"
        told = f"""\
        import pathlib
        run = json.load(sys.stdin)["simulation_strategies"][0]["seed"]
        with open({str(starts)!r}, "a") as starts:
            starts.write(f"{{run}} {{os.getpid()}}\\n")
        """
        script = "\n".join(line.removeprefix("        ") for line in told.splitlines())
        return Engine(engine(script + "\n" + body), starts)

    return build


@pytest.fixture
def redis_url(valkey: Valkey, settings: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """Use the test's Valkey, in this process and in those it starts."""
    changes = {"redis_url": valkey.url}
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update=changes)
    monkeypatch.setenv("REDIS_URL", valkey.url)
    return valkey.url


@pytest.fixture
def start_worker(
    shared_database: None, valkey: Valkey, redis_url: str, tmp_path: Path
) -> Iterator[Callable[..., Worker]]:
    """Return a factory of workers; it waits until they listen unless `is_awaited` is False."""
    workers: list[Worker] = []

    def start(engine: Engine, *options: str, is_awaited: bool = True) -> Worker:
        log = tmp_path / f"worker_{len(workers)}.log"
        workers.append(Worker(engine.command, log, *options))
        if is_awaited:
            number = len([w for w in workers if w.process.poll() is None])
            eventually(lambda: is_listening(workers[-1], number))
        return workers[-1]

    def is_listening(worker: Worker, number: int) -> bool:
        assert worker.process.poll() is None, worker.log
        return valkey.client().zcard(WORKERS) == number

    yield start
    for worker in workers:
        worker.process.kill()
        worker.process.wait()
        print(worker.log)


@pytest.fixture
def submit(new_simulation: Callable[..., Simulation]) -> Callable[[], Simulation]:
    """Return a factory of simulations, each with a seed of its own, counted from 1."""
    seeds = iter(range(1, 1000))

    return lambda: new_simulation(seed=next(seeds))


def wait_for(simulation: Simulation, status: str, within_s: float = 60.0) -> Simulation:
    def has_it() -> bool:
        simulation.refresh_from_db()
        return simulation.status == status

    eventually(has_it, within_s)
    return simulation


FAST = 'tell("run_finished")'
SLOW = 'time.sleep(2); tell("run_finished")'
STUBBORN = """\
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
time.sleep(600)
"""


@pytest.mark.slow
def test_a_worker_runs_what_is_submitted_once_each(
    start_worker: Any, small_engine: Any, submit: Submit, redis_url: str
) -> None:
    engine = small_engine(FAST)
    worker = start_worker(engine, "--concurrency", "2")
    assert Broker(redis_url).health()["execution_mode"] == "celery"
    pool = {process.pid for process in worker.pool()}
    runs = [submit() for _ in range(5)]
    for run in runs:
        assert wait_for(run, "completed").supervisor_pid in pool
    assert Counter(seed for seed, _ in engine.starts()) == {str(n): 1 for n in range(1, 6)}


@pytest.mark.slow
def test_runs_go_to_whom_can_run_them_while_redis_goes_and_comes(
    start_worker: Any, small_engine: Any, submit: Submit, valkey: Valkey, options: Any
) -> None:
    engine = small_engine(FAST)
    worker = start_worker(engine)
    pool = {process.pid for process in worker.pool()}
    assert dispatch.is_left_to_workers()
    assert wait_for(submit(), "completed").supervisor_pid in pool

    valkey.stop()
    while_away = submit()
    eventually(lambda: not dispatch.is_left_to_workers())
    assert take_locally(while_away, engine)
    assert wait_for(while_away, "completed").supervisor_pid == os.getpid()

    valkey.start()
    eventually(dispatch.is_left_to_workers)
    assert wait_for(submit(), "completed").supervisor_pid in pool
    assert Counter(seed for seed, _ in engine.starts()) == {"1": 1, "2": 1, "3": 1}


@pytest.mark.slow
def test_messages_that_mean_nothing_any_more_start_nothing_and_break_nothing(
    start_worker: Any, small_engine: Any, submit: Submit, new_simulation: Any, valkey: Valkey
) -> None:
    deleted, stopped = new_simulation(seed=100), new_simulation(seed=101)
    gone = deleted.pk
    deleted.delete()
    lifecycle.stop(stopped.pk)
    engine = small_engine(FAST)
    worker = start_worker(engine)
    first = wait_for(submit(), "completed")
    for arguments in ([gone, 0], [stopped.pk, 0], [first.pk, 0], [first.pk, 1]):
        publish(valkey, arguments)
    for arguments in ([], ["1", 0], [None, None], [1, 2, 3], [{"pk": 1}, [0]], [True, 0]):
        publish(valkey, arguments)
    publish(valkey, [1, 0], name="simulations.no_such_task")
    valkey.client().lpush(QUEUE, "no JSON", "[]", "{}", "1", "null", b"\xff\x00")
    spoil(valkey, {"body": "no base64"})
    spoil(valkey, {"body": "AAAA"})
    spoil(valkey, {"properties": {}})
    spoil(valkey, {"content-type": "application/x-python-serialize"})
    spoil(valkey, {"headers": {}})
    last = submit()
    assert wait_for(last, "completed").attempt == 1
    assert worker.process.poll() is None
    assert [seed for seed, _ in engine.starts()] == ["1", "2"]
    assert "was deleted" in worker.log
    assert f"{stopped.simulation_id} is ignored: the simulation is stopped" in worker.log
    assert worker.log.count(f"{first.simulation_id} is ignored: the simulation is comp") == 2


@pytest.mark.slow
def test_a_message_that_came_twice_runs_once_on_two_workers(
    start_worker: Any, small_engine: Any, new_simulation: Any, valkey: Valkey
) -> None:
    engine = small_engine(SLOW)
    workers = [start_worker(engine, "--concurrency", "2") for _ in range(2)]
    runs = [new_simulation(seed=seed) for seed in range(1, 5)]
    for run in runs * 3:
        publish(valkey, [run.pk, 0])
    for run in runs:
        wait_for(run, "completed")
    eventually(lambda: valkey.client().llen(QUEUE) == 0)
    assert Counter(seed for seed, _ in engine.starts()) == {str(n): 1 for n in range(1, 5)}
    supervisors = {run.supervisor_pid for run in runs}
    assert all(supervisors & {process.pid for process in worker.pool()} for worker in workers)


@pytest.mark.slow
def test_a_killed_worker_leaves_nothing_that_recovery_does_not_end(
    start_worker: Any, small_engine: Any, submit: Submit, no_strays: Any, redis_url: str
) -> None:
    engine = small_engine(STUBBORN)
    worker = start_worker(engine)
    run = wait_for(submit(), "running")
    no_strays(run.attempt_token)
    eventually(lambda: len(processes.carriers(run.attempt_token)) == 3)
    pool = worker.pool()
    worker.end(signal.SIGKILL)
    eventually(lambda: not any(is_running(process) for process in pool))
    assert [recovered.simulation_id for recovered in recovery.recover()] == [run.simulation_id]
    wait_for(run, "failed")
    assert "interrupted" in run.error and str(run.supervisor_pid) in run.error
    assert processes.carriers(run.attempt_token) == set()
    eventually(lambda: Broker(redis_url).workers() == 0, PRESENT_S + 3)


@pytest.mark.slow
def test_the_worker_itself_recovers_a_killed_process_of_its_pool(
    start_worker: Any, small_engine: Any, submit: Submit, no_strays: Any
) -> None:
    engine = small_engine(f"""\
if run == 2:
    tell("run_finished")
else:
{indented(STUBBORN)}
""")
    start_worker(engine)
    run, following = submit(), submit()
    wait_for(run, "running")
    no_strays(run.attempt_token)
    eventually(lambda: len(processes.carriers(run.attempt_token)) == 3)
    os.kill(run.supervisor_pid or 0, signal.SIGKILL)
    wait_for(run, "failed")
    wait_for(following, "completed")
    assert [seed for seed, _ in engine.starts()] == ["1", "2"]


@pytest.mark.slow
@pytest.mark.parametrize("is_redis_there", [True, False])
def test_sigterm_ends_a_stubborn_run_in_ten_seconds_and_leaves_the_queue(
    start_worker: Any,
    small_engine: Any,
    submit: Submit,
    valkey: Valkey,
    no_strays: Any,
    is_redis_there: bool,
) -> None:
    worker = start_worker(small_engine(STUBBORN))
    run, waiting = submit(), submit()
    wait_for(run, "running")
    no_strays(run.attempt_token)
    eventually(lambda: len(processes.carriers(run.attempt_token)) == 3)
    if not is_redis_there:
        valkey.stop()
        time.sleep(1)
    worker.end()
    run.refresh_from_db()
    assert (run.status, run.error) == ("failed", "interrupted: the worker was shut down")
    assert worker.process.returncode == 0
    waiting.refresh_from_db()
    assert waiting.status == "queued"
    if is_redis_there:
        assert valkey.client().zcard(WORKERS) == 0


@pytest.mark.slow
def test_what_a_flushed_redis_has_forgotten_is_published_again(
    start_worker: Any, small_engine: Any, submit: Submit, valkey: Valkey, monkeypatch: Any
) -> None:
    engine = small_engine(SLOW)
    start_worker(engine)
    runs = [submit() for _ in range(3)]
    wait_for(runs[0], "running")
    valkey.client().flushall()
    for run in runs:
        wait_for(run, "completed")
    assert Counter(seed for seed, _ in engine.starts()) == {"1": 1, "2": 1, "3": 1}


@pytest.mark.slow
def test_a_run_survives_a_restart_of_redis(
    start_worker: Any, small_engine: Any, submit: Submit, valkey: Valkey
) -> None:
    engine = small_engine("time.sleep(6); " + FAST)
    worker = start_worker(engine)
    run, following = submit(), submit()
    wait_for(run, "running")
    valkey.stop()
    time.sleep(2)
    valkey.start()
    assert wait_for(run, "completed").attempt == 1
    wait_for(following, "completed")
    assert worker.process.poll() is None
    assert [seed for seed, _ in engine.starts()] == ["1", "2"]


@pytest.mark.slow
def test_a_worker_waits_for_redis_and_takes_what_was_queued_meanwhile(
    start_worker: Any, small_engine: Any, submit: Submit, valkey: Valkey
) -> None:
    valkey.stop()
    run = submit()
    worker = start_worker(small_engine(FAST), is_awaited=False)
    time.sleep(4)
    assert worker.process.poll() is None
    valkey.start()
    assert wait_for(run, "completed", 40).supervisor_pid in {p.pid for p in worker.pool()}


@pytest.mark.slow
def test_a_stop_reaches_a_run_of_a_worker(
    start_worker: Any, small_engine: Any, submit: Submit, no_strays: Any
) -> None:
    start_worker(small_engine(STUBBORN))
    run = wait_for(submit(), "running")
    no_strays(run.attempt_token)
    assert services.stop(run).status == "stopped"


@pytest.mark.slow
def test_two_workers_on_postgresql_run_each_simulation_once(
    small_engine: Any,
    start_worker: Any,
    valkey: Valkey,
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    in_django("call_command('migrate', verbosity=0)")
    engine = small_engine(FAST)
    for _ in range(2):
        start_worker(engine, "--concurrency", "2")
    made = in_django(f"""
        for seed in range(1, 7):
            print(services.create({{**{CONFIG!r}, "seed": seed}}).simulation.pk)
    """)
    for pk in made.split() * 2:
        publish(valkey, [int(pk), 0])
    ended = "not Simulation.objects.exclude(status='completed').exists()"
    eventually(lambda: in_django(f"print({ended})").strip() == "True")
    assert Counter(seed for seed, _ in engine.starts()) == {str(n): 1 for n in range(1, 7)}


@pytest.mark.parametrize("concurrency", [0, 65])
def test_a_concurrency_that_makes_no_sense_is_wrong_usage(
    concurrency: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exited:
        call_command("worker", concurrency=concurrency)
    assert exited.value.code == 2
    assert f"must be 1 to 64, not {concurrency}" in capsys.readouterr().err


def indented(body: str) -> str:
    return "".join(f"    {line}\n" for line in body.splitlines())


def take_locally(simulation: Simulation, engine: Engine) -> bool:
    """Run the local queue in this process until it has finished the simulation."""
    queue = LocalQueue(1, Options(engine=engine.command, artifacts=["true"]))
    thread = threading.Thread(target=queue.run)
    thread.start()
    try:
        wait_for(simulation, "completed")
    finally:
        queue.shut_down()
        thread.join()
    return True
