"""The pages of simulations."""

from __future__ import annotations

from django.urls import path

from simulations.pages import compare, dashboard
from simulations.pages.new import view
from simulations.pages.run import actions, archive, page, plot_csv

app_name = "simulations"
urlpatterns = [
    path("", dashboard.dashboard, name="list"),
    path("table.csv", dashboard.table_csv, name="table"),
    path("new/", view.new, name="new"),
    path("compare/", compare.compare, name="compare"),
    path("compare/curves.csv", compare.compare_csv, name="compare-csv"),
    path("selected/", dashboard.selected, name="selected"),
    path("<str:simulation_id>", page.simulation_page),
    path("<str:simulation_id>/", page.simulation_page, name="detail"),
    path("<str:simulation_id>/stop/", actions.stop, name="stop"),
    path("<str:simulation_id>/resume/", actions.resume, name="resume"),
    path("<str:simulation_id>/labels/", actions.label, name="labels"),
    path("<str:simulation_id>/files.zip", archive.archive, name="archive"),
    path(
        "<str:simulation_id>/charts/<str:tab>/<str:name>.csv",
        plot_csv.plot_csv,
        name="plot-csv",
    ),
]
