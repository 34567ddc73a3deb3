"""A device that speaks EST, through a TLS front that is believed, and what it gets."""

import base64
import re
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from django.test import Client

from audit.models import Event
from certificates.models import Version
from enrollment.cms import bags
from issuers.x509 import certs
from tests.enrollment.conftest import DEVICE, FRONT
from tests.fixtures import make_csr

BASE = "/.well-known/est"
PKCS10 = "application/pkcs10"


def der_of(csr_pem):
    """A request's DER."""
    return x509.load_pem_x509_csr(csr_pem.encode()).public_bytes(serialization.Encoding.DER)


def body_of(csr_pem):
    """A request as RFC 8951 sends it."""
    return base64.encodebytes(der_of(csr_pem))


def basic(text, user=""):
    """The header of HTTP Basic."""
    return "Basic " + base64.b64encode(f"{user}:{text}".encode()).decode()


def escaped(pem):
    """A certificate as nginx hands it on."""
    return quote(pem, safe="")


def certificates_in(answer):
    """The certificates of a certs-only answer, whose lines are as OpenSSL reads them."""
    text = answer.content
    assert text.endswith(b"\n")
    assert all(len(line) <= 76 for line in text.splitlines())
    return bags.parse(base64.b64decode(text)).certificates


class Est(Client):
    """Sends what a device sends, with what the front adds to it."""

    def ask(
        self,
        operation,
        csr_pem=None,
        *,
        label="cams",
        body=None,
        secret=None,
        user="",
        shown=None,
        peer=FRONT,
        content_type=PKCS10,
        method="post",
        **headers,
    ):
        path = f"{BASE}/{label}/{operation}" if label else f"{BASE}/{operation}"
        sent = {"X-Forwarded-Proto": "https", "User-Agent": "device", **headers}
        if secret is not None:
            sent["Authorization"] = basic(secret, user)
        if shown is not None:
            sent["X-SSL-Client-Cert"] = escaped(getattr(shown, "pem", shown))
        extra = {"REMOTE_ADDR": peer, "headers": sent}
        if method == "get":
            return self.get(path, **extra)
        data = body if body is not None else body_of(csr_pem)
        return self.generic("POST", path, data, content_type, **extra)


def parts_of(answer):
    """The parts of a multipart answer: (headers, bytes)."""
    boundary = re.search(r"boundary=(\w+)", answer.headers["Content-Type"])[1].encode()
    parts = answer.content.split(b"--" + boundary)[1:-1]
    for part in parts:
        head, _, body = part.partition(b"\r\n\r\n")
        yield head.decode(), base64.b64decode(body)


def enrolled(est, label, made, csr=None):
    """Enroll; the version that came out."""
    answer = est.ask("simpleenroll", csr or make_csr(DEVICE), label=label.path, secret=made.text)
    assert answer.status_code == 200, answer.content
    (certificate,) = certificates_in(answer)
    return Version.objects.get(fingerprint=certs.fingerprint(certificate))


def refusals():
    """What the trail says of refusals, as (action, status)."""
    return [
        (event.action, event.data.get("status") or event.data.get("why"))
        for event in Event.objects.filter(action__endswith=".refuse").order_by("pk")
    ]
