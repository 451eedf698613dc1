"""The settings of one strategy's run: the only definition of every field, its limits and default.

The API's schema, the validation, the form, the defaults and docs/configuration.md come from here.
`None` means "follows from other settings"; `resolve.py` says how and fills it in.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny

from simulations.fl.config.schedule import AttackEntry

Group = Literal[
    "Simulation",
    "Strategy",
    "Data",
    "Training",
    "Participation",
    "Removal",
    "Attacks",
    "Output",
    "Text",
    "Execution",
]
Tag = Annotated[str, Field(min_length=1, max_length=50)]
MAX_SEED = 2**63 - 1


def setting(
    group: Group,
    help_text: str,
    default: Any = None,
    *,
    needs: tuple[str] | tuple[str, Any] | None = None,
    follows: str | None = None,
    **limits: Any,
) -> Any:
    """Declare a field: the group it is shown in, its help text, default and limits.

    It changes nothing unless the setting that it `needs` is given, or has the value beside it.
    Absent, it `follows` from another one.
    """
    extra: dict[str, Any] = {"group": group}
    if needs is not None:
        extra["needs"] = list(needs)
    if follows is not None:
        extra["follows"] = follows
    return Field(default, description=help_text, json_schema_extra=extra, **limits)


def declared(name: str) -> dict[str, Any]:
    """Return what `setting` was told of a field beside its help text and limits."""
    extra = StrategyConfig.model_fields[name].json_schema_extra
    assert isinstance(extra, dict), "every field is declared by setting()"
    return extra


class StrategyConfig(BaseModel):
    """Everything that one strategy's run depends on."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    display_name: str | None = setting("Simulation", "Name shown in lists.", max_length=100)
    tags: list[Tag] = setting("Simulation", "Labels to find the run by.", [], max_length=50)
    notes: str = setting("Simulation", "Free text kept with the run.", "", max_length=10_000)
    seed: int | None = setting(
        "Simulation",
        "The whole run follows from it; drawn and recorded when absent.",
        ge=0,
        le=MAX_SEED,
    )

    aggregation_strategy_keyword: str = setting("Strategy", "The aggregation rule.", ...)
    strategy_name: str | None = setting(
        "Strategy", "Label in legends, tables and pages.", max_length=100
    )
    num_of_malicious_clients: int | None = setting(
        "Strategy",
        "The f that robust rules are told; the number of distinct attackers when absent.",
        ge=0,
    )
    num_krum_selections: int | None = setting(
        "Strategy",
        "Updates averaged by multi-krum; n - f when absent.",
        ge=1,
        follows="num_of_malicious_clients",
    )
    trim_ratio: float | None = setting(
        "Strategy",
        "Share trimmed at each end of a coordinate; f / n when absent, 0.1 when f is 0.",
        ge=0,
        lt=0.5,
        follows="num_of_malicious_clients",
    )
    trust_threshold: float = setting("Strategy", "Trust below it is removed.", 0.15, ge=0, le=1)
    beta_value: float = setting("Strategy", "Smoothing of reputation and trust.", 0.75, ge=0, le=1)
    num_of_clusters: Literal[1] = setting("Strategy", "Clusters used to find the centroid.", 1)
    Kp: float = setting("Strategy", "Proportional gain of the PID score.", 1.0, ge=0)
    Ki: float = setting("Strategy", "Integral gain of the PID score.", 0.05, ge=0)
    Kd: float = setting("Strategy", "Derivative gain of the PID score.", 0.05, ge=0)
    num_std_dev: float = setting(
        "Strategy", "Standard deviations above the mean at which the PID rules remove.", 2.0, ge=0
    )
    waive_preconditions: bool = setting(
        "Strategy", "Let a rule run outside its proven bound on n and f.", False
    )

    dataset_keyword: str | None = setting("Data", "A dataset of the catalogue.")
    hf_dataset_name: str | None = setting("Data", "A hub dataset or a local path instead.")
    dataset_source: str | None = setting(
        "Data", "Config (subset) of the hub dataset.", needs=("hf_dataset_name",)
    )
    text_column: str | None = setting(
        "Data", "Text column; detected when absent.", needs=("hf_dataset_name",)
    )
    label_column: str | None = setting(
        "Data", "Label column; detected when absent.", needs=("hf_dataset_name",)
    )
    image_column: str | None = setting(
        "Data", "Image column; detected when absent.", needs=("hf_dataset_name",)
    )
    partitioning_strategy: str | None = setting(
        "Data", "How samples are divided among clients; the dataset's default when absent."
    )
    partitioning_params: dict[str, Any] | None = setting(
        "Data",
        "Parameters of the partition, by flwr-datasets' names.",
        needs=("partitioning_strategy",),
    )
    training_subset_fraction: float = setting(
        "Data", "Share of a client's data it trains on; the rest validates.", 0.9, gt=0, le=1
    )

    model_type: Literal["cnn", "transformer"] | None = setting(
        "Training", "Kind of model; by dataset when absent."
    )
    model_keyword: str | None = setting("Training", "A registered network; by dataset when absent.")
    num_of_rounds: int = setting("Training", "Rounds.", ..., ge=1, le=10_000)
    num_of_client_epochs: int = setting("Training", "Local epochs a round.", 1, ge=1, le=10_000)
    batch_size: int = setting("Training", "Samples a training step.", 32, ge=1, le=1_000_000)
    learning_rate: float = setting("Training", "Learning rate of the clients.", 0.001, gt=0)
    optimizer: Literal["adam", "sgd", "adamw"] = setting("Training", "Client optimiser.", "adam")
    momentum: float = setting(
        "Training", "Momentum of sgd.", 0.0, ge=0, lt=1, needs=("optimizer", "sgd")
    )
    weight_decay: float = setting("Training", "Weight decay of the clients.", 0.0, ge=0)

    num_of_clients: int = setting("Participation", "Clients.", 10, ge=1, le=10_000)
    fraction_fit: float = setting(
        "Participation", "Share of clients that train each round.", 1.0, gt=0, le=1
    )
    fraction_evaluate: float = setting(
        "Participation", "Share of clients that evaluate each round.", 1.0, gt=0, le=1
    )
    min_fit_clients: int | None = setting(
        "Participation",
        "At least so many clients train; what fraction_fit gives when absent.",
        ge=1,
    )
    min_evaluate_clients: int | None = setting(
        "Participation",
        "At least so many clients evaluate; what fraction_evaluate gives when absent.",
        ge=1,
    )
    min_available_clients: int | None = setting(
        "Participation", "Clients that must exist for a round; all when absent.", ge=1
    )
    evaluate_metrics_aggregation_fn: Literal["weighted_average"] = setting(
        "Participation", "How client metrics are averaged.", "weighted_average"
    )
    strict_mode: bool | None = setting(
        "Participation",
        "Every client takes part in every round; true when absent, unless clients are removed "
        "or sampled.",
    )

    remove_clients: bool = setting("Removal", "Remove clients that the strategy suspects.", False)
    begin_removing_from_round: int = setting(
        "Removal", "First round that may remove.", 2, ge=1, needs=("remove_clients", True)
    )
    termination_policy: Literal["strict", "graceful", "adaptive"] = setting(
        "Removal", "When removal ends the strategy.", "graceful", needs=("remove_clients", True)
    )
    min_clients_ratio: float = setting(
        "Removal",
        "Share of clients below which adaptive ends.",
        0.3,
        ge=0,
        le=1,
        needs=("termination_policy", "adaptive"),
    )

    attack_schedule: list[SerializeAsAny[AttackEntry]] = setting(
        "Attacks", "Who attacks, how and when.", []
    )

    save_csv: bool = setting("Output", "Write the metrics as CSV files.", True)
    save_plots: bool = setting("Output", "Write figures.", True)
    show_plots: bool = setting("Output", "Ignored: a server has no screen.", False)
    preserve_dataset: bool = setting("Output", "Keep each client's data in the folder.", False)
    save_attack_snapshots: bool = setting(
        "Output", "Keep examples of what attacks did.", False, needs=("attack_schedule",)
    )
    attack_snapshot_format: Literal["pickle", "visual", "pickle_and_visual"] = setting(
        "Output",
        "Form of attack snapshots.",
        "pickle_and_visual",
        needs=("save_attack_snapshots", True),
    )
    snapshot_max_samples: int = setting(
        "Output", "Samples in a snapshot.", 5, ge=1, le=50, needs=("save_attack_snapshots", True)
    )

    use_llm: bool = setting("Text", "Another way to say model_type transformer.", False)
    llm_model: str | None = setting(
        "Text",
        "Encoder: minilm, a local folder or a hub name; minilm when absent.",
        min_length=1,
        max_length=300,
    )
    llm_num_layers: int | None = setting(
        "Text", "First layers of the encoder that are used; all when absent.", ge=1
    )
    llm_task: Literal["mlm", "classification"] = setting("Text", "What it learns.", "mlm")
    llm_chunk_size: int = setting(
        "Text", "Tokens in a masked-language chunk.", 256, ge=8, needs=("llm_task", "mlm")
    )
    max_seq_length: int | None = setting(
        "Text",
        "Tokens kept of a text; 128 for classification and all for mlm when absent.",
        ge=8,
    )
    mlm_probability: float = setting(
        "Text", "Share of tokens masked.", 0.15, gt=0, lt=1, needs=("llm_task", "mlm")
    )
    llm_finetuning: Literal["full", "lora"] = setting(
        "Text", "Train everything, or low-rank adapters and the head.", "lora"
    )
    use_lora: bool = setting(
        "Text", "True insists on llm_finetuning lora; false decides nothing.", False
    )
    lora_rank: int = setting(
        "Text", "Rank of the adapters.", 8, ge=1, needs=("llm_finetuning", "lora")
    )
    lora_alpha: int = setting(
        "Text", "Scale of the adapters.", 16, ge=1, needs=("llm_finetuning", "lora")
    )
    lora_dropout: float = setting(
        "Text", "Dropout of the adapters.", 0.1, ge=0, lt=1, needs=("llm_finetuning", "lora")
    )
    lora_target_modules: list[str] = setting(
        "Text",
        "Modules that get adapters.",
        ["query", "value"],
        min_length=1,
        needs=("llm_finetuning", "lora"),
    )

    engine: Literal["local", "ray"] = setting(
        "Execution", "Where clients train: processes of this machine, or Flower on Ray.", "local"
    )
    training_device: Literal["cpu", "gpu", "cuda", "auto"] = setting(
        "Execution", "Device; gpu without one is an error.", "auto"
    )
    cpus_per_client: int = setting(
        "Execution", "Cores one client uses at a time.", 1, ge=1, le=1_024
    )
    gpus_per_client: float = setting(
        "Execution",
        "Share of a GPU one client uses; those that fit train together, 0 is one alone.",
        0.0,
        ge=0,
        le=1,
    )
    checkpoint_every: int = setting(
        "Execution", "Rounds between checkpoints; 0 means never.", 1, ge=0, le=10_000
    )


SIMULATION_FIELDS = frozenset({"display_name", "tags", "notes", "seed"})
