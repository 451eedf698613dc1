from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional
from transformers import AutoModelForMaskedLM, AutoModelForSequenceClassification

from simulations.fl.errors import DataError
from simulations.fl.networks.transformer import Lora, TransformerSettings, build
from simulations.fl.parameters import FlatModel
from simulations.fl.text.quiet import quiet_transformers
from tests import tiny_encoder

HIDDEN, INNER, LAYERS, CLASSES = 32, 64, 2, 8
RANK = 4
LORA = Lora(rank=RANK, alpha=8, dropout=0.0, target_modules=("query", "value"))


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder.write_encoder(tmp_path_factory.mktemp("encoder") / "tiny")


@pytest.fixture(scope="module")
def made_of(encoder: Path) -> Callable[..., TransformerSettings]:
    def make(**changes: Any) -> TransformerSettings:
        given: dict[str, Any] = {
            "name": "tiny",
            "folder": encoder,
            "task": "classification",
            "num_classes": CLASSES,
            "num_layers": None,
            "lora": LORA,
            "pad_id": 0,
            "longest": 32,
            "vocabulary": tiny_encoder.VOCABULARY,
        }
        return TransformerSettings(**{**given, **changes})

    return make


@pytest.fixture
def ids() -> torch.Tensor:
    rng = np.random.default_rng(0)
    rows = torch.from_numpy(rng.integers(5, tiny_encoder.VOCABULARY, (3, 12)))
    rows[0, 7:] = 0
    return rows


def test_with_lora_only_adapters_and_head_are_the_model(made_of: Any) -> None:
    module = build(made_of())
    flat = FlatModel(module)
    adapters = LAYERS * 2 * RANK * (HIDDEN + HIDDEN)
    assert flat.vector.numel() == adapters + HIDDEN * CLASSES + CLASSES
    names = [name for name, _, _ in flat.layout.tensors]
    assert all("lora_" in name or "classifier" in name for name in names)


def test_a_missing_head_that_finds_tokens_is_trained_too_but_not_the_embeddings(
    made_of: Any,
) -> None:
    flat = FlatModel(build(made_of(task="mlm")))
    adapters = LAYERS * 2 * RANK * (HIDDEN + HIDDEN)
    head = HIDDEN * HIDDEN + HIDDEN + 2 * HIDDEN + tiny_encoder.VOCABULARY
    assert flat.vector.numel() == adapters + head


def test_a_head_that_the_checkpoint_has_is_frozen_with_lora(made_of: Any, tmp_path: Path) -> None:
    with quiet_transformers():
        whole = AutoModelForMaskedLM.from_pretrained(made_of().folder)
        whole.save_pretrained(tmp_path)
    flat = FlatModel(build(made_of(task="mlm", folder=tmp_path)))
    assert flat.vector.numel() == LAYERS * 2 * RANK * (HIDDEN + HIDDEN)


@pytest.mark.parametrize("task", ["mlm", "classification"])
def test_without_lora_every_weight_is_in_the_model_once(made_of: Any, task: str) -> None:
    module = build(made_of(task=task, lora=None))
    assert FlatModel(module).vector.numel() == sum(p.numel() for p in module.parameters())


def test_training_moves_the_vector_and_nothing_frozen(made_of: Any, ids: torch.Tensor) -> None:
    module = build(made_of())
    flat = FlatModel(module)
    before = flat.vector.clone()
    frozen = {n: p.detach().clone() for n, p in module.named_parameters() if not p.requires_grad}
    optimizer = torch.optim.Adam([p for p in module.parameters() if p.requires_grad], lr=0.01)
    for _ in range(2):  # the gradient of A is zero as long as B is
        optimizer.zero_grad()
        functional.cross_entropy(module(ids), torch.tensor([0, 3, 7])).backward()
        optimizer.step()
    for name, offset, size in flat.layout.tensors:
        moved = flat.vector[offset : offset + size] - before[offset : offset + size]
        assert moved.abs().max() > 0, name
    assert len(frozen) > 30
    after = dict(module.named_parameters())
    assert all(torch.equal(after[name], value) for name, value in frozen.items())


def test_scores_are_those_of_the_encoder_with_the_same_head(
    made_of: Any, ids: torch.Tensor
) -> None:
    module = build(made_of()).eval()
    with quiet_transformers():
        plain = AutoModelForSequenceClassification.from_pretrained(
            made_of().folder, num_labels=CLASSES
        ).eval()
    head = module.get_submodule("encoder.classifier").state_dict()
    plain.classifier.load_state_dict(head)
    expected = plain(input_ids=ids, attention_mask=(ids != 0).long()).logits
    assert torch.allclose(module(ids), expected, atol=1e-6)


def test_padding_changes_no_score(made_of: Any, ids: torch.Tensor) -> None:
    module = build(made_of()).eval()
    padded = functional.pad(ids, (0, 9))
    assert torch.allclose(module(padded), module(ids), atol=1e-6)


def test_scores_of_hidden_tokens_are_those_of_all_tokens_at_their_places(
    made_of: Any, ids: torch.Tensor
) -> None:
    module = build(made_of(task="mlm", lora=None)).eval()
    with quiet_transformers():
        plain = AutoModelForMaskedLM.from_pretrained(made_of().folder).eval()
    plain.load_state_dict(module.get_submodule("encoder").state_dict())
    every = plain(input_ids=ids, attention_mask=(ids != 0).long()).logits
    places = torch.tensor([1, 13, 30, 35])
    expected = every.reshape(-1, every.shape[-1])[places]
    assert torch.allclose(module((ids, places)), expected, atol=1e-6)


def test_the_first_layers_can_be_all(made_of: Any) -> None:
    whole, cut = build(made_of(lora=None)), build(made_of(lora=None, num_layers=1))
    layer = 4 * (HIDDEN * HIDDEN + HIDDEN) + 2 * HIDDEN * INNER + INNER + HIDDEN + 4 * HIDDEN
    count = [FlatModel(module).vector.numel() for module in (whole, cut)]
    assert count[0] - count[1] == layer
    kept = {name: value for name, value in cut.state_dict().items() if "classifier" not in name}
    assert all(torch.equal(whole.state_dict()[name], value) for name, value in kept.items())


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"num_layers": 3}, "llm_num_layers: tiny has 2 layers, not 3; use at most as many"),
        ({"longest": 65}, "max_seq_length: tiny takes sequences of 64 tokens, not 65"),
        ({"longest": 65, "task": "mlm"}, "llm_chunk_size: tiny takes sequences of 64 tokens"),
        ({"vocabulary": 151}, "the tokenizer of tiny has 151 tokens, its encoder 150"),
        (
            {"lora": Lora(4, 8, 0.0, ("query", "q_lin"))},
            "no linear layer 'q_lin'; it has classifier, dense, key, query, value",
        ),
    ],
)
def test_what_does_not_fit_the_encoder_is_refused(
    made_of: Any, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(DataError) as caught:
        build(made_of(**changes))
    assert sentence in str(caught.value)


def test_weights_of_another_network_are_refused(made_of: Any, tmp_path: Path) -> None:
    folder = made_of().folder
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    weights = load_file(folder / "model.safetensors")
    kept = {name: value for name, value in weights.items() if "layer.1." not in name}
    save_file(kept, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(DataError, match=r"lack bert\.encoder\.layer\.1"):
        build(made_of(folder=tmp_path))


def test_a_folder_without_weights_is_refused(made_of: Any, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes((made_of().folder / "config.json").read_bytes())
    with pytest.raises(DataError, match="tiny is no encoder for classification"):
        build(made_of(folder=tmp_path))


def test_loading_prints_nothing(made_of: Any, capfd: pytest.CaptureFixture[str]) -> None:
    build(made_of())
    build(made_of(task="mlm"))
    assert capfd.readouterr() == ("", "")
