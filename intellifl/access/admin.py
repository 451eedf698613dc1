"""The operators' desk for tokens and attempts to sign in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import ForeignKey, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.cache import add_never_cache_headers

from intellifl.access import tokens
from intellifl.access.models import AccessToken, SignInAttempts

if TYPE_CHECKING:
    TokenAdmin = admin.ModelAdmin[AccessToken]
    AttemptsAdmin = admin.ModelAdmin[SignInAttempts]
else:
    TokenAdmin = AttemptsAdmin = admin.ModelAdmin


@admin.register(AccessToken)
class AccessTokenAdmin(TokenAdmin):
    """Tokens: a new one is shown once, an old one can only be revoked or deleted."""

    GIVEN = ("name", "user", "expires_at")
    SHOWN = ("name", "prefix", "user", "created_at", "last_used_at", "expires_at", "revoked_at")
    list_display = (*SHOWN, "state")
    list_filter = ["created_at", "last_used_at", "expires_at", "revoked_at"]
    list_select_related = ["user"]
    search_fields = ["name", "prefix", "user__username"]
    show_full_result_count = False
    actions = ["revoke_selected"]

    def get_fields(self, request: HttpRequest, obj: AccessToken | None = None) -> tuple[str, ...]:
        return self.GIVEN if obj is None else self.SHOWN

    def get_readonly_fields(
        self, request: HttpRequest, obj: AccessToken | None = None
    ) -> tuple[str, ...]:
        return () if obj is None else self.SHOWN

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> forms.ModelChoiceField[Any]:
        """Let only superusers make tokens for somebody else, or for nobody."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        assert field is not None and isinstance(request.user, User)
        if not request.user.is_superuser:
            field.queryset = User.objects.filter(pk=request.user.pk)
            field.required = True
        return field

    def save_model(self, request: HttpRequest, obj: AccessToken, form: Any, change: bool) -> None:
        if not change:
            tokens.draw(obj)
            super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: AccessToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "New token",
            "text": obj.text,
        }
        response = TemplateResponse(request, "admin/access/accesstoken/made.html", context)
        add_never_cache_headers(response)
        return response

    @admin.action(description="Revoke selected tokens", permissions=["change"])
    def revoke_selected(self, request: HttpRequest, rows: QuerySet[AccessToken]) -> None:
        self.message_user(request, f"Revoked {tokens.revoke(rows)}.", messages.SUCCESS)


@admin.register(SignInAttempts)
class SignInAttemptsAdmin(AttemptsAdmin):
    """Counted attempts to sign in; deleting a row lets its address and name try again at once."""

    list_display = ["digest", "count", "began_at"]
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: SignInAttempts | None = None
    ) -> bool:
        return False
