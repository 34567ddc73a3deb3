"""The pki_wellknown app."""

from django.apps import AppConfig


class PkiWellknownConfig(AppConfig):
    """What relying parties fetch."""

    name = "pki_wellknown"
