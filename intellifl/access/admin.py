"""The operators' desk for tokens: see whose they are and when they were used, revoke them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from intellifl.access import tokens
from intellifl.access.models import AccessToken

if TYPE_CHECKING:
    TokenAdmin = admin.ModelAdmin[AccessToken]
else:
    TokenAdmin = admin.ModelAdmin


@admin.register(AccessToken)
class AccessTokenAdmin(TokenAdmin):
    """Tokens; `manage.py create_token` makes them, since only it can show one."""

    SHOWN = ("name", "prefix", "user", "created_at", "last_used_at", "expires_at", "revoked_at")
    list_display = SHOWN
    list_filter = ["created_at", "last_used_at", "expires_at", "revoked_at"]
    list_select_related = ["user"]
    search_fields = ["name", "prefix", "user__username"]
    fields = SHOWN
    readonly_fields = SHOWN
    actions = ["revoke_selected"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.action(description="Revoke selected tokens", permissions=["change"])
    def revoke_selected(self, request: HttpRequest, rows: QuerySet[AccessToken]) -> None:
        self.message_user(request, f"Revoked {tokens.revoke(rows)}.", messages.SUCCESS)
