"""The jobs app."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Asked for, agreed to, done."""

    name = "jobs"
