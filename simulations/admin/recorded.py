"""What all lists of recorded rows share: read only, and as quick for a million rows as for ten."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from simulations.models import Simulation

COUNTED = 10_000
if TYPE_CHECKING:
    AnyAdmin = admin.ModelAdmin[Any]
    AnyPaginator = Paginator[Any]
else:
    AnyAdmin, AnyPaginator = admin.ModelAdmin, Paginator


class CappedPaginator(AnyPaginator):
    """Counts no further than `COUNTED`: who looks for more rows than that has to filter."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        assert isinstance(rows, QuerySet)
        return rows.order_by()[:COUNTED].count()


class RecordedAdmin(AnyAdmin):
    """Rows that a run recorded: read only, and deleted only with their simulation."""

    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 200
    unneeded: tuple[str, ...] = ()
    """Large columns that no list shows."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer(*self.unneeded)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def related(model: type[Model], text: object, **filters: Any) -> SafeString:
    """Return a link to the list of the rows of `model` that `filters` select."""
    url = reverse(f"admin:simulations_{model._meta.model_name}_changelist")
    return format_html('<a href="{}?{}">{}</a>', url, urlencode(filters), text)


def change_link(row: Model, text: object) -> SafeString:
    """Return a link to what the desk shows of one row."""
    url = reverse(f"admin:simulations_{row._meta.model_name}_change", args=[row.pk])
    return format_html('<a href="{}">{}</a>', url, text)


def page_link(row: Simulation) -> SafeString:
    """Return a link to the page of the run."""
    url = reverse("simulations:detail", args=[row.simulation_id])
    return format_html('<a href="{}">page</a>', url)
