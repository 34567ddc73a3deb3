"""The issuers app."""

from django.apps import AppConfig


class IssuersConfig(AppConfig):
    """What can sign, and under which rules."""

    name = "issuers"
