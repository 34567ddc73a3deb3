"""Issuers and profiles as JSON: never a key, never a secret."""

from typing import Any

from rest_framework import serializers

from foundation.rest.fields import Duration, Named, SparseFields, StrictInput
from issuers.models import MAX_SHARDS, Issuer, Profile
from issuers.pointers import MAX_PREFIX, pointers_of, prefix_of, warning_of
from issuers.services.authorities import CA_ALGORITHMS
from owners.models import Owner


def _of_certificate(field: type[serializers.Field[Any, Any, Any, Any]], name: str) -> Any:
    # A remote CA's certificate may not be known yet.
    return field(source=f"described.{name}", read_only=True, allow_null=True, default=None)


def _prefix() -> serializers.CharField:
    # Not trimmed: the service says what is wrong with it.
    return serializers.CharField(
        max_length=MAX_PREFIX,
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        help_text="The http address before /crl/, /ocsp/ and /ca/ in what it signs from now on; "
        "empty: the installation's.",
    )


class IssuerSerializer(SparseFields):
    """An issuer, its certificate, and where relying parties find what it publishes."""

    subject = _of_certificate(serializers.CharField, "subject")
    not_before = _of_certificate(serializers.DateTimeField, "not_before")
    not_after = _of_certificate(serializers.DateTimeField, "not_after")
    fingerprint = _of_certificate(serializers.CharField, "fingerprint")
    key_algorithm = _of_certificate(serializers.CharField, "key_algorithm_text")
    crl_url = serializers.SerializerMethodField()
    ocsp_url = serializers.SerializerMethodField()
    ca_url = serializers.SerializerMethodField()
    warnings = serializers.SerializerMethodField(
        help_text="What to see to before it signs anything, in words."
    )

    class Meta:
        model = Issuer
        fields = (
            "id",
            "slug",
            "name",
            "kind",
            "enabled",
            "parent",
            "successor",
            "old_with_new_pem",
            "new_with_old_pem",
            "subject",
            "not_before",
            "not_after",
            "fingerprint",
            "key_algorithm",
            "awaits_crl",
            "ocsp_delegated",
            "ocsp_nonces",
            "ocsp_ahead",
            "crl_shards",
            "crl_deltas",
            "certificate_pem",
            "chain_pem",
            "pki_prefix",
            "crl_url",
            "ocsp_url",
            "ca_url",
            "warnings",
            "created_at",
        )
        read_only_fields = fields

    def get_crl_url(self, issuer: Issuer) -> str:
        """Return where its CRL is."""
        return pointers_of(issuer).crl

    def get_ocsp_url(self, issuer: Issuer) -> str:
        """Return where its responder is."""
        return pointers_of(issuer).ocsp

    def get_ca_url(self, issuer: Issuer) -> str:
        """Return where its certificate is."""
        return pointers_of(issuer).ca_issuers

    def get_warnings(self, issuer: Issuer) -> list[str]:
        """Return what is better changed before it is signed into anything."""
        warning = warning_of(prefix_of(issuer))
        return [warning] if warning else []


class IssuerInput(StrictInput):
    """What a new local CA is made of."""

    slug = serializers.SlugField(max_length=64)
    name = serializers.CharField(max_length=150, required=False, allow_blank=True, default="")
    common_name = serializers.CharField(max_length=64)
    organization = serializers.CharField(max_length=64, required=False, allow_blank=True)
    key_algorithm = serializers.ChoiceField(CA_ALGORITHMS, default="ecdsa-p256")
    lifetime_days = serializers.IntegerField(min_value=1, max_value=10_950, default=1825)
    parent: Any = Named(
        by="slug", what="issuer", queryset=Issuer.objects.all(), required=False, allow_null=True
    )
    path_length = serializers.IntegerField(
        min_value=0, max_value=9, required=False, allow_null=True
    )
    pki_prefix = _prefix()
    owner: Any = Named(
        by="name",
        what="owner",
        queryset=Owner.objects.all(),
        required=False,
        help_text="Who answers for a CA below a parent; left out: PKI operations.",
    )


class IssuerChanges(StrictInput):
    """What can be changed later."""

    name = serializers.CharField(max_length=150, required=False)
    enabled = serializers.BooleanField(required=False)
    ocsp_delegated = serializers.BooleanField(required=False)
    ocsp_nonces = serializers.BooleanField(required=False)
    pki_prefix = _prefix()
    ocsp_ahead = serializers.ChoiceField(choices=Issuer.Ahead.choices, required=False)
    crl_shards = serializers.IntegerField(
        min_value=1,
        max_value=MAX_SHARDS,
        required=False,
        help_text="Into how many parts of the CRL new certificates are divided; 1: into none.",
    )
    crl_deltas = serializers.BooleanField(
        required=False, help_text="Publish a delta beside each CRL; not with shards."
    )


class SuccessorInput(StrictInput):
    """Which issuer follows, and what carries trust between the two where it is not made here."""

    successor: Any = Named(by="slug", what="issuer", queryset=Issuer.objects.all(), allow_null=True)
    old_with_new_pem = serializers.CharField(required=False, allow_blank=True)
    new_with_old_pem = serializers.CharField(required=False, allow_blank=True)


class TestedSerializer(serializers.Serializer[Any]):
    """How a test of the connection went."""

    works = serializers.BooleanField()
    detail = serializers.CharField()


class ProfileSerializer(SparseFields):
    """A profile; the service checks what each rule may say."""

    issuers: Any = Named(
        by="slug", what="issuer", many=True, queryset=Issuer.objects.all(), required=False
    )
    key_algorithms = serializers.JSONField(required=False)
    max_lifetime = Duration(required=False)
    key_usage = serializers.JSONField(required=False)
    extended_key_usage = serializers.JSONField(required=False)
    allowed_sans = serializers.JSONField(required=False)
    required_sans = serializers.JSONField(required=False)
    subject_attributes = serializers.JSONField(required=False)
    fixed_subject = serializers.JSONField(required=False)
    approval_required_for = serializers.JSONField(required=False)

    class Meta:
        model = Profile
        fields = (
            "id",
            "slug",
            "name",
            "description",
            "enabled",
            "issuers",
            "key_algorithms",
            "max_lifetime",
            "key_usage",
            "extended_key_usage",
            "allowed_sans",
            "required_sans",
            "allow_wildcards",
            "max_sans",
            "subject_attributes",
            "fixed_subject",
            "approval_required_for",
            "justification_required",
            "issues_nothing",
            "is_ca",
            "is_ra",
            "is_responder",
            "is_short_lived",
            "created_at",
        )
        read_only_fields = ("is_ca", "is_ra", "is_responder", "is_short_lived")
