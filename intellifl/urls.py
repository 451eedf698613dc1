"""Every prefix on one screen."""

from __future__ import annotations

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import RedirectView

from intellifl.api import api, redoc
from simulations.pages import assistant, operations

urlpatterns = [
    path("", include("intellifl.access.urls")),
    path("admin/", admin.site.urls),
    path("redoc", redoc),
    # What browsers ask for on pages that name no icon, such as the admin's.
    path("favicon.ico", RedirectView.as_view(url=static("simulations/icon.svg"))),
    path("simulations", RedirectView.as_view(url="/simulations/", query_string=True)),
    path("datasets", RedirectView.as_view(url="/datasets/")),
    path("datasets/", include("datasets_app.pages.urls")),
    path("simulations/", include("simulations.pages.urls")),
    path("query", RedirectView.as_view(url="/query/")),
    path("query/", include("simulations.query.urls")),
    path("queue/", operations.queue, name="queue"),
    path("system/", operations.system, name="system"),
    path("assistant", RedirectView.as_view(url="/assistant/", query_string=True)),
    path("assistant/", assistant.page, name="assistant"),
    path("assistant/panel/", assistant.panel, name="assistant-panel"),
    path("", api.urls),
]
handler400 = "intellifl.problems.bad_request"
handler403 = "intellifl.problems.forbidden"
handler404 = "intellifl.problems.not_found"
handler500 = "intellifl.problems.server_error"
