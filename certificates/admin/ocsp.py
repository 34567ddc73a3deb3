"""Stored OCSP answers in the admin: to read."""

from django.contrib import admin

from certificates.admin.serials import SearchesSerials
from certificates.models import OCSPResponse
from foundation.admin import ReadOnly


@admin.register(OCSPResponse)
class OCSPResponseAdmin(ReadOnly, SearchesSerials):
    """Stored OCSP answers, to read."""

    empty_words = (
        "Answers to relying parties that ask about one certificate. They are signed as they "
        "are asked for."
    )

    list_display = ("serial", "issuer", "status", "hash_algorithm", "this_update", "next_update")
    list_filter = ("issuer", "status", "hash_algorithm")
    list_select_related = ("issuer",)
    search_fields = ("serial",)
    exclude = ("der",)
