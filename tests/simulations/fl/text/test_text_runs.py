from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset

from datasets_app.catalog.text_data import TextData
from simulations.fl.build import from_catalogue
from simulations.fl.config import SimulationConfig, parse, resolve
from simulations.fl.events import Event, RoundFinished, SnapshotSaved, StrategyStarted
from simulations.fl.simulation import run
from simulations.fl.text.corpus import Corpus

CONFIG: dict[str, Any] = {
    "aggregation_strategy_keyword": "fedavg",
    "dataset_keyword": "reuters_r8",
    "model_type": "transformer",
    "llm_model": "tiny",
    "llm_task": "classification",
    "llm_chunk_size": 32,
    "max_seq_length": 24,
    "num_of_rounds": 2,
    "num_of_clients": 4,
    "batch_size": 8,
    "learning_rate": 0.003,
    "training_device": "cpu",
    "seed": 5,
}
MLM = {"llm_task": "mlm", "max_seq_length": None}
ENTRY = {
    "start_round": 1,
    "end_round": 2,
    "selection_strategy": "specific",
    "malicious_client_ids": [1],
}
CLOCKS = ("round_seconds", "score_calculation_time_ns")


def configured(**changes: Any) -> SimulationConfig:
    return resolve(parse(CONFIG | changes), drawn_seed=0)


@pytest.fixture
def play(tokenised: Corpus) -> Callable[..., list[Event]]:
    """Run a configuration on the small texts, in one process unless told otherwise."""

    def events(workers: int = 1, run_dir: Path | None = None, **changes: Any) -> list[Event]:
        config = configured(**changes)
        return list(run(config, lambda _: tokenised, workers=workers, run_dir=run_dir))

    return events


def rounds(events: list[Event]) -> list[RoundFinished]:
    return [event for event in events if isinstance(event, RoundFinished)]


def numbers(events: list[Event]) -> Iterator[dict[str, Any]]:
    """Give what rounds tell, without what clocks say."""
    for event in rounds(events):
        told = asdict(event)
        for client in told["clients"]:
            del client["train_seconds"]
        yield {name: value for name, value in told.items() if name not in CLOCKS}


def test_full_finetuning_learns_to_classify(play: Any) -> None:
    last = rounds(play(num_of_rounds=6, num_of_client_epochs=2, llm_finetuning="full"))[-1]
    assert last.global_accuracy is not None and last.global_accuracy > 0.9


def test_lora_learns_though_the_encoder_is_frozen(play: Any) -> None:
    last = rounds(play(num_of_rounds=5, num_of_client_epochs=2, learning_rate=0.02))[-1]
    assert last.global_accuracy is not None and last.global_accuracy > 0.9


def test_masked_language_modelling_learns(play: Any) -> None:
    settings = {**MLM, "num_of_rounds": 5, "num_of_client_epochs": 2, "learning_rate": 0.005}
    first, *_, last = rounds(play(**settings, llm_finetuning="full"))
    assert first.global_loss is not None and last.global_loss is not None
    assert last.global_loss < 0.75 * first.global_loss
    assert last.global_accuracy is not None and 0 < last.global_accuracy < 1


@pytest.mark.parametrize("task", [{}, MLM])
def test_results_do_not_depend_on_the_number_of_workers(play: Any, task: dict[str, Any]) -> None:
    attack = ENTRY | {"attack_type": "token_replacement", "target_vocabulary": "financial"}
    settings = {**task, "attack_schedule": [attack]}
    assert list(numbers(play(workers=1, **settings))) == list(numbers(play(workers=2, **settings)))


@pytest.mark.parametrize("task", [{}, MLM])
def test_a_resumed_run_goes_on_as_if_nothing_had_happened(
    play: Any, tokenised: Corpus, tmp_path: Path, task: dict[str, Any]
) -> None:
    whole = play(num_of_rounds=3, **task)
    config = configured(num_of_rounds=3, **task)
    begun = run(config, lambda _: tokenised, workers=1, run_dir=tmp_path)
    for event in begun:
        if isinstance(event, RoundFinished) and event.round_number == 2:
            break
    begun.close()
    rest = list(run(config, lambda _: tokenised, workers=1, run_dir=tmp_path, resume=True))
    assert list(numbers(rest)) == list(numbers(whole))[-len(rounds(rest)) :]
    assert rounds(rest)[-1].round_number == 3


def test_evaluation_hides_the_same_tokens_in_every_round(play: Any) -> None:
    one, two = rounds(play(**MLM, learning_rate=1e-12))
    assert one.global_loss == pytest.approx(two.global_loss, rel=1e-5)
    assert one.clients[0].loss == pytest.approx(two.clients[0].loss, rel=1e-5)


def test_losses_of_training_and_evaluation_are_means_over_hidden_tokens(play: Any) -> None:
    (told,) = rounds(play(**MLM, learning_rate=1e-12, num_of_rounds=1, lora_dropout=0.0))
    for client in told.clients:
        assert client.train_loss == pytest.approx(told.global_loss, rel=0.15)


@pytest.mark.parametrize("rule", ["krum", "trimmed_mean", "rfa", "bulyan", "pid", "trust"])
def test_rules_aggregate_what_lora_trains(play: Any, rule: str) -> None:
    attack = ENTRY | {"attack_type": "gradient_scaling", "scale_factor": 50.0, "end_round": 1}
    events = play(
        aggregation_strategy_keyword=rule,
        num_of_clients=7,
        num_of_rounds=1,
        attack_schedule=[attack],
    )
    (started,) = (event for event in events if isinstance(event, StrategyStarted))
    assert started.num_parameters == 2 * 2 * 8 * (32 + 32) + 32 * 8 + 8
    clients = rounds(events)[0].clients
    distances = [one.absolute_distance for one in clients if one.absolute_distance is not None]
    assert len(distances) == 7
    assert max(range(7), key=distances.__getitem__) == 1


@pytest.mark.parametrize("task", [{}, MLM])
def test_texts_of_a_folder_are_learned_with_an_encoder_of_a_folder(
    encoder: Path, news: TextData, tmp_path: Path, task: dict[str, Any]
) -> None:
    (tmp_path / "my_texts").mkdir()
    columns = {"text": news.train_texts.to_pylist(), "label": news.train_labels}
    Dataset.from_dict(columns).to_parquet(tmp_path / "my_texts" / "train.parquet")
    shutil.copytree(encoder, tmp_path / "tiny")
    settings = CONFIG | {"dataset_keyword": None, "hf_dataset_name": "./my_texts"} | task
    config = resolve(parse(settings), drawn_seed=0)
    events = list(run(config, from_catalogue(tmp_path), workers=1))
    (started,) = (event for event in events if isinstance(event, StrategyStarted))
    assert sum(started.client_sizes) == 160 * 4 // 5
    assert len(rounds(events)) == 2
    assert len(list((tmp_path / ".tokens").iterdir())) == 2


def test_label_attacks_reach_texts_and_their_success_is_measured(play: Any) -> None:
    everyone = {"malicious_client_ids": [0, 1, 2, 3], "end_round": 6}
    attack = {"attack_type": "targeted_label_flipping", "source_class": 2, "target_class": 6}
    last = rounds(
        play(
            num_of_rounds=6,
            num_of_client_epochs=2,
            llm_finetuning="full",
            attack_schedule=[ENTRY | attack | everyone],
        )
    )[-1]
    assert last.attack_success_rate is not None and last.attack_success_rate > 0.9


def test_replaced_words_are_kept_side_by_side(play: Any, tmp_path: Path) -> None:
    attack = ENTRY | {
        "attack_type": "token_replacement",
        "target_vocabulary": "financial",
        "replacement_strategy": "negative",
        "replacement_prob": 1.0,
        "end_round": 1,
    }
    events = play(
        run_dir=tmp_path, num_of_rounds=1, save_attack_snapshots=True, attack_schedule=[attack]
    )
    (saved,) = (event for event in events if isinstance(event, SnapshotSaved))
    page = (tmp_path / saved.path / "diff.html").read_text()
    assert "<del>profit</del>" in page and "<ins>loss</ins>" in page
    assert (tmp_path / saved.path / "replaced_words.png").exists()


def test_snapshots_of_language_modelling_tell_no_label(play: Any, tmp_path: Path) -> None:
    attack = ENTRY | {
        "attack_type": "token_replacement",
        "target_vocabulary": "financial",
        "replacement_prob": 1.0,
        "end_round": 1,
    }
    events = play(
        run_dir=tmp_path,
        num_of_rounds=1,
        save_attack_snapshots=True,
        attack_schedule=[attack],
        **MLM,
    )
    (saved,) = (event for event in events if isinstance(event, SnapshotSaved))
    page = (tmp_path / saved.path / "diff.html").read_text()
    assert "<ins>" in page and "label" not in page
