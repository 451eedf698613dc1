"""The operators' desk for tokens of terminals that were not used yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.http import HttpRequest

from terminal.models import OneTimeToken

if TYPE_CHECKING:
    TokenAdmin = admin.ModelAdmin[OneTimeToken]
else:
    TokenAdmin = admin.ModelAdmin


@admin.register(OneTimeToken)
class OneTimeTokenAdmin(TokenAdmin):
    """Tokens for one terminal each; deleting one makes it worthless."""

    list_display = ["user", "expires_at"]
    list_select_related = ["user"]
    list_filter = ["expires_at"]
    fields = ["user", "expires_at"]
    search_fields = ["user__username"]
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: OneTimeToken | None = None) -> bool:
        return False
