"""Issuers and profiles: what can sign, and the rules for a kind of certificate."""

import uuid
from datetime import timedelta
from functools import cached_property

from cryptography import x509
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from foundation.numbers import LongNumberField
from foundation.sealed import SealedField
from foundation.statements import Given, Rows
from issuers.ca_keys import CA_KEY, REQUESTED_CA_KEY
from issuers.connectors import revocation_signer
from issuers.pointers import MAX_PREFIX
from issuers.x509 import certs
from issuers.x509.description import SignedCertificate, describe
from owners.models import Principal

SHORT_LIVED = timedelta(hours=1)
MAX_SHARDS = 128  # each is signed at each publication, and told in the trail


class Issuer(models.Model):
    """A CA that we ask to sign.

    A row is one CA *key*: a re-keyed CA is another row, with its own CRL and its own numbers
    (RFC 5280 §5: a CRL is signed by, and speaks for, one key).
    """

    class Kind(models.TextChoices):
        """Which connector speaks to it (see issuers.connectors)."""

        LOCAL = "local", "Local CA"

    class Ahead(models.TextChoices):
        """Which OCSP answers the worker signs before they are asked for."""

        OFF = "off", "none"
        ASKED = "asked", "what was asked for lately"
        ALL = "all", "all that are valid"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=150)
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.LOCAL)
    enabled = models.BooleanField(default=True)
    config = models.JSONField(default=dict, blank=True, help_text="Settings that are no secret.")
    secrets = SealedField(
        CA_KEY,
        null=True,
        blank=True,
        help_text="Credentials of a remote CA or the key of a local one, encrypted at rest.",
    )
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="subordinates"
    )
    successor = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="predecessors",
        help_text="The issuer that takes its place: devices are told of it before that.",
    )
    old_with_new_pem = models.TextField(
        blank=True, editable=False, help_text="Its own name and key, signed by its successor."
    )
    new_with_old_pem = models.TextField(
        blank=True, editable=False, help_text="Its successor's name and key, signed by it."
    )
    certificate_pem = models.TextField("certificate", blank=True)
    chain_pem = models.TextField(
        "chain", blank=True, help_text="The certificates above its own, up to the root."
    )
    pki_prefix = models.CharField(
        "prefix",
        max_length=MAX_PREFIX,
        blank=True,
        default="",
        help_text="The http address before /crl/, /ocsp/ and /ca/ in what it signs from now on; "
        "empty: the installation's.",
    )
    crl_number = LongNumberField(
        default=0, editable=False, help_text="The last CRL number given out; it only ever rises."
    )
    awaits_crl = models.BooleanField(
        default=False,
        editable=False,
        help_text="Taken over without its old CRL: until that is read, what it revoked is not "
        "known, so it publishes no CRL and its responder says nothing.",
    )
    ocsp_delegated = models.BooleanField(
        "delegated OCSP",
        default=False,
        help_text="Whether a short-lived certificate of its own signs its OCSP answers, so that "
        "the CA's key is not used for each.",
    )
    ocsp_delegated_by = models.ForeignKey(
        Principal,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        help_text="Who had its OCSP answers signed by a delegate: in whose name that is asked for.",
    )
    ocsp_nonces = models.BooleanField(
        "OCSP nonces",
        default=True,
        help_text="Whether its responder repeats nonces, which takes a signature for each question "
        "that has one.",
    )
    ocsp_ahead = models.CharField(
        "OCSP answers signed ahead",
        max_length=8,
        choices=Ahead,
        default=Ahead.ASKED,
        help_text="Before half their life is over; others are signed when they are asked for.",
    )
    crl_shards = models.PositiveSmallIntegerField(
        "CRL shards",
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_SHARDS)],
        help_text="Into how many parts of the CRL new certificates are divided; 1: none of them "
        "names a part. What was issued before stays where it is.",
    )
    crl_deltas = models.BooleanField(
        "delta CRLs",
        default=False,
        help_text="Publish beside each CRL what changed since an earlier one.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["slug"]
        permissions = [("test_issuer", "Can test the connection to an issuer")]

    def __str__(self) -> str:
        return self.slug

    @property
    def answers_for_revocation(self) -> bool:
        """Whether certctl signs its CRLs and OCSP answers; else its CA is to be told and asked."""
        return revocation_signer(self) is not None

    @cached_property
    def certificate(self) -> x509.Certificate | None:
        """Its certificate, which never changes; None where a remote CA's is not known yet."""
        return certs.load_cas(self.certificate_pem)[0] if self.certificate_pem else None

    @cached_property
    def described(self) -> SignedCertificate | None:
        """What its certificate says; None where that is not known yet."""
        return describe(self.certificate, self.chain_pem) if self.certificate else None

    @property
    def own_chain_pem(self) -> str:
        """Its certificate and those above it, as PEM."""
        return f"{self.certificate_pem.rstrip()}\n{self.chain_pem}"


class ShardAddress(models.Model):
    """An address under which certificates of an issuer name one part of its CRL.

    It stays for as long as the issuer does: the part's issuingDistributionPoint must name it byte
    for byte as they do (RFC 5280 §6.3.3 (b)(2)), also when the base URL has changed since.
    """

    issuer = models.ForeignKey(Issuer, models.PROTECT, related_name="shard_addresses")
    shard = models.PositiveSmallIntegerField()
    url = models.CharField(max_length=500)

    class Meta:
        verbose_name_plural = "shard addresses"
        ordering = ["issuer", "shard", "pk"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["issuer", "url"], name="issuers_shard_url_once")
        ]

    def __str__(self) -> str:
        return self.url


# What a new profile says where nothing else is said, at every door.
def default_key_algorithms() -> list[str]:
    """Return the algorithms of a new profile."""
    return ["ecdsa-p256"]


def default_key_usage() -> list[str]:
    """Return the key usage of a new profile: a TLS server's (RFC 5280 section 4.2.1.3)."""
    return ["digitalSignature"]


def default_purposes() -> list[str]:
    """Return the extended key usage of a new profile."""
    return ["serverAuth"]


def default_attributes() -> list[str]:
    """Return what subjects may carry: a common name, which must be among the names."""
    return ["CN"]


def default_approvals() -> list[str]:
    """Return the kinds of job that need approval: a first certificate does, unless one says so."""
    return ["Issuance"]


class RequestedCA(models.Model):
    """A CA to be, whose certificate another CA is asked for: a key of ours, and its CSR.

    It signs nothing. With the certificate it becomes an `Issuer`, and this row is deleted.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=150)
    csr_pem = models.TextField("CSR", editable=False)
    encrypted_key = SealedField(REQUESTED_CA_KEY)
    pki_prefix = models.CharField("prefix", max_length=MAX_PREFIX, blank=True, default="")
    requested_by = models.ForeignKey(
        Principal, models.PROTECT, related_name="+", editable=False, verbose_name="made by"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["slug"]
        default_permissions = ()  # who makes issuers makes these
        verbose_name = "CA to be signed"
        verbose_name_plural = "CAs to be signed"

    def __str__(self) -> str:
        return self.slug


class Profile(models.Model):
    """The rules for one kind of certificate; `issuers.services.check_csr` applies them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=150)
    description = models.TextField(blank=True)
    enabled = models.BooleanField(default=True)
    issuers = models.ManyToManyField(
        Issuer, blank=True, related_name="profiles", help_text="Who may sign under it; none: any."
    )
    key_algorithms = models.JSONField(
        default=default_key_algorithms,
        help_text='As ["ecdsa-p256", "rsa-2048", "ed25519"]; RSA sizes are minima.',
    )
    max_lifetime = models.DurationField(
        default=timedelta(days=47), help_text="The longest that a certificate may be valid."
    )
    key_usage = models.JSONField(default=default_key_usage, help_text='As ["digitalSignature"].')
    extended_key_usage = models.JSONField(
        default=default_purposes, help_text='As ["serverAuth", "clientAuth"] or dotted OIDs.'
    )
    allowed_sans = models.JSONField(
        default=list,
        help_text='Patterns as "dns:*.demo.internal", "ip:10.0.0.0/8", "email:*@example.com", '
        '"uri:spiffe://example.com/*". A name that no pattern allows is refused.',
    )
    required_sans = models.JSONField(
        default=list, blank=True, help_text="Patterns that at least one name must meet, each."
    )
    allow_wildcards = models.BooleanField(
        default=False, help_text="Whether *.example.com may be asked for."
    )
    max_sans = models.PositiveIntegerField(default=100, validators=[MinValueValidator(1)])
    subject_attributes = models.JSONField(
        default=default_attributes,
        blank=True,
        help_text='Subject attributes that a request may carry, as ["CN", "O"].',
    )
    fixed_subject = models.JSONField(
        default=dict, blank=True, help_text='Subject attributes that we set, as {"O": "Example"}.'
    )
    approval_required_for = models.JSONField(
        default=default_approvals, blank=True, help_text='Kinds of job, as ["Issuance", "Renewal"].'
    )
    justification_required = models.BooleanField(
        default=False,
        help_text="Whether whoever asks for a certificate, or its renewal, must say why.",
    )
    issues_nothing = models.BooleanField(
        default=False,
        help_text="Say so where no name is allowed on purpose: nothing can be issued under it.",
    )
    is_ca = models.BooleanField(
        default=False, editable=False, help_text="For CA certificates; nobody can request these."
    )
    is_ra = models.BooleanField(
        default=False,
        editable=False,
        help_text="For the RA certificates of SCEP labels; nobody can request these.",
    )
    is_responder = models.BooleanField(
        default=False,
        editable=False,
        help_text="For the OCSP responders of issuers; nobody can request these.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["slug"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(max_lifetime__gt=timedelta(0)),
                name="issuers_profile_lifetime_positive",
            )
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def is_reserved(self) -> bool:
        """Whether certctl alone has certificates made under it, for itself."""
        return self.is_ca or self.is_own

    @property
    def is_own(self) -> bool:
        """Whether certctl holds the keys of its certificates, and nobody else may have them."""
        return self.is_ra or self.is_responder

    @property
    def is_short_lived(self) -> bool:
        """Whether its certificates carry noRevAvail and are in no CRL and no OCSP (RFC 9608)."""
        return self.max_lifetime < SHORT_LIVED

    def allows(self, issuer: Issuer) -> bool:
        """Whether `issuer` may sign under it."""
        allowed = _ALLOWED.all(profile=self.pk)
        return not allowed or any(one.pk == issuer.pk for one in allowed)

    def needs_approval(self, kind: str) -> bool:
        """Whether a job of `kind` under this profile must be approved by somebody."""
        return kind in self.approval_required_for


_ALLOWED: Rows[Issuer] = Rows(
    lambda: Issuer.objects.filter(profiles=Given("profile", Profile)).only("pk").order_by()
)
