"""A version as files in the admin: downloads, which the trail tells of, and texts to copy."""

import re
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST
from typing_extensions import override

from certificates import services
from certificates.export import FILES, pem_alone, pem_chain
from certificates.models import Version
from foundation.admin import Confirms, Page, valid
from foundation.admin.refusals import words_of
from owners.logins import actor_of

EXPORT = "certificates.export_certificate"
MAX_PASSWORD = 128  # characters
_NOT_IN_A_FILE_NAME = re.compile(r"[^A-Za-z0-9.-]+")


class DownloadForm(forms.Form):
    """Which file."""

    form = forms.ChoiceField(choices=[(name, name) for name in FILES])
    password = forms.CharField(required=False, strip=False, max_length=MAX_PASSWORD)
    legacy = forms.BooleanField(required=False)


class ShowsFiles(Page, Confirms):
    """A page with the files of a version below it, for whoever may export."""

    page_after = "admin/certificates/files.html"
    page_scripts = ("certctl/copy.js",)

    def version_of(self, row: Any) -> Version | None:
        """Return the version whose files the page of `row` shows."""
        raise NotImplementedError

    @override
    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, str(object_id)) if request.user.has_perm(EXPORT) else None
        version = self.version_of(row) if row is not None else None
        files = (
            {
                "version": version,
                "leaf": pem_alone(version).decode(),
                "chain": pem_chain(version).decode(),
            }
            if version is not None
            else None
        )
        extra = {"files": files, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, extra)


class Downloads(ShowsFiles):
    """The same, and where the files come from: the admin of versions."""

    downloading: ClassVar = {"download": "certificate.export"}

    @override
    def get_urls(self) -> list[URLPattern]:
        def download(request: HttpRequest, object_id: str) -> HttpResponse:
            return self.admin_site.admin_view(require_POST(self.download_view))(request, object_id)

        download.model_admin = self  # type: ignore[attr-defined]  # as Django's own views have it
        name = f"{self.opts.app_label}_{self.opts.model_name}_download"
        return [path("<path:object_id>/download/", download, name=name), *super().get_urls()]

    def download_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer with the file; who took it is recorded, as at every other door."""
        if not request.user.has_perm(EXPORT) or not self.has_view_permission(request):
            raise PermissionDenied
        version: Version = self.row(request, object_id)
        try:
            given = valid(DownloadForm(request.POST))
            data = services.export(version=version, actor=actor_of(request), **given)
        except Exception as error:  # noqa: BLE001 - what nobody foresaw is raised again
            outcome = self.refuse(request, "download", error, version.certificate)
            self.message_user(request, words_of(outcome), messages.ERROR)
            return HttpResponseRedirect(self.row_page(version))
        media, suffix = FILES[given["form"]]
        stem = _NOT_IN_A_FILE_NAME.sub("_", version.certificate.name).strip("._") or "certificate"
        return HttpResponse(
            data,
            content_type=media,
            headers={
                "Content-Disposition": f'attachment; filename="{stem}-v{version.number}.{suffix}"'
            },
        )
