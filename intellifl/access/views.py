"""Signing in and out, and the account: one's password and one's tokens."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, LogoutView, PasswordChangeView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from intellifl.access import tokens
from intellifl.access.forms import SignInForm, TokenForm


class SignIn(LoginView):
    """The form that everybody signs in by, staff too."""

    template_name = "access/login.html"
    authentication_form = SignInForm

    def form_invalid(self, form: Any) -> HttpResponse:
        response = super().form_invalid(form)
        if form.wait is not None:
            response.status_code = 429
            response["Retry-After"] = str(int(form.wait.total_seconds()) + 1)
        return response


class SignOut(LogoutView):
    """Ends the session; only a POST does, so that no link or picture can."""

    next_page = "login"


class ChangePassword(PasswordChangeView):
    """Takes the old and a new password; every other session of the user ends."""

    template_name = "access/password.html"
    success_url = reverse_lazy("account")

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, "The password is changed; other sessions are signed out.")
        return super().form_valid(form)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("text")
def account(request: HttpRequest) -> HttpResponse:
    """Show one's tokens; a POST makes one, which is shown in the answer and never again."""
    assert isinstance(request.user, User)
    form, text = TokenForm(request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        text = tokens.create(form.cleaned_data["name"], request.user, form.lifetime)
        form = TokenForm()
    context = {"form": form, "text": text, "tokens": request.user.access_tokens.all()}
    return render(request, "access/account.html", context)


@login_required
@require_POST
def revoke_token(request: HttpRequest, prefix: str) -> HttpResponse:
    """Revoke one of one's own tokens."""
    assert isinstance(request.user, User)
    if tokens.revoke(request.user.access_tokens.filter(prefix=prefix)):
        messages.success(request, "The token is revoked.")
    else:
        messages.error(request, "You have no valid token with this prefix.")
    return redirect("account")
