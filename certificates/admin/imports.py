"""Certificates that others had signed, imported from files: looked at first, then confirmed."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from typing_extensions import override
from unfold.decorators import action

from certificates import policy, services
from certificates.details import Details
from certificates.models import Certificate, RenewalPolicy
from certificates.services.bundles import Candidate, Look
from foundation.admin import Confirms, valid
from foundation.admin.forms import show
from foundation.admin.refusals import words_of
from foundation.errors import FieldError, Invalid
from foundation.forms import LinesField
from issuers.models import Issuer, Profile
from owners.logins import actor_of
from owners.models import Owner, Team

IMPORT = "certificates.import_certificate"
MAX_PASTED = 500_000  # characters
SHOWN = 100  # rows of each kind on the page
# What one press may take: a front waits 60 s. What is left is offered on the next page.
BUDGET = 20.0  # seconds


class SeveralFiles(forms.FileInput):
    """Files, several at once."""

    allow_multiple_selected = True

    @override
    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[UploadedFile[Any]]:
        chosen: list[UploadedFile[Any]] = files.getlist(name)
        return chosen


class FilesField(forms.Field):
    """The chosen files; none is no mistake here."""

    widget = SeveralFiles

    @override
    def to_python(self, value: Any) -> list[UploadedFile[Any]]:
        return list(value or [])


class ImportForm(forms.Form):
    """What is imported, and what is to be said of it; the same of all that is in the files."""

    file = FilesField(
        label="Files",
        required=False,
        widget=SeveralFiles(attrs={"multiple": True, "class": "decide-field"}),
        help_text="PEM, bundles, PKCS #7 and DER; several at once, 16 MiB together. Never keys.",
    )
    text = forms.CharField(
        label="Or paste",
        required=False,
        max_length=MAX_PASTED,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
    )
    owner = forms.ModelChoiceField(
        queryset=Owner.objects.all(),
        widget=AutocompleteSelect(Certificate._meta.get_field("owner"), admin.site),  # noqa: SLF001
        help_text="Who answers for them.",
    )
    team = forms.ModelChoiceField(
        required=False,
        queryset=Team.objects.all(),
        widget=AutocompleteSelect(Certificate._meta.get_field("team"), admin.site),  # noqa: SLF001
    )
    issuer = forms.ModelChoiceField(
        queryset=Issuer.objects.filter(enabled=True).order_by("slug"),
        empty_label="Choose…",
        help_text="Who signs their renewals.",
    )
    profile = forms.ModelChoiceField(
        queryset=Profile.objects.filter(is_ca=False, is_ra=False, is_responder=False).order_by(
            "slug"
        ),
        empty_label="Choose…",
        help_text="Under which rules they are renewed.",
    )
    renewal_policy = forms.ModelChoiceField(
        required=False, queryset=RenewalPolicy.objects.order_by("name"), empty_label="None"
    )
    environment = forms.CharField(required=False, max_length=100)
    tags = LinesField(help_text="One a line.", widget=forms.Textarea)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for shown in self.fields.values():
            shown.widget.attrs["class"] = "decide-field"
        self.fields["tags"].widget.attrs.update(rows=2)

    def contents(self) -> list[tuple[str, bytes]]:
        """Return name and content of each file, and of what was pasted."""
        if not hasattr(self, "cleaned_data"):
            self.is_valid()
        chosen = [(str(one.name), one.read()) for one in self.cleaned_data.get("file", [])]
        pasted = self.cleaned_data.get("text", "")
        return [*chosen, *([("what was pasted", pasted.encode())] if pasted.strip() else [])]


@dataclass(frozen=True, slots=True)
class Imported:
    """What a press came to."""

    names: Sequence[str]
    refused: Sequence[str]


class Imports(Confirms):
    """A page to import from: it shows what is new, known and broken, and then asks once."""

    importing: ClassVar = {"import_files": "certificate.import"}

    def has_import_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Name the permission that importing asks for."""
        return request.user.has_perm(IMPORT)

    @action(description="Import…", url_path="import", icon="upload", permissions=["import"])
    def import_files(self, request: HttpRequest) -> HttpResponse:
        """Look at files, and import what is new in them when that is confirmed."""
        if request.method != "POST":
            return self._page(request, ImportForm())
        form = ImportForm(request.POST, request.FILES)
        files = form.contents()
        try:
            seen = services.look(files)
        except Invalid as error:
            show(form, self.refuse(request, "import_files", error))
            return self._page(request, form)
        if not self.is_confirmed(request):
            # Only what is looked at has to be there yet.
            if not files:
                form.add_error("file", "Choose files, or paste certificates.")
            kept = {name: form.errors[name] for name in ("file", "text") if name in form.errors}
            form.errors.clear()
            form.errors.update(kept)
            return self._page(request, form, seen=seen)
        try:
            said = valid(form)
            _check_plan(request.POST.get("plan", ""), seen)
            details = {name: said[name] for name in said if name not in {"file", "text"}}
            Details(**details)  # what is wrong with it is wrong of all
        except Exception as error:  # noqa: BLE001 - what nobody foresaw is raised again
            outcome = self.refuse(request, "import_files", error)
            if not form.errors:
                show(form, outcome)
            return self._page(request, form, seen=seen)
        done = self._import(request, seen.new, details)
        return self._page(request, form, seen=services.look(files), done=done)

    def _import(
        self, request: HttpRequest, new: Sequence[Candidate], details: dict[str, Any]
    ) -> Imported:
        """Import one by one, each an act of its own, for as long as one answer may take."""
        names, refused = [], []
        until = time.monotonic() + BUDGET
        for one in new:
            try:
                certificate = services.import_pem(
                    actor=actor_of(request), pem=one.pem, details=Details(**details)
                )
            except Exception as error:  # noqa: BLE001 - what nobody foresaw is raised again
                outcome = self.refuse(request, "import_files", error)
                refused.append(f"{one.name} ({one.where}): {words_of(outcome)}")
            else:
                names.append(certificate.name)
            if time.monotonic() > until:
                break
        return Imported(names, refused)

    def _page(
        self,
        request: HttpRequest,
        form: ImportForm,
        *,
        seen: Look | None = None,
        done: Imported | None = None,
    ) -> HttpResponse:
        return self.render_page(
            request,
            "admin/certificates/certificate/import.html",
            status=400 if form.errors else 200,
            title="Import certificates",
            opts=self.opts,
            media=self.media + form.media,
            form=form,
            seen=seen,
            done=done,
            shown=SHOWN,
            most=settings.MAX_IMPORT_BYTES,
            back=self.list_page(),
        )


_CHANGED = "What is new is no longer what was shown: look again, and confirm that."


def _check_plan(shown: str, seen: Look) -> None:
    """Raise PlanChanged where something else is new than the page showed."""
    if shown != seen.plan:
        raise policy.PlanChanged(errors=[FieldError("file", "plan_changed", _CHANGED)])
