"""The pages of simulations."""

from __future__ import annotations

from django.urls import path

from simulations.pages import views

app_name = "simulations"
urlpatterns = [
    path("", views.simulation_list, name="list"),
    path("<str:simulation_id>", views.simulation_detail),
    path("<str:simulation_id>/", views.simulation_detail, name="detail"),
    path("<str:simulation_id>/stop/", views.stop, name="stop"),
    path("<str:simulation_id>/resume/", views.resume, name="resume"),
]
