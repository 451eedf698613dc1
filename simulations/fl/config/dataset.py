"""The dataset that a configuration names, as far as it is known before its data is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from datasets_app.catalog import CATALOG
from datasets_app.catalog.named import named, refusal
from datasets_app.catalog.spec import DatasetSpec, HubSource
from simulations.fl.config.fields import StrategyConfig
from simulations.fl.config.text import is_transformer

FIELDS = (
    "dataset_keyword",
    "hf_dataset_name",
    "dataset_source",
    "image_column",
    "text_column",
    "label_column",
    "model_type",
    "model_keyword",
    "use_llm",
)
FOUND_AT_THE_RUN = (
    "the columns, classes and image size of a dataset outside the catalogue are found when the run "
    "loads it, and what depends on them is checked then"
)


def described(config: StrategyConfig) -> DatasetSpec:
    """Return the spec of the catalogue, or one whose shape and classes are yet to be found."""
    if config.dataset_keyword is not None:
        return CATALOG[config.dataset_keyword]
    is_text = is_transformer(config)
    return named(
        config.hf_dataset_name or "",
        modality="text" if is_text else "image",
        config=config.dataset_source,
        image_column=config.image_column,
        text_column=config.text_column,
        label_column=config.label_column,
        needs_label=not (is_text and config.llm_task == "mlm"),
    )


def columns(spec: DatasetSpec) -> dict[str, Any]:
    """Return what the catalogue says about a dataset, by the names of the configuration's fields.

    Of a dataset outside the catalogue nothing is said: null stands for what the run finds.
    """
    if spec.is_detected:
        return {}
    is_image = spec.modality == "image"
    return {
        "dataset_source": spec.source.config if isinstance(spec.source, HubSource) else None,
        "image_column": spec.image_column if is_image else None,
        "text_column": None if is_image else ", ".join(spec.text_columns),
        "label_column": spec.label_column,
    }


def name_is_well_formed(config: StrategyConfig) -> Iterator[tuple[str, str]]:
    if config.hf_dataset_name is None or config.dataset_keyword:
        return
    problem = refusal(config.hf_dataset_name)
    if problem:
        yield "hf_dataset_name", problem
    elif config.hf_dataset_name in CATALOG:
        yield (
            "hf_dataset_name",
            f"{config.hf_dataset_name} is a dataset of the catalogue; name it in dataset_keyword",
        )


def columns_are_free(config: StrategyConfig) -> Iterator[tuple[str, str]]:
    """Refuse columns that would change nothing."""
    spec = CATALOG.get(config.dataset_keyword or "")
    if spec is None:
        unused = "image_column" if is_transformer(config) else "text_column"
        if getattr(config, unused) is not None:
            model = "a transformer" if is_transformer(config) else "a network of images"
            yield unused, f"is not read by {model}; leave it out or choose another model_type"
        return
    for field, own in columns(spec).items():
        given = getattr(config, field)
        if given is not None and given != own:
            what = "uses none" if own is None else f"uses {own!r}"
            yield (
                field,
                f"belongs to hf_dataset_name; {spec.keyword} {what}, so leave it out",
            )


def shape_is_found_later(config: StrategyConfig) -> Iterator[tuple[str, str]]:
    if config.hf_dataset_name and not config.dataset_keyword:
        yield "hf_dataset_name", FOUND_AT_THE_RUN
