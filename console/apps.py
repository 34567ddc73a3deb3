"""The operator's room as an app: what it keeps for whoever works in it."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """Lists' views and columns."""

    name = "console"
