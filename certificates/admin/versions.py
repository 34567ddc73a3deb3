"""Signed certificates in the admin: to read."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from typing_extensions import override
from unfold.decorators import action, display

from audit.history import history_of
from audit.models import Event
from certificates import search
from certificates.admin import chips
from certificates.admin.about import key_facts, revocation_facts, signing_facts
from certificates.admin.files import Downloads
from certificates.admin.revoking import Revokes
from certificates.admin.standing import ending, state_of
from certificates.models import Version
from foundation.admin import ReadOnly
from foundation.admin.lists.chips import Chip
from foundation.admin.pages import link_to
from foundation.admin.parts import Code, Fact, Facts, Head, Names, Pem, Section


@admin.register(Version)
class VersionAdmin(Revokes, Downloads, ReadOnly):
    """Signed certificates, to read, and to revoke each for itself."""

    empty_words = (
        "Every certificate that was signed or imported is a version here, with its serial "
        "and its files."
    )
    empty_button = ("Request a certificate", "certificates_certificate_add")

    list_display = ("certificate", "number", "serial", "issuer", "not_after", "show_state")
    own_chips: ClassVar[Sequence[Chip]] = chips.of_versions()
    list_filter = ("issuer", "key_algorithm", "not_after")
    more_columns = ("fingerprint", "key_algorithm", "key_size", "subject", "not_before")
    linked = ("created_at__gte", "number__gt", "job_id__isnull")
    list_select_related = ("certificate", "issuer", "revocation")
    search_fields = ("serial",)  # that there is a box; certificates.search says what it finds
    search_help_text = "Names, subjects, serials, fingerprints and keys in any notation."
    exclude = ("encrypted_key",)
    actions_detail: ClassVar = ("revoke_one",)
    page_related = (
        "certificate",
        "issuer",
        "requested_by",
        "csr_by",
        "revocation__revoked_by",
    )
    use_cases = {"revoke_one": "certificate.revoke", **Downloads.downloading}

    @override
    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return search.matching_versions(queryset, search_term), False

    @override
    def head(self, request: HttpRequest, row: Version) -> Head:
        certificate = link_to(request, row.certificate)
        lead = "It is the one in use of" if _is_current(row) else "It is one of the versions of"
        return Head(
            "Version of a certificate",
            str(row),
            state_of(row),
            [[lead, certificate]],
            ending(row, timezone.now()),
        )

    @override
    def sections(self, request: HttpRequest, row: Version) -> Iterable[Section]:
        yield Facts("How it came about", [*signing_facts(request, row), *_kept(row)])
        if hasattr(row, "revocation"):
            yield Facts("Revocation", revocation_facts(request, row))
        yield Facts(
            "Names and key",
            [
                Fact("Subject", Code(row.subject), is_wide=True),
                Fact("Names", Names(row.sans) if row.sans else None, is_wide=True),
                *key_facts(row),
            ],
        )
        if row.csr_pem:
            yield Facts("Its CSR", [Fact("PKCS #10", Pem(row.csr_pem), is_wide=True)])

    @override
    def last_sections(self, request: HttpRequest, row: Version) -> Iterable[Section]:
        events = Event.objects.filter(certificate=row.certificate_id).filter(
            subject_id__in=[str(key) for key in (row.pk, row.job_id) if key]
        )
        yield from history_of(request, events, certificate=row.certificate_id)

    @override
    def version_of(self, row: Any) -> Version | None:
        version: Version = row
        return version

    def has_revoke_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Name the permission that revoking asks for."""
        return request.user.has_perm("certificates.revoke_certificate")

    @override
    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        version = self.get_object(request, unquote(str(object_id)))
        is_revoked = version is None or hasattr(version, "revocation")
        return [] if is_revoked else super().get_actions_detail(request, object_id)

    @action(description="Revoke…", url_path="revoke", permissions=["revoke"])
    def revoke_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Revoke this version, whether it is the one in use or one before."""
        version = self.row(request, object_id)
        name = f"version {version.number} of {version.certificate}"
        return self.ask_to_revoke(request, version, name=name, back=self.row_page(version))

    @display(
        description="State",
        label={
            "in use": "success",
            "superseded": "info",
            "on hold": "warning",
            "revoked": "danger",
        },
    )
    def show_state(self, version: Version) -> str:
        """Say whether it is in use, superseded or revoked."""
        return state_of(version).words


def _is_current(version: Version) -> bool:
    return version.pk == version.certificate.current_id


def _kept(version: Version) -> list[Fact]:
    revoking = (
        "carries noRevAvail: in no CRL and no OCSP" if version.short_lived else "CRL and OCSP"
    )
    return [Fact("Number", str(version.number)), Fact("Told of by", revoking)]
