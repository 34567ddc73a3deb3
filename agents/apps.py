"""The agents app."""

from django.apps import AppConfig


class AgentsConfig(AppConfig):
    """Hosts that fetch their own work."""

    name = "agents"
