"""The form by which somebody asks for a certificate, and what would come of it while they type."""

import ipaddress
import uuid
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from typing_extensions import override

from certificates.models import Certificate, RenewalPolicy
from deployments.models import Target
from foundation import durations
from foundation.errors import Invalid
from foundation.forms import DurationField, LinesField
from issuers.models import Issuer, Profile
from issuers.services.in_words import Rule, rules_of_issuer, rules_of_profile
from issuers.x509 import names
from jobs import services
from jobs.admin.verbs import area_for_csr, why_field
from jobs.models import Job
from owners.models import Owner, Principal, Team

MAX_CSR = 65_536  # characters
_KINDS = ("dns:", "ip:", "email:", "uri:")


class NamesField(LinesField):
    """Names, one a line; what has no kind before it is a host, an address, an e-mail or a URI."""

    @override
    def to_python(self, value: Any) -> Any:
        lines = super().to_python(value)
        wrong, good = [], []
        for line in lines[:1000]:
            try:
                good.append(names.normal(_with_kind(line)))
            except names.BadName as error:
                wrong.append(str(error))
        if wrong:
            raise forms.ValidationError([forms.ValidationError(text, "bad_name") for text in wrong])
        return list(dict.fromkeys(good))


class RequestForm(forms.Form):
    """What is asked for. The private key is no field: it never comes here."""

    once = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    profile = forms.ModelChoiceField(
        queryset=Profile.objects.filter(
            enabled=True, is_ca=False, is_ra=False, is_responder=False
        ).order_by("slug"),
        empty_label="Choose…",
    )
    issuer = forms.ModelChoiceField(
        queryset=Issuer.objects.filter(enabled=True).order_by("slug"), empty_label="Choose…"
    )
    source = forms.ChoiceField(
        label="The key",
        choices=[
            ("csr", "I have a CSR: the key stays where it was made"),
            ("browser", "Make the key in this browser, and download it"),
        ],
        initial="csr",
        widget=forms.RadioSelect,
    )
    csr = forms.CharField(
        label="CSR",
        required=False,
        max_length=MAX_CSR,
        widget=area_for_csr(),
        help_text="PKCS #10 as PEM, base64 or DER: paste it, or drop the file here.",
    )
    algorithm = forms.CharField(required=False)
    sans = NamesField(
        label="Names",
        help_text="One a line, such as shop.example.com, 192.0.2.7 or uri:spiffe://example.com/shop.",
    )
    common_name = forms.CharField(
        required=False, max_length=64, help_text="One of the names. Most programs need none."
    )
    owner = forms.ModelChoiceField(
        queryset=Owner.objects.all(),
        widget=AutocompleteSelect(Certificate._meta.get_field("owner"), admin.site),  # noqa: SLF001
        help_text="Who answers for it.",
    )
    justification = why_field()
    targets = forms.ModelMultipleChoiceField(
        required=False,
        queryset=Target.objects.filter(enabled=True),
        widget=AutocompleteSelectMultiple(Job._meta.get_field("target"), admin.site),  # noqa: SLF001
        help_text="Where it is put once it is issued.",
    )
    team = forms.ModelChoiceField(
        required=False,
        queryset=Team.objects.all(),
        widget=AutocompleteSelect(Certificate._meta.get_field("team"), admin.site),  # noqa: SLF001
    )
    name = forms.CharField(
        required=False, max_length=200, help_text="How it is listed; empty: by its first name."
    )
    lifetime = DurationField(required=False, help_text="Such as 30d; empty: the profile's longest.")
    renewal_policy = forms.ModelChoiceField(
        required=False, queryset=RenewalPolicy.objects.order_by("name"), empty_label="None"
    )
    environment = forms.CharField(
        required=False,
        max_length=Certificate._meta.get_field("environment").max_length,  # noqa: SLF001
    )
    tags = LinesField(help_text="One a line.", widget=forms.Textarea)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, shown in self.fields.items():
            if name not in {"source", "once"}:
                known = shown.widget.attrs.get("class", "")
                shown.widget.attrs["class"] = f"decide-field {known}".strip()
            if shown.help_text:
                shown.widget.attrs["aria-describedby"] = f"id_{name}_help id_{name}_error"
        self.fields["sans"].widget.attrs.update(rows=4, spellcheck="false")
        self.fields["tags"].widget.attrs.update(rows=2, spellcheck="false")

    @override
    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("source") == "csr":
            data["sans"], data["common_name"] = [], ""  # they are those of the CSR
            if not data.get("csr") and "csr" not in self.errors:
                self.add_error("csr", forms.ValidationError("Give the CSR.", "required"))
        elif not data.get("sans") and "sans" not in self.errors:
            self.add_error("sans", forms.ValidationError("Give a name.", "required"))
        return data


@dataclass(frozen=True, slots=True)
class Outlook:
    """What would come of a request as it stands."""

    errors: list[dict[str, str]]
    names: list[str] = field(default_factory=list)
    rules: dict[str, list[Rule]] = field(default_factory=dict)
    algorithms: list[str] = field(default_factory=list)
    summary: str = ""

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {name: getattr(self, name) for name in self.__slots__}


def weigh(actor: Principal, form: RequestForm) -> services.Foreseen | None:
    """Put everything that is wrong with the request into `form`; return what it comes to, if well.

    The rules are those of the service: this asks it, also where fields are still missing.
    """
    form.is_valid()
    data = form.cleaned_data
    if data.get("profile") is None or data.get("issuer") is None:
        return None
    try:
        foreseen = services.foresee_issuance(
            actor=actor,
            issuer=data["issuer"],
            profile=data["profile"],
            common_name=data.get("common_name", ""),
            sans=data.get("sans", ()),
            csr_pem=data.get("csr", ""),
            lifetime=data.get("lifetime"),
            justification=data.get("justification", ""),
        )
    except Invalid as error:
        _show(form, error)
        return None
    return None if form.errors else foreseen


def _show(form: RequestForm, error: Invalid) -> None:
    """Put what the service refuses at its fields; what a field itself has wrong comes first."""
    wrong_already = set(form.errors)
    for wrong in error.errors:
        place = wrong["field"] if wrong["field"] in form.fields else None
        if place not in wrong_already:
            form.add_error(place, forms.ValidationError(wrong["detail"], wrong["code"]))
    if not error.errors:
        form.add_error(None, forms.ValidationError(error.detail, error.code))


def outlook(actor: Principal, form: RequestForm) -> Outlook:
    """Return what the page shows beside the fields while somebody types."""
    foreseen = weigh(actor, form)
    data = form.cleaned_data
    profile, issuer = data.get("profile"), data.get("issuer")
    errors = [
        {"field": name, "code": wrong["code"], "detail": wrong["message"]}
        for name, mistakes in form.errors.get_json_data().items()
        for wrong in mistakes
    ]
    return Outlook(
        errors=errors,
        names=list(data.get("sans") or []),
        rules=rules_of(profile, issuer),
        algorithms=list(profile.key_algorithms) if profile else [],
        summary=_summary(foreseen, data) if foreseen else "",
    )


def rules_of(profile: Profile | None, issuer: Issuer | None) -> dict[str, list[Rule]]:
    """Return the rules of what is chosen, to stand beside the fields."""
    return {
        "profile": rules_of_profile(profile) if profile else [],
        "issuer": rules_of_issuer(issuer) if issuer else [],
    }


def asked_with(data: dict[str, Any]) -> dict[str, Any]:
    """Return what a valid form says as the arguments of the use case."""
    kept = {name: value for name, value in data.items() if name not in _OF_THE_PAGE}
    return {**kept, "csr_pem": data["csr"]}


_OF_THE_PAGE = {"once", "source", "algorithm", "csr"}


def _summary(foreseen: services.Foreseen, data: dict[str, Any]) -> str:
    profile: Profile = data["profile"]
    key = foreseen.key_algorithm + (
        f" {foreseen.key_size}" if foreseen.key_algorithm == "rsa" else ""
    )
    lifetime = durations.words(data.get("lifetime") or profile.max_lifetime)
    then = (
        "Somebody else decides on it before it is signed."
        if profile.needs_approval(Job.Kind.ISSUANCE)
        else "It is signed at once."
    )
    listed = ", ".join(foreseen.sans) or foreseen.common_name
    return f"{listed}; {key or 'no key yet'}; for {lifetime}. {then}"


def _with_kind(line: str) -> str:
    if line.lower().startswith(_KINDS):
        kind, _, rest = line.partition(":")
        return f"{kind.lower()}:{rest.strip()}"
    try:
        ipaddress.ip_address(line)
    except ValueError:
        if "://" in line:
            return f"uri:{line}"
        return f"email:{line}" if "@" in line else f"dns:{line}"
    return f"ip:{line}"
