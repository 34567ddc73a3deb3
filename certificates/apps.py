"""The certificates app."""

from django.apps import AppConfig


class CertificatesConfig(AppConfig):
    """Certificates through their life."""

    name = "certificates"
