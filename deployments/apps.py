"""The deployments app."""

from django.apps import AppConfig


class DeploymentsConfig(AppConfig):
    """Where certificates are put to use."""

    name = "deployments"
