"""What the lists of certificates and of versions are narrowed by."""

from django.db.models import Q
from django.utils import timezone

from certificates.details import is_tag, of_teams, tagged
from certificates.models import CertificateStatus, RenewalPolicy
from foundation.admin.lists.chips import Chip, Choice, Row, Text, YesNo
from foundation.admin.lists.dates import Between, within
from issuers.models import Issuer, Profile
from owners.models import Owner, Team

DAYS = (7, 30, 60, 90)


def _revoked() -> Q:
    return Q(current__revocation__isnull=False)


def of_certificates() -> list[Chip]:
    """Return the chips over the list of certificates."""
    return [
        Choice("status", "Status", CertificateStatus.choices, aliases=("status__exact",)),
        within("ends", "Ends within", path="ends_at", days=DAYS),
        Row("owner", "Owner", Owner, known_by="name", aliases=("owner__id__exact",)),
        Row("team", "Team", Team, known_by="name", by=of_teams, may_be_empty=True),
        Text(
            "tag",
            "Tag",
            tagged,
            check=is_tag,
            help_text="One tag, as it is written",
        ),
        Row("issuer", "Issuer", Issuer, known_by="slug", aliases=("issuer__id__exact",)),
        Row("profile", "Profile", Profile, known_by="slug", aliases=("profile__id__exact",)),
        Text(
            "environment",
            "Environment",
            lambda text: Q(environment=text),
            aliases=("environment__exact",),
            help_text="As it is written",
        ),
        Row("policy", "Renewal policy", RenewalPolicy, path="renewal_policy", known_by="name",
            may_be_empty=True),
        YesNo("revoked", "Revoked", _revoked, ("revoked", "not revoked")),
        Between("end", "End", path="ends_at", older="current__not_after"),
    ]  # fmt: skip


def of_versions() -> list[Chip]:
    """Return the chips over the list of versions."""
    return [
        within("ends", "Ends within", path="not_after", days=DAYS),
        YesNo(
            "revoked", "Revoked", lambda: Q(revocation__isnull=False), ("revoked", "not revoked")
        ),
        YesNo(
            "current",
            "In use",
            lambda: Q(superseded_at__isnull=True, not_after__gt=timezone.now()),
            ("in use", "superseded or over"),
        ),
        Row("owner", "Owner", Owner, path="certificate__owner", known_by="name"),
    ]
