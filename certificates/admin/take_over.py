"""The page on which a CA that exists is taken over, with its key; the key is never shown again."""

from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse
from typing_extensions import override
from unfold.decorators import action

from certificates import services
from foundation.admin import ConfirmForm, Confirms, Question
from foundation.errors import FieldError
from issuers.services import CannotImport, ExistingCA, read_key_file
from issuers.services.ca_files import MAX_KEY_FILE
from owners.logins import actor_of

ADD = "issuers.add_issuer"
MAX_PEM = 200_000  # characters of certificates
MAX_CRL = 900_000  # octets: one form takes 1 MiB in all
REVOKED = (
    ("crl", "It published CRLs: the last one is below"),
    ("none", "It never published a CRL: nothing of it is revoked"),
    ("later", "I give its last CRL later; until then it publishes none, and OCSP says nothing"),
)


class TakeOverForm(ConfirmForm):
    """A CA's files, and what relying parties know of it."""

    slug = forms.SlugField(
        label="Short name",
        max_length=64,
        help_text="In addresses of its CRL and OCSP: lower-case letters, digits and hyphens.",
    )
    name = forms.CharField(max_length=150, required=False)
    key = forms.FileField(
        label="Private key",
        max_length=255,
        help_text="A file: PEM, PKCS #8 or PKCS #12. It is sealed at once, and never shown again.",
    )
    password = forms.CharField(
        label="Password of the key's file",
        required=False,
        strip=False,
        max_length=1024,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    certificate = forms.CharField(
        label="Certificate in PEM",
        required=False,
        max_length=MAX_PEM,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text="Not needed where the PKCS #12 has it.",
    )
    chain = forms.CharField(
        label="Certificates above it in PEM",
        required=False,
        max_length=MAX_PEM,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
    )
    revoked = forms.ChoiceField(label="What it has revoked", choices=REVOKED, initial="crl")
    crl = forms.FileField(
        label="Its last CRL", required=False, help_text="A file, in DER or PEM (RFC 5280 §5)."
    )

    @override
    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("key") is not None and data["key"].size > MAX_KEY_FILE:
            self.add_error("key", "This is too large for a key.")
        crl = data.get("crl")
        if crl is not None and crl.size > MAX_CRL:
            self.add_error("crl", "Use `create_ca --crl` for a CRL as long as this.")
        if (data.get("revoked") == "crl") != (crl is not None):
            self.add_error(
                "crl", "Give the last CRL, or say that there is none or that it follows."
            )
        return data


class TakesOver(Confirms):
    """A page of issuers: it takes over a CA."""

    taking: ClassVar = {"take_over": "issuer.import"}

    def has_add_ca_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Name the permission that making and taking over CAs asks for."""
        return request.user.has_perm(ADD)

    @action(
        description="Take over a CA…",
        url_path="take-over",
        icon="key",
        permissions=["add_ca"],
    )
    def take_over(self, request: HttpRequest) -> HttpResponse:
        """Ask for the files of a CA, and make an issuer of it."""
        question = Question(
            "take_over",
            title="Take over a CA",
            button="Take it over",
            back=self.list_page(),
            explanation="Its key comes here and signs from now on: nothing else may use it any "
            "more, for a CRL speaks for one key and has one line of numbers (RFC 5280 §5).",
            form=TakeOverForm,
            is_calm=True,
        )
        return self.confirm(request, question, lambda data: [_taken_over(request, data)])


def _taken_over(request: HttpRequest, data: dict[str, Any]) -> str:
    try:
        file = read_key_file(data["key"].read(), data["password"])
    except CannotImport as error:
        raise CannotImport(errors=[FieldError("key", error.code, error.detail)]) from None
    certificate = data["certificate"] or file.certificate_pem
    if not certificate.strip():
        words = "Give the CA's certificate: the key's file has none."
        raise CannotImport(errors=[FieldError("certificate", "required", words)])
    issuer = services.take_over_ca(
        actor=actor_of(request),
        ca=ExistingCA(
            slug=data["slug"],
            name=data["name"],
            key_pem=file.key_pem,
            certificate_pem=certificate,
            chain_pem=f"{data['chain']}\n{file.chain_pem}",
            crls=[data["crl"].read()] if data["crl"] else [],
            has_no_crl=data["revoked"] == "none",
        ),
    )
    later = "" if not issuer.awaits_crl else " It publishes no CRL before its last one is here."
    return f"{issuer} is taken over.{later}"
