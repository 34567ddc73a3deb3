"""Rows for tests, made the short way; each app's engineer keeps a section."""

import secrets
from datetime import timedelta

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from certificates.models import (
    Certificate,
    CertificateName,
    CertificateStatus,
    RenewalPolicy,
    Version,
)
from issuers.models import Issuer, Profile
from jobs.models import Job
from owners.models import Owner, Principal, Team

# --- owners ---------------------------------------------------------------------------------


class PrincipalFactory(DjangoModelFactory):
    class Meta:
        model = Principal

    username = factory.Sequence(lambda n: f"principal-{n}")
    email = factory.LazyAttribute(lambda p: f"{p.username}@people.example")


class TeamFactory(DjangoModelFactory):
    class Meta:
        model = Team

    name = factory.Sequence(lambda n: f"team-{n}")


class OwnerFactory(DjangoModelFactory):
    class Meta:
        model = Owner

    name = factory.Sequence(lambda n: f"owner-{n}")
    email = factory.LazyAttribute(lambda o: f"{o.name}@owners.example")


# --- issuers --------------------------------------------------------------------------------
# --- certificates ---------------------------------------------------------------------------


class RenewalPolicyFactory(DjangoModelFactory):
    class Meta:
        model = RenewalPolicy

    name = factory.Sequence(lambda n: f"renewal-policy-{n}")


class CertificateFactory(DjangoModelFactory):
    """A certificate row; its issuer has no key, unless you give one that has."""

    class Meta:
        model = Certificate
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"web-{n}.demo.internal")
    common_name = factory.SelfAttribute("name")
    sans = factory.LazyAttribute(lambda c: [f"dns:{c.name}"])
    owner = factory.SubFactory(OwnerFactory)
    issuer = factory.LazyFunction(
        lambda: Issuer.objects.get_or_create(slug="keyless", defaults={"name": "Keyless"})[0]
    )
    profile = factory.LazyFunction(
        lambda: Profile.objects.get_or_create(
            slug="plain", defaults={"name": "Plain", "approval_required_for": []}
        )[0]
    )

    @factory.post_generation
    def compared_names(self, create, extracted, **kwargs):
        if create:
            CertificateName.objects.bulk_create(CertificateName.of(self))


class VersionFactory(DjangoModelFactory):
    """A version row that nobody signed, current of its `certificate`; for lists and sweeps."""

    class Meta:
        model = Version
        skip_postgeneration_save = True

    issuer = factory.SelfAttribute("certificate.issuer")
    number = factory.LazyAttribute(lambda v: v.certificate.versions.count() + 1)
    serial = factory.LazyFunction(lambda: f"{secrets.randbits(150) | 1:x}")
    subject = factory.LazyAttribute(lambda v: f"CN={v.certificate.common_name}")
    sans = factory.SelfAttribute("certificate.sans")
    not_before = factory.LazyFunction(lambda: timezone.now() - timedelta(hours=1))
    not_after = factory.LazyFunction(lambda: timezone.now() + timedelta(days=40))
    fingerprint = factory.LazyFunction(lambda: secrets.token_hex(32))
    key_fingerprint = factory.LazyFunction(lambda: secrets.token_hex(32))
    key_algorithm = "ecdsa-p256"
    key_size = 256
    pem = "made up"

    @factory.post_generation
    def current(self, create, extracted, **kwargs):
        if create and extracted is not False:
            Certificate.objects.filter(pk=self.certificate_id).update(
                current=self, status=CertificateStatus.ACTIVE
            )
            self.certificate.refresh_from_db()


# --- deployments ----------------------------------------------------------------------------
# --- jobs -----------------------------------------------------------------------------------


class JobFactory(DjangoModelFactory):
    class Meta:
        model = Job

    kind = Job.Kind.ISSUANCE
    certificate = factory.SubFactory(CertificateFactory)
    requested_by = factory.SubFactory(PrincipalFactory)
