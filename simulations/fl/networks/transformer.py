"""Encoders of the BERT family (Devlin et al. 2019, arXiv 1810.04805) from a local folder.

With LoRA (Hu et al. 2021, arXiv 2106.09685) the encoder is frozen: what is trained, sent and
aggregated are its adapters and the head.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from peft import LoraConfig, inject_adapter_in_model
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    PreTrainedModel,
)

from simulations.fl import lean_torch
from simulations.fl.errors import DataError
from simulations.fl.text.quiet import quiet_transformers

KINDS: dict[str, Any] = {
    "mlm": AutoModelForMaskedLM,
    "classification": AutoModelForSequenceClassification,
}


@dataclass(frozen=True)
class Lora:
    """Low-rank adapters: scaled by alpha / rank, added to every layer whose name is a target."""

    rank: int
    alpha: int
    dropout: float
    target_modules: tuple[str, ...]


@dataclass(frozen=True)
class TransformerSettings:
    """The encoder `name` in `folder`, cut to its first `num_layers`, for a task.

    Without `lora` all of it is trained. `longest` is the most tokens of a sequence, `vocabulary`
    the size of the tokenizer's.
    """

    name: str
    folder: Path
    task: Literal["mlm", "classification"]
    num_classes: int
    num_layers: int | None
    lora: Lora | None
    pad_id: int
    longest: int
    vocabulary: int


class TextClassifier(nn.Module):
    """Takes token numbers (k, length) and gives scores (k, classes)."""

    def __init__(self, encoder: PreTrainedModel, pad_id: int) -> None:
        super().__init__()
        self.encoder = encoder
        self._pad_id = pad_id

    def forward(self, ids: Tensor) -> Tensor:
        scores: Tensor = self.encoder(input_ids=ids, attention_mask=ids != self._pad_id).logits
        return scores


class MaskedLanguageModel(nn.Module):
    """Takes (token numbers (k, length), places (h,)) and gives scores (h, vocabulary).

    The head is asked for the hidden tokens alone: for all tokens it would cost several times the
    encoder.
    """

    def __init__(self, encoder: PreTrainedModel, pad_id: int) -> None:
        super().__init__()
        self.encoder = encoder
        self._pad_id = pad_id
        self._places: Tensor | None = None
        encoder.base_model.register_forward_hook(self._keep_places)

    def forward(self, inputs: tuple[Tensor, Tensor]) -> Tensor:
        ids, self._places = inputs
        scores: Tensor = self.encoder(input_ids=ids, attention_mask=ids != self._pad_id).logits
        return scores[0]

    def _keep_places(self, module: nn.Module, inputs: Any, output: Any) -> Any:
        states = output.last_hidden_state
        output.last_hidden_state = states.reshape(1, -1, states.shape[-1])[:, self._places]
        return output


def build(settings: TransformerSettings) -> nn.Module:
    """Load the encoder; raise DataError for a folder or settings that do not fit each other."""
    model, added = _load(settings)
    if settings.lora is not None:
        trained = _parameters(model, added | _head(model, settings.task))
        _adapt(model, settings.lora)
        for parameter in trained:
            parameter.requires_grad_(True)
    if settings.task == "mlm":
        return MaskedLanguageModel(model, settings.pad_id)
    return TextClassifier(model, settings.pad_id)


def _load(settings: TransformerSettings) -> tuple[PreTrainedModel, set[str]]:
    """Return the model, and the names of the tensors that the folder did not have."""
    # Transformers first builds a model of tensors without data.
    lean_torch.complete()
    try:
        with quiet_transformers():
            config = AutoConfig.from_pretrained(settings.folder, local_files_only=True)
            _check(config, settings)
            config.num_hidden_layers = settings.num_layers or config.num_hidden_layers
            config.num_labels = max(settings.num_classes, 1)
            model, loading = KINDS[settings.task].from_pretrained(
                settings.folder,
                config=config,
                local_files_only=True,
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise DataError(
            f"llm_model: {settings.name} is no encoder for {settings.task} "
            f"({str(error)[:200]}); use one of the BERT family"
        ) from error
    added = set(loading["missing_keys"]) | {name for name, *_ in loading["mismatched_keys"]}
    _check_complete(model, added, settings.name)
    return model, added


def _check(config: Any, settings: TransformerSettings) -> None:
    layers = settings.num_layers
    if layers is not None and layers > config.num_hidden_layers:
        raise DataError(
            f"llm_num_layers: {settings.name} has {config.num_hidden_layers} layers, not "
            f"{layers}; use at most as many"
        )
    most = getattr(config, "max_position_embeddings", None)
    if most is not None and settings.longest > most:
        name = "llm_chunk_size" if settings.task == "mlm" else "max_seq_length"
        raise DataError(
            f"{name}: {settings.name} takes sequences of {most} tokens, not "
            f"{settings.longest}; use at most as many"
        )
    if settings.vocabulary > config.vocab_size:
        raise DataError(
            f"llm_model: the tokenizer of {settings.name} has {settings.vocabulary} tokens, its "
            f"encoder {config.vocab_size}; they do not belong together"
        )


def _check_complete(model: PreTrainedModel, added: set[str], name: str) -> None:
    """Raise DataError when a part of the encoder itself, but for its pooler, is missing."""
    prefix = f"{model.base_model_prefix}."
    lost = sorted(key for key in added if key.startswith(prefix) and "pooler" not in key)
    if lost:
        raise DataError(
            f"llm_model: the weights of {name} lack {lost[0]} and {len(lost) - 1} others of "
            f"{type(model).__name__}; they are of another network"
        )


def _head(model: PreTrainedModel, task: str) -> set[str]:
    """Return the names of a classification head; one that finds tokens stays as it was trained."""
    if task == "mlm":
        return set()
    prefix = f"{model.base_model_prefix}."
    return {name for name in model.state_dict() if not name.startswith(prefix)}


def _parameters(model: PreTrainedModel, names: set[str]) -> list[nn.Parameter]:
    tensors = model.state_dict(keep_vars=True)
    found = [tensors[name] for name in sorted(names) if name in tensors]
    return [tensor for tensor in found if isinstance(tensor, nn.Parameter)]


def _adapt(model: PreTrainedModel, lora: Lora) -> None:
    """Freeze the model and add adapters to it."""
    layers = {name.split(".")[-1] for name, m in model.named_modules() if isinstance(m, nn.Linear)}
    unknown = [name for name in lora.target_modules if name.split(".")[-1] not in layers]
    if unknown:
        raise DataError(
            f"lora_target_modules: {type(model).__name__} has no linear layer "
            f"{unknown[0]!r}; it has {', '.join(sorted(layers))}"
        )
    adapters = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=list(lora.target_modules),
    )
    inject_adapter_in_model(adapters, model)
