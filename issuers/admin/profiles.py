"""Profiles in the admin, written and deleted through the services."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from typing_extensions import override
from unfold.decorators import display

from foundation import durations
from foundation.admin import Deletes, Switches
from foundation.forms import LinesField, WordedChoicesField, in_order_of
from issuers import services
from issuers.admin import words
from issuers.admin.rules import ProfilePage
from issuers.admin.standing import COLOURS, state_of
from issuers.models import Profile
from issuers.templates import BY_SLUG, TEMPLATES
from owners.logins import actor_of


class AttributesField(LinesField):
    """Subject attributes, one `O=Example` a line."""

    @override
    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return "\n".join(f"{name}={text}" for name, text in value.items())
        return value

    @override
    def to_python(self, value: Any) -> Any:
        pairs = {}
        for line in super().to_python(value):
            name, equals, text = line.partition("=")
            if not equals:
                raise forms.ValidationError(f"{line!r} is not of the form O=Example.")
            pairs[name.strip()] = text.strip()
        return pairs

    @override
    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool((initial or {}) != self.to_python(data))
        except forms.ValidationError:
            return True  # what cannot be read is to be looked at


_BOXES = (
    "key_algorithms",
    "key_usage",
    "extended_key_usage",
    "subject_attributes",
    "approval_required_for",
)


class ProfileForm(forms.ModelForm[Profile]):
    """A profile: what there is a closed list of is ticked, all else written one a line."""

    key_algorithms = WordedChoicesField(known=words.ALGORITHMS)
    key_usage = WordedChoicesField(known=words.USAGES)
    extended_key_usage = WordedChoicesField(known=words.PURPOSES, label="Purposes")
    further_purposes = LinesField(
        label="Further purposes",
        help_text="Extended key usages that are not in the list, as dotted OIDs, one a line, such "
        "as 1.3.6.1.4.1.311.20.2.2.",
    )
    allowed_sans = LinesField(
        label="Allowed names",
        help_text="Patterns, one a line: dns:*.demo.internal, ip:10.0.0.0/8, email:*@example.com,"
        " uri:spiffe://example.com/*. A name that no pattern allows is refused.",
    )
    required_sans = LinesField(
        label="Required names",
        help_text="Patterns, one a line, of which each must be met by at least one name.",
    )
    subject_attributes = WordedChoicesField(
        known=words.ATTRIBUTES,
        label="Subject may have",
        help_text="What a request's subject may carry; one that carries anything else is refused.",
    )
    fixed_subject = AttributesField(
        label="Subject gets",
        help_text="Attributes that we set, one a line, such as O=Example.",
    )
    approval_required_for = WordedChoicesField(known=words.WORK, label="Somebody else approves")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        is_new = self.instance._state.adding  # noqa: SLF001 - what Django calls a new row by
        # The model's own, as at every other door.
        shown = Profile() if is_new else self.instance
        for name in _BOXES:
            self.initial[name] = getattr(shown, name)
        self.initial["extended_key_usage"] = [
            one for one in shown.extended_key_usage if one in words.PURPOSES
        ]
        others = [one for one in shown.extended_key_usage if one not in words.PURPOSES]
        self.fields["further_purposes"].initial = others

    @override
    def clean(self) -> Any:
        data = super().clean() or self.cleaned_data
        for name in _BOXES:
            if name in data:
                data[name] = in_order_of(getattr(self.instance, name), data[name])
        if "extended_key_usage" in data and "further_purposes" in data:
            purposes = [*data["extended_key_usage"], *data.pop("further_purposes")]
            data["extended_key_usage"] = in_order_of(self.instance.extended_key_usage, purposes)
        return data

    class Meta:
        model = Profile
        fields = (
            "slug",
            "name",
            "description",
            "enabled",
            "issuers",
            "max_lifetime",
            "allow_wildcards",
            "max_sans",
            "justification_required",
            "issues_nothing",
        )
        labels = {"max_sans": "Most names", "max_lifetime": "Longest life"}
        help_texts = {"max_lifetime": "5 minutes to 10 years."}


@admin.register(Profile)
class ProfileAdmin(ProfilePage, Switches, Deletes):
    """Rules for kinds of certificates."""

    empty_words = (
        "A profile is the rules for one kind of certificate: names, keys, lifetime, and who "
        "must agree."
    )
    empty_button = ("Make a profile", "issuers_profile_add")

    off_words = "Nothing more is asked for or renewed by its rules. What was issued stays valid."
    form = ProfileForm
    change_form_before_template = "admin/issuers/profile/templates.html"
    list_display = ("slug", "name", "state", "longest", "shown_algorithms", "approval")
    list_filter = ("enabled", "issuers")
    search_fields = ("slug", "name", "description")
    ordering = ("slug",)
    autocomplete_fields = ("issuers",)
    use_cases = {
        "add": "profile.create",
        "change": "profile.update",
        "delete": "profile.delete",
    }
    fieldsets = (
        (None, {"fields": ("slug", "name", "description", "enabled", "issuers")}),
        (
            "Names",
            {
                "fields": (
                    "allowed_sans",
                    "required_sans",
                    ("allow_wildcards", "max_sans"),
                    "issues_nothing",
                )
            },
        ),
        ("Subject", {"fields": ("subject_attributes", "fixed_subject")}),
        (
            "Key and purpose",
            {
                "fields": (
                    "max_lifetime",
                    "key_algorithms",
                    "key_usage",
                    "extended_key_usage",
                    "further_purposes",
                )
            },
        ),
        ("Approval", {"fields": ("approval_required_for", "justification_required")}),
    )

    @display(
        description="State",
        label=COLOURS,
    )
    def state(self, profile: Profile) -> str:
        """Say whether certificates are issued under it."""
        return state_of(profile)

    @display(description="Longest life", ordering="max_lifetime")
    def longest(self, profile: Profile) -> str:
        """Say how long a certificate lives at most."""
        return durations.words(profile.max_lifetime)

    @display(description="Keys")
    def shown_algorithms(self, profile: Profile) -> str:
        """List the key algorithms."""
        return ", ".join(profile.key_algorithms)

    @display(description="Approval", empty_value="-")
    def approval(self, profile: Profile) -> str:
        """List the jobs that need approval."""
        return ", ".join(profile.approval_required_for)

    @override
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # What our own CAs and SCEP labels are listed under is nobody's to edit.
        if obj is not None and obj.is_reserved:
            return False
        return bool(super().has_change_permission(request, obj))

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and obj.is_reserved:
            return False
        return bool(super().has_delete_permission(request, obj))

    @override
    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        chosen = BY_SLUG.get(request.GET.get("template", ""))
        return chosen.initial if chosen else super().get_changeform_initial_data(request)

    @override
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        begun = {
            "profile_templates": TEMPLATES,
            "chosen_template": BY_SLUG.get(request.GET.get("template", "")),
        }
        return super().add_view(request, form_url, {**begun, **(extra_context or {})})

    @override
    def save_row(self, request: HttpRequest, data: dict[str, Any], row: Any) -> Any:
        return services.save_profile(
            actor=actor_of(request),
            issuers=data.pop("issuers"),
            changes=data,
            profile_id=row.pk if row else None,
        )

    @override
    def delete_row(self, request: HttpRequest, row: Any) -> None:
        services.delete_profile(actor=actor_of(request), profile=row)
