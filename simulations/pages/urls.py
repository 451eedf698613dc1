"""The pages of simulations."""

from __future__ import annotations

from django.urls import path

from simulations.pages import compare, dashboard, views
from simulations.pages.new import view

app_name = "simulations"
urlpatterns = [
    path("", dashboard.dashboard, name="list"),
    path("table.csv", dashboard.table_csv, name="table"),
    path("new/", view.new, name="new"),
    path("compare/", compare.compare, name="compare"),
    path("compare/curves.csv", compare.compare_csv, name="compare-csv"),
    path("selected/", dashboard.selected, name="selected"),
    path("<str:simulation_id>", views.simulation_detail),
    path("<str:simulation_id>/", views.simulation_detail, name="detail"),
    path("<str:simulation_id>/stop/", views.stop, name="stop"),
    path("<str:simulation_id>/resume/", views.resume, name="resume"),
]
