"""Datasets of the Hugging Face hub: from its cache on this machine, or from the hub."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from datasets_app.catalog.errors import DataUnavailable
from datasets_app.catalog.spec import DatasetSpec, HubSource
from datasets_app.catalog.text_data import Data

if TYPE_CHECKING:
    from datasets import Dataset, DatasetBuilder

PROBE_TIMEOUT_S = 5.0
CONVERTED = "refs/convert/parquet"
UNREACHABLE = "the Hugging Face hub cannot be reached and its cache does not hold it"
CONFIGS = re.compile(r"(?:available configs|Available): (\[.*?\])", re.DOTALL)


class Refused(Exception):
    """The hub does not give the dataset; the message is a part of a sentence that says why."""


def fetch(spec: DatasetSpec, source: HubSource) -> Data:
    """Load the dataset by `datasets`, honouring HF_HOME and HF_HUB_OFFLINE.

    The hub is asked once, for `PROBE_TIMEOUT_S`; if it does not answer, only the cache is read.
    Raises DataUnavailable naming the ways to get the data.
    """
    from datasets_app.catalog.decoding import decode

    try:
        splits = _from_hub(source) if is_reachable(source) else _cached(source)
    except Refused as error:
        raise DataUnavailable(
            f"{spec.keyword} is not on this machine: {error}. {ways(spec, source)}"
        ) from error
    return decode(spec, splits, full_name(source))


def full_name(source: HubSource) -> str:
    return f"{source.name} ({source.config})" if source.config else source.name


def ways(spec: DatasetSpec, source: HubSource) -> str:
    """Tell the three ways to get the data, as the end of an error's sentence."""
    command = f"run `manage.py fetch_dataset {spec.keyword}`"
    first = "run this" if spec.is_detected else command
    return (
        f"Ways to get it: {first} with a network; or set HF_HOME to a Hugging Face cache that "
        f"holds {full_name(source)}; or put a local copy (train*.parquet and test*.parquet, or a "
        f"save_to_disk folder) into INTELLIFL_DATA_DIR/{spec.keyword}/."
    )


def is_reachable(source: HubSource) -> bool:
    """Tell whether the hub answers; raise Refused if it does, but does not give the dataset."""
    import httpx
    from huggingface_hub import HfApi
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, OfflineModeIsEnabled

    try:
        HfApi().dataset_info(source.name, timeout=PROBE_TIMEOUT_S)
    except (OfflineModeIsEnabled, httpx.TransportError):
        return False
    except GatedRepoError as error:
        raise Refused(_gated(source.name)) from error
    except HfHubHTTPError as error:
        status = error.response.status_code
        if status >= 500:
            return False
        raise Refused(_refusal(source.name, status)) from error
    return True


def refused(source: HubSource, error: Exception) -> Refused:
    """Return why the hub or `datasets` did not deliver."""
    text = str(error)
    if "is a gated dataset" in text:
        return Refused(_gated(source.name))
    if "doesn't exist on the Hub" in text:
        return Refused(_refusal(source.name, 401))
    configs = CONFIGS.search(text)
    if configs is not None:
        return Refused(
            f"{source.name} has several configurations; name one of {configs[1]} in dataset_source"
        )
    return Refused(f"the hub did not deliver it ({' '.join(text.split())[:200]})")


def cache_builder(source: HubSource) -> DatasetBuilder:
    """Return what reads the cache; raise ValueError if the cache does not hold the dataset."""
    from datasets.packaged_modules.cache.cache import Cache

    # Asking load_dataset for it takes minutes of retries when the network drops packets.
    return Cache(
        repo_id=source.name,
        dataset_name=source.name.rpartition("/")[2],
        config_name=source.config,
        version="auto",
        hash="auto",
    )


def _from_hub(source: HubSource) -> Mapping[str, Dataset]:
    from datasets import DatasetDict, load_dataset
    from datasets.exceptions import DatasetsError
    from httpx import HTTPError

    try:
        try:
            loaded = load_dataset(source.name, source.config)
        except RuntimeError as error:
            if "scripts are no longer supported" not in str(error):
                raise
            # The hub itself converted datasets that were published as a script.
            loaded = load_dataset(source.name, revision=CONVERTED, data_dir=source.config)
    except (DatasetsError, HTTPError, OSError, ValueError, RuntimeError) as error:
        raise refused(source, error) from error
    return loaded if isinstance(loaded, DatasetDict) else {"train": loaded}


def _cached(source: HubSource) -> Mapping[str, Dataset]:
    try:
        splits: Mapping[str, Dataset] = cache_builder(source).as_dataset()
    except (OSError, ValueError) as error:
        raise Refused(UNREACHABLE) from error
    return splits


def _refusal(name: str, status: int) -> str:
    if status == 404:
        return f"the hub has no dataset {name}"
    if status == 401:
        return (
            f"{name} does not exist on the hub or is private; to read a private one, set HF_TOKEN "
            "to a token that may"
        )
    return f"the hub refuses {name} (HTTP {status})"


def _gated(name: str) -> str:
    return (
        f"{name} is gated: accept its terms on the hub and set HF_TOKEN to a token of that account"
    )
