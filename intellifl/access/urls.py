"""Where people sign in and look after their accounts."""

from __future__ import annotations

from django.urls import path
from django.views.generic import RedirectView

from intellifl.access import views

urlpatterns = [
    path("login", RedirectView.as_view(pattern_name="login", query_string=True)),
    path("login/", views.SignIn.as_view(), name="login"),
    path("logout/", views.SignOut.as_view(), name="logout"),
    path("account", RedirectView.as_view(pattern_name="account")),
    path("account/", views.account, name="account"),
    path("account/password/", views.ChangePassword.as_view(), name="change-password"),
    path("account/tokens/<str:prefix>/revoke/", views.revoke_token, name="revoke-token"),
    # The admin has forms of its own for these; one door is enough to watch.
    path("admin/login/", RedirectView.as_view(pattern_name="login", query_string=True)),
    path("admin/logout/", views.SignOut.as_view()),
    path("admin/password_change/", RedirectView.as_view(pattern_name="change-password")),
]
