"""The page of datasets."""

from __future__ import annotations

from django.urls import path

from datasets_app.pages import views

app_name = "datasets"
urlpatterns = [
    path("", views.dataset_list, name="list"),
    path("<str:keyword>/fetch/", views.fetch, name="fetch"),
]
