"""How the API's documentation shows a configuration; the model itself checks it."""

from __future__ import annotations

from typing import Any

from simulations.fl.config import StrategyConfig

REF = "#/components/schemas/{model}"
FLAT = {
    "aggregation_strategy_keyword": "fedavg",
    "num_of_rounds": 5,
    "dataset_keyword": "digits",
}
STRUCTURED = {
    "shared_settings": {"num_of_rounds": 5, "dataset_keyword": "digits"},
    "simulation_strategies": [{"aggregation_strategy_keyword": "fedavg"}],
}
STRUCTURED_SCHEMA = {
    "type": "object",
    "required": ["simulation_strategies"],
    "additionalProperties": False,
    "properties": {
        "shared_settings": {"type": "object", "description": "What all strategies share."},
        "simulation_strategies": {
            "type": "array",
            "minItems": 1,
            "maxItems": 100,
            "items": {"type": "object"},
            "description": "One entry a strategy; it overrides the shared settings.",
        },
    },
}
CONFIG_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "anyOf": [
                        {"$ref": REF.format(model="StrategyConfig")},
                        {"$ref": REF.format(model="StructuredConfig")},
                    ]
                },
                "examples": {
                    "flat": {"summary": "One strategy", "value": FLAT},
                    "structured": {"summary": "Several strategies", "value": STRUCTURED},
                },
            }
        },
    }
}


def config_schemas() -> dict[str, Any]:
    """Return the schemas that CONFIG_BODY refers to, by name."""
    flat = StrategyConfig.model_json_schema(ref_template=REF)
    return {
        **flat.pop("$defs", {}),
        "StrategyConfig": flat,
        "StructuredConfig": STRUCTURED_SCHEMA,
    }
