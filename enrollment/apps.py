"""The enrollment app."""

from django.apps import AppConfig


class EnrollmentConfig(AppConfig):
    """Devices ask for certificates of their own."""

    name = "enrollment"
