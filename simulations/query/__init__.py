from __future__ import annotations

from intellifl.imports import without

# What the framework has uses for, but we have not: 10 MB.
with without("django.contrib.postgres", "pygments", "requests"):
    import rest_framework.compat  # noqa: F401
