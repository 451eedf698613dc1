"""Every prefix on one screen."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from intellifl.api import api, redoc
from simulations.pages import operations

urlpatterns = [
    path("", include("intellifl.access.urls")),
    path("admin/", admin.site.urls),
    path("redoc", redoc),
    path("simulations", RedirectView.as_view(url="/simulations/", query_string=True)),
    path("datasets", RedirectView.as_view(url="/datasets/")),
    path("datasets/", include("datasets_app.pages.urls")),
    path("simulations/", include("simulations.pages.urls")),
    path("query", RedirectView.as_view(url="/query/")),
    path("query/", include("simulations.query.urls")),
    path("queue/", operations.queue, name="queue"),
    path("system/", operations.system, name="system"),
    path("", api.urls),
]
handler400 = "intellifl.problems.bad_request"
handler403 = "intellifl.problems.forbidden"
handler404 = "intellifl.problems.not_found"
handler500 = "intellifl.problems.server_error"
