"""What relying parties may ask for, relative to /.well-known/pki/."""

from django.urls import path, register_converter

from pki_wellknown import views


class Anything:
    """All that follows, line breaks too, which Django's own `path` does not take (`%0A`)."""

    regex = r"[\s\S]+"

    def to_python(self, value: str) -> str:
        """Leave it as it is: what cannot be read is answered as malformed by the view."""
        return value

    def to_url(self, value: str) -> str:
        """Leave it as it is."""
        return value


class Scope:
    """A part of an issuer's CRL: the number of a shard, without leading zeros, or `delta`."""

    regex = r"delta|0|[1-9][0-9]{0,3}"

    def to_python(self, value: str) -> str:
        """Leave it as it is: the view knows which there are."""
        return value

    def to_url(self, value: str) -> str:
        """Leave it as it is."""
        return value


register_converter(Anything, "anything")
register_converter(Scope, "scope")

urlpatterns = [
    path("crl/<slug:issuer>", views.crl, name="pki-crl"),
    path("crl/<slug:issuer>/<scope:scope>", views.crl_part, name="pki-crl-part"),
    path("ocsp/<slug:issuer>", views.ocsp, name="pki-ocsp"),
    path("ocsp/<slug:issuer>/", views.ocsp),
    path("ocsp/<slug:issuer>/<anything:encoded>", views.ocsp_get, name="pki-ocsp-get"),
    path("ca/<slug:issuer>", views.ca, name="pki-ca"),
]
