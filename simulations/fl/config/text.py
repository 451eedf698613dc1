"""What a configuration says about transformers, and what follows from it."""

from __future__ import annotations

from typing import Any

from datasets_app.catalog import CATALOG
from simulations.fl.config.fields import StrategyConfig
from simulations.fl.networks import NETWORKS

TEXT_FIELDS = tuple(
    name
    for name, field in StrategyConfig.model_fields.items()
    if isinstance(field.json_schema_extra, dict) and field.json_schema_extra["group"] == "Text"
)
NETWORK, ENCODER = "transformer", "minilm"
TOKENS_OF_A_TEXT = 128


def network_of(config: StrategyConfig, by_dataset: str) -> str:
    """Return the network that `config` asks for; without a word of it, that of the dataset."""
    if config.model_keyword:
        return config.model_keyword
    return NETWORK if is_transformer(config) else by_dataset


def is_transformer(config: StrategyConfig) -> bool:
    """Tell whether the network is a transformer, by the settings or by the dataset's default."""
    if config.use_llm or config.model_type:
        return config.use_llm or config.model_type == "transformer"
    dataset = CATALOG.get(config.dataset_keyword or "")
    by_default = "" if dataset is None else dataset.network
    network = NETWORKS.get(config.model_keyword or by_default)
    return network is not None and network.model_type == "transformer"


def text_defaults(config: StrategyConfig) -> dict[str, Any]:
    """Return the settings of a transformer that follow from others."""
    if not is_transformer(config):
        return {}
    defaults = {
        "use_llm": True,
        "use_lora": config.llm_finetuning == "lora",
        "llm_model": config.llm_model or ENCODER,
    }
    if config.llm_task == "classification":
        defaults["max_seq_length"] = config.max_seq_length or TOKENS_OF_A_TEXT
    return defaults
