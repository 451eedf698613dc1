"""What is recorded of datasets: how the last fetch or check went. Whether the data is there is
asked of the disk, never of these rows."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class State(models.TextChoices):
    UNTOUCHED = "untouched"
    QUEUED = "queued"
    FETCHING = "fetching"
    READY = "ready"
    FAILED = "failed"


BUSY = (State.QUEUED, State.FETCHING)


class Dataset(models.Model):
    """One dataset of the catalogue."""

    keyword = models.CharField(max_length=64, unique=True, editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.UNTOUCHED)
    place = models.CharField(max_length=64, blank=True, help_text="Where it was read from.")
    size_bytes = models.PositiveBigIntegerField(null=True, blank=True, help_text="On disk.")
    num_train = models.PositiveIntegerField(null=True, blank=True)
    num_test = models.PositiveIntegerField(null=True, blank=True)
    done_bytes = models.PositiveBigIntegerField(default=0, help_text="Of the fetch under way.")
    total_bytes = models.PositiveBigIntegerField(default=0, help_text="0 if nobody knows.")
    heard_at = models.DateTimeField(
        null=True, blank=True, help_text="When the fetch last gave a sign of life."
    )
    verified_at = models.DateTimeField(
        null=True, blank=True, help_text="When all of it was last read and found right."
    )
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["keyword"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="dataset_state")
        ]

    def __str__(self) -> str:
        return self.keyword
