"""The Celery app; its beat schedule is in certctl.settings."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "certctl.settings")

app = Celery("certctl")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
