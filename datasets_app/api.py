"""Tell whether a dataset exists and whether a run can use it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from threading import BoundedSemaphore
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from ninja import Router, Schema

from datasets_app.catalog import CATALOG
from datasets_app.catalog.named import refusal
from datasets_app.catalog.reference import sample_kind
from datasets_app.catalog.spec import DatasetSpec, HubSource

router = Router(tags=["Datasets"])
LIMIT_S = 30.0
INSPECTION = "datasets_app.catalog.inspection"
_inspections = BoundedSemaphore(2)


class Info(Schema):
    """What the dataset holds; `key_features` are the columns that a run would take."""

    splits: list[str]
    num_examples: int | None
    features: str
    has_label: bool
    key_features: list[str]


class Verdict(Schema):
    """Whether the dataset exists (`valid`, else `error`) and can be used (else `reason`)."""

    valid: bool
    compatible: bool | None = None
    reason: str | None = None
    error: str | None = None
    info: Info | None = None


@router.get("/datasets/validate", response=Verdict, exclude_none=True)
def validate(request: HttpRequest, name: str) -> dict[str, Any]:
    """Look at a dataset of the catalogue, of the hub or of the data folder; always 200."""
    spec = CATALOG.get(name)
    if spec is not None:
        return {"valid": True, "compatible": True, "info": _info(spec)}
    problem = refusal(name)
    if problem:
        return {"valid": False, "error": f"The name {problem}."}
    return _inspect(name)


def _info(spec: DatasetSpec) -> dict[str, Any]:
    """Describe a dataset of the catalogue by the catalogue alone."""
    own = [spec.image_column] if spec.modality == "image" else list(spec.text_columns)
    columns = [column for column in (*own, spec.label_column) if column]
    splits = [spec.source.train_split] if isinstance(spec.source, HubSource) else ["train", "test"]
    if isinstance(spec.source, HubSource) and spec.source.test_split is not None:
        splits.append(spec.source.test_split)
    classes = f"{spec.num_classes} classes" if spec.num_classes else "classes as found"
    return {
        "splits": splits,
        "num_examples": spec.num_train + spec.num_test or None,
        "features": f"{sample_kind(spec)}, {classes}",
        "has_label": spec.label_column is not None,
        "key_features": columns,
    }


def _inspect(name: str) -> dict[str, Any]:
    """Ask a process of its own: this one must not load `datasets`, and the hub may be slow."""
    if not _inspections.acquire(timeout=LIMIT_S):
        return {"valid": False, "error": "Other datasets are being looked at; ask again."}
    try:
        done = subprocess.run(
            [sys.executable, "-m", INSPECTION, name, str(settings.DATA_DIR)],
            cwd=settings.BASE_DIR,
            # Without torch, whose loading alone would take seconds.
            env={**os.environ, "USE_TORCH": "0", "HF_HUB_DISABLE_TELEMETRY": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=True,
        )
    except subprocess.TimeoutExpired:
        text = f"Looking at {name} took more than {LIMIT_S:g} s; the hub may be slow, ask again."
        return {"valid": False, "error": text}
    finally:
        _inspections.release()
    verdict: dict[str, Any] = json.loads(done.stdout)
    return verdict
