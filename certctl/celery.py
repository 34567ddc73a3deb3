"""The Celery app; its beat schedule is in certctl.settings."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, worker_init
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "certctl.settings")
if not settings.configured:
    # Not where manage.py loads us: what it starts is none of ours.
    os.environ.setdefault("CERTCTL_PROCESS", "worker")

app = Celery("certctl")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
@beat_init.connect
def stop_if_impossible(**kwargs: Any) -> None:
    """End a worker or beat whose settings cannot be right, as manage.py and WSGI do."""
    from certctl import checks  # noqa: PLC0415 - the settings must be there first

    try:
        checks.stop_if_impossible()
    except ImproperlyConfigured as error:
        # Celery only logs what a receiver of its signals raises, unless it is this.
        raise SystemExit(str(error)) from None
