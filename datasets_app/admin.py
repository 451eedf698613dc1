"""The operators' desk for datasets: look, fetch, check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django_celery_results.models import GroupResult, TaskResult

from datasets_app import selectors, services
from datasets_app.catalog import CATALOG
from datasets_app.models import Dataset

if TYPE_CHECKING:
    AnyAdmin = admin.ModelAdmin[Dataset]
    ResultAdmin = admin.ModelAdmin[Any]
else:
    AnyAdmin = ResultAdmin = admin.ModelAdmin

# Their own desks let results be added, and know groups, which nothing here makes.
admin.site.unregister([TaskResult, GroupResult])


@admin.register(Dataset)
class DatasetAdmin(AnyAdmin):
    """Datasets of the catalogue; their rows come from it and from fetches."""

    list_display = [
        "keyword",
        "title",
        "state",
        "place",
        "size",
        "num_train",
        "num_test",
        "verified_at",
        "licence",
        "error",
    ]
    list_filter = ["state", "place", "verified_at"]
    search_fields = ["keyword", "error"]
    readonly_fields = [field.name for field in Dataset._meta.concrete_fields if field.name != "id"]
    actions = ["fetch", "verify"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Dataset | None = None) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # The catalogue may have grown since the last migration.
        services.sync()
        return super().changelist_view(request, extra_context)

    @admin.display(description="title")
    def title(self, row: Dataset) -> str:
        return CATALOG[row.keyword].title

    @admin.display(description="licence")
    def licence(self, row: Dataset) -> str:
        return CATALOG[row.keyword].licence

    @admin.display(description="size", ordering="size_bytes")
    def size(self, row: Dataset) -> str:
        return "–" if row.size_bytes is None else filesizeformat(row.size_bytes)

    @admin.action(description="Fetch selected datasets", permissions=["change"])
    def fetch(self, request: HttpRequest, rows: QuerySet[Dataset]) -> None:
        self._request(request, rows, "it is here already; check it with the other action")

    @admin.action(description="Check selected datasets that are here", permissions=["change"])
    def verify(self, request: HttpRequest, rows: QuerySet[Dataset]) -> None:
        self._request(request, rows, "it is not here; fetch it first", is_check=True)

    def _request(
        self, request: HttpRequest, rows: QuerySet[Dataset], refusal: str, is_check: bool = False
    ) -> None:
        here = {listed.spec.keyword for listed in selectors.listing() if listed.place}
        for row in rows:
            if (row.keyword in here) != is_check:
                self.message_user(
                    request, f"Not asked for {row.keyword}: {refusal}.", messages.WARNING
                )
            elif services.request(row.keyword):
                self.message_user(request, f"Asked for {row.keyword}.", messages.SUCCESS)
            else:
                self.message_user(
                    request, f"Not asked for {row.keyword}: it is under way.", messages.WARNING
                )


@admin.register(TaskResult)
class TaskResultAdmin(ResultAdmin):
    """What became of the short tasks that a housekeeping worker did."""

    list_display = ["task_id", "task_name", "task_args", "status", "worker", "date_done"]
    list_filter = ["status", "task_name", "date_done"]
    search_fields = ["task_id", "task_name", "task_args"]
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("result", "traceback", "meta")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
