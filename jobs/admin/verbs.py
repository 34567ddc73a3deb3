"""The forms of the pages on which work on a certificate is asked for."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect

import certificates.policy
from certificates.models import Certificate
from deployments.models import Target
from foundation.admin import ConfirmForm
from foundation.forms import DurationField
from jobs import approvals, services
from jobs.models import Job
from jobs.services import csrs

MAX_CSR = 65_536  # characters


def area_for_csr() -> forms.Textarea:
    """Return where a CSR is pasted."""
    return forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocapitalize": "off"})


def why_field() -> forms.CharField:
    """Return where it is said what for."""
    return forms.CharField(
        label="Why",
        required=False,
        max_length=services.MAX_JUSTIFICATION,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="For whoever decides; it is part of what they approve, and never changed.",
    )


class ReasonForm(ConfirmForm):
    """What for, said once of several."""

    justification = why_field()


class CsrForm(ConfirmForm):
    """A CSR that is brought."""

    csr = forms.CharField(
        label="CSR",
        max_length=MAX_CSR,
        widget=area_for_csr(),
        help_text="PKCS #10 as PEM or base64. The private key stays where it was made.",
    )


class RenewForm(CsrForm):
    """What a renewal may say; `for_certificate` makes the one of a certificate."""

    justification = why_field()
    lifetime = DurationField(required=False, help_text="Such as 30d; empty: the profile's longest.")
    certificate: ClassVar[Certificate]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["csr"].required = False
        self.fields["csr"].label = "New CSR"
        self.fields["csr"].help_text = _without_csr(self.certificate)
        self.fields["justification"].required = self.certificate.profile.justification_required

    @classmethod
    def for_certificate(cls, certificate: Certificate) -> "type[RenewForm]":
        """Return the form for `certificate`, whose texts say what its rules are."""
        return type("RenewFormOfOne", (cls,), {"certificate": certificate})


class TargetForm(ConfirmForm):
    """A target, of all that are enabled."""

    target = forms.ModelChoiceField(
        queryset=Target.objects.filter(enabled=True),
        widget=AutocompleteSelect(Job._meta.get_field("target"), admin.site),  # noqa: SLF001
    )


class EndpointForm(ConfirmForm):
    """One of the targets that a certificate is bound to and that have an endpoint."""

    certificate: ClassVar[Certificate]
    target = forms.ModelChoiceField(queryset=Target.objects.none(), empty_label=None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["target"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - it is declared so
        field.queryset = endpoints_of(self.certificate)

    @classmethod
    def for_certificate(cls, certificate: Certificate) -> "type[EndpointForm]":
        """Return the form that offers the endpoints of `certificate`."""
        return type("EndpointFormOfOne", (cls,), {"certificate": certificate})


def endpoints_of(certificate: Certificate) -> Any:
    """Return the targets of a certificate at whose endpoint can be looked."""
    return (
        Target.objects.filter(deployments__certificate=certificate, endpoint_port__isnull=False)
        .exclude(endpoint_host="")
        .order_by("name")
    )


def offered(certificate: Certificate) -> set[str]:
    """Return the paths of the verbs that the state of `certificate` lets one ask for."""
    verbs = set()
    profile = certificate.profile
    signing = Job.objects.open().filter(
        certificate=certificate, kind__in=(Job.Kind.ISSUANCE, Job.Kind.RENEWAL)
    )
    if profile.enabled and not profile.is_reserved and not signing.exists():
        verbs.add("renew")
    if certificate.current_id is not None and not profile.is_reserved:
        verbs.add("deploy")
        if endpoints_of(certificate).exists():
            verbs.add("verify")
    return verbs


def next_words(job: Job) -> str:
    """Say what happens next to a job that was just asked for."""
    waits = approvals.waits_for(job)
    return waits.detail if waits else "A worker takes it in a moment."


def _without_csr(certificate: Certificate) -> str:
    last = csrs.last_of(certificate)
    if last.csr_pem:
        number = certificate.current.number if certificate.current else 0
        return f"For a new key. Empty: the key of version {number} is certified again."
    if last.why_not:
        return f"Empty: the job waits for a CSR. {last.why_not}"
    revoked = certificates.policy.revoked_for(certificate)
    back = " It is revoked, and comes back by this." if revoked else ""
    return f"Empty: the job waits for a CSR, since keys are not used again here.{back}"
