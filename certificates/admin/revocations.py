"""Revocations in the admin: to read."""

from django.contrib import admin
from unfold.decorators import display

from certificates.admin.serials import SearchesSerials
from certificates.models import Revocation, SerialRevocation
from foundation.admin import ReadOnly, words


class _SaysWhy(ReadOnly, SearchesSerials):
    """Rows with a reason, which the list shows by its name in words."""

    @display(description="Reason", ordering="reason")
    def why(self, row: Revocation | SerialRevocation) -> str:
        """Say why."""
        return words.reason_parts(row.reason)[0]


@admin.register(Revocation)
class RevocationAdmin(_SaysWhy):
    """Revocations, to read."""

    empty_words = (
        "What was revoked, by whom and why. One revokes on the page of the version, or many "
        "at once by a plan."
    )

    serial_field = "version__serial"

    list_display = ("version", "serial", "why", "revoked_at", "revoked_by", "listed_in")
    list_filter = ("reason", "version__issuer", "revoked_at")
    linked = ("recorded_at__gte", "recorded_at__lt")
    list_select_related = ("version__certificate", "revoked_by")
    search_fields = ("version__serial", "version__certificate__name", "note")

    @display(description="Serial", ordering="version__serial")
    def serial(self, revocation: Revocation) -> str:
        """Show the serial."""
        return revocation.version.serial


@admin.register(SerialRevocation)
class SerialRevocationAdmin(_SaysWhy):
    """Revocations by issuer and serial, from old CRLs, to read."""

    empty_words = (
        "Serials that a CA had revoked before it came here, without their certificates. Its "
        "old CRL brings them."
    )

    list_display = ("serial", "issuer", "why", "revoked_at", "listed_in")
    list_filter = ("issuer", "reason")
    list_select_related = ("issuer",)
    search_fields = ("serial",)
