"""The revocation app."""

from django.apps import AppConfig


class RevocationConfig(AppConfig):
    """Many certificates are revoked by a plan that was looked at first."""

    name = "revocation"
    verbose_name = "bulk revocation"
