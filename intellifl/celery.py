"""The Celery application, as workers use it; publishers have settings in `simulations.broker`."""

from __future__ import annotations

import os

from celery import Celery

from intellifl.environment import environment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "intellifl.settings")

app = Celery("intellifl", include=["simulations.tasks", "simulations.worker"])
app.conf.update(
    broker_url=environment().redis_url,
    # Workers block in a read of their queue: a short socket timeout would have them reconnect
    # for ever. Publishers open connections of their own, with short ones.
    broker_transport_options={"socket_keepalive": True, "socket_connect_timeout": 10},
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    task_default_queue="intellifl.simulations",
    task_serializer="json",
    result_serializer="json",
    accept_content=["json"],
    # The state of a run is its row; a result backend could only contradict it, or be down.
    task_ignore_result=True,
    task_publish_retry=False,
    # Acknowledged before it runs: a message that came back after an hour would start a run twice.
    task_acks_late=False,
    task_reject_on_worker_lost=False,
    worker_prefetch_multiplier=1,
    worker_disable_prefetch=True,
    worker_enable_prefetch_count_reduction=False,
    # A restart of Redis must not end a training.
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
)
