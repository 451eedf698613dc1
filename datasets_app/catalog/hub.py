"""Image datasets of the Hugging Face hub: from its cache on this machine, or from the hub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datasets_app.catalog.image_data import DataUnavailable, ImageData
from datasets_app.catalog.spec import DatasetSpec, HubSource

if TYPE_CHECKING:
    from datasets import DatasetDict

PROBE_TIMEOUT_S = 5.0
CONVERTED = "refs/convert/parquet"


def fetch(spec: DatasetSpec, source: HubSource) -> ImageData:
    """Load the dataset by `datasets`, honouring HF_HOME and HF_HUB_OFFLINE.

    The hub is asked once, for `PROBE_TIMEOUT_S`; if it does not answer, only the cache is read.
    Raises DataUnavailable naming the ways to get the data.
    """
    from datasets_app.catalog.decoding import decode

    splits = _from_hub(spec, source) if _is_reachable(spec, source) else _cached(spec, source)
    return decode(spec, source, splits, full_name(source))


def full_name(source: HubSource) -> str:
    return f"{source.name} ({source.config})" if source.config else source.name


def ways(spec: DatasetSpec, source: HubSource) -> str:
    """Tell the three ways to get the data, as the end of an error's sentence."""
    return (
        f"Ways to get it: run `manage.py fetch_dataset {spec.keyword}` with a network; or set "
        f"HF_HOME to a Hugging Face cache that holds {full_name(source)}; or put a local copy "
        "(train*.parquet and test*.parquet, or a save_to_disk folder) into "
        f"INTELLIFL_DATA_DIR/{spec.keyword}/."
    )


def _is_reachable(spec: DatasetSpec, source: HubSource) -> bool:
    import httpx
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        HfApi().dataset_info(source.name, timeout=PROBE_TIMEOUT_S)
    except (OfflineModeIsEnabled, httpx.TransportError):
        return False
    except HfHubHTTPError as error:
        if error.response.status_code >= 500:
            return False
        reason = f"the hub refuses {source.name} (HTTP {error.response.status_code})"
        raise _unavailable(spec, source, reason) from error
    return True


def _from_hub(spec: DatasetSpec, source: HubSource) -> DatasetDict:
    from datasets import load_dataset
    from datasets.exceptions import DatasetsError

    try:
        try:
            return load_dataset(source.name, source.config)
        except RuntimeError as error:
            if "scripts are no longer supported" not in str(error):
                raise
            # The hub itself converted datasets that were published as a script.
            return load_dataset(source.name, revision=CONVERTED, data_dir=source.config)
    except (DatasetsError, OSError, ValueError, RuntimeError) as error:
        reason = f"the hub did not deliver it ({str(error)[:200]})"
        raise _unavailable(spec, source, reason) from error


def _cached(spec: DatasetSpec, source: HubSource) -> DatasetDict:
    from datasets.packaged_modules.cache.cache import Cache

    try:
        # Asking load_dataset for it takes minutes of retries when the network drops packets.
        builder = Cache(
            repo_id=source.name,
            dataset_name=source.name.partition("/")[2],
            config_name=source.config,
            version="auto",
            hash="auto",
        )
        return builder.as_dataset()
    except (OSError, ValueError) as error:
        reason = "the Hugging Face hub cannot be reached and its cache does not hold it"
        raise _unavailable(spec, source, reason) from error


def _unavailable(spec: DatasetSpec, source: HubSource, reason: str) -> DataUnavailable:
    return DataUnavailable(f"{spec.keyword} is not on this machine: {reason}. {ways(spec, source)}")
