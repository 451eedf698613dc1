"""The Celery tasks about datasets."""

from __future__ import annotations

from typing import Any

from datasets_app import fetching
from datasets_app.dispatch import FETCH
from intellifl.housekeeping import app


def fetch(keyword: str) -> dict[str, Any]:
    """Fetch or check a dataset; return what was found."""
    data = fetching.fetch(keyword)
    return {
        "keyword": keyword,
        "num_train": len(data.train_labels),
        "num_test": len(data.test_labels),
    }


app.task(fetch, name=FETCH)
