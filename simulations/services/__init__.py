"""Use cases: what one does to simulations. Every door calls these."""

from __future__ import annotations

from simulations.services.control import (
    archive,
    is_resumable,
    rename,
    resume,
    stop,
    stop_many,
    unarchive,
)
from simulations.services.deletion import delete, delete_many
from simulations.services.errors import InvalidLabels, InvalidName, NotAllowed
from simulations.services.importing import Imported, import_folders
from simulations.services.labels import relabel
from simulations.services.rebuilding import rebuild
from simulations.services.submission import Claim, Submission, check, create, repeat

__all__ = [
    "Claim",
    "Imported",
    "InvalidLabels",
    "InvalidName",
    "NotAllowed",
    "Submission",
    "archive",
    "check",
    "create",
    "delete",
    "delete_many",
    "import_folders",
    "is_resumable",
    "rebuild",
    "relabel",
    "rename",
    "repeat",
    "resume",
    "stop",
    "stop_many",
    "unarchive",
]
