"""The table of the catalogue for the documentation, and the words that describe a dataset."""

from __future__ import annotations

from datasets_app.catalog import CATALOG
from datasets_app.catalog.spec import DatasetSpec, HubSource, PackageSource


def datasets_reference() -> str:
    """Return the table of all datasets as Markdown."""
    rows = [
        "| keyword | samples (training + test) | classes | a sample | from | licence | network |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for spec in CATALOG.values():
        samples = f"{spec.num_train:,} + {spec.num_test:,}" if spec.num_train else "as found"
        classes = str(spec.num_classes or ("as found" if spec.label_column is not None else "–"))
        rows.append(
            f"| `{spec.keyword}` | {samples} | {classes} | {sample_kind(spec)} | {origin(spec)} "
            f"| {spec.licence} | {spec.network} |"
        )
    return "\n".join(rows)


def sample_kind(spec: DatasetSpec) -> str:
    """Return what a sample is, as `28x28 grey`."""
    if spec.modality == "text":
        return "text"
    if not spec.shape:
        return "image"
    channels, height, width = spec.shape
    return f"{width}x{height} {'grey' if channels == 1 else 'RGB'}"


def origin(spec: DatasetSpec) -> str:
    """Return where the data comes from, in a few words."""
    source = spec.source
    if isinstance(source, PackageSource):
        client = "Debian package" if source.package.client == "apt" else "package"
        return f"{client} {source.package.name} {source.package.version}"
    if isinstance(source, HubSource):
        return f"hub: {source.name}" + (f", {source.config}" if source.config else "")
    return f"class folders in INTELLIFL_DATA_DIR/{spec.keyword}/"


def download_bytes(spec: DatasetSpec) -> int | None:
    """Return the size of the download, None where the hub decides."""
    return spec.source.package.download_bytes if isinstance(spec.source, PackageSource) else None
