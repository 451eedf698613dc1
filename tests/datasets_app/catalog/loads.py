"""What comes of loading a dataset: images, texts, or a refusal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from datasets_app.catalog.errors import DataUnavailable
from datasets_app.catalog.loading import ImageData, TextData, load
from datasets_app.catalog.spec import DatasetSpec
from intellifl.environment import ROOT


def image_data(spec: DatasetSpec, data_dir: Path) -> ImageData:
    data = load(spec, data_dir)
    assert isinstance(data, ImageData)
    return data


def text_data(spec: DatasetSpec, data_dir: Path) -> TextData:
    data = load(spec, data_dir)
    assert isinstance(data, TextData)
    return data


def refused(spec: DatasetSpec, data_dir: Path) -> str:
    """Return why it cannot be loaded; people's folders are not named."""
    with pytest.raises(DataUnavailable) as caught:
        load(spec, data_dir)
    assert str(data_dir) not in str(caught.value)
    return str(caught.value)


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `code` in a process of its own, with exactly these variables beside PATH."""
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
