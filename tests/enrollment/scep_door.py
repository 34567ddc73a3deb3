"""A device that speaks SCEP over HTTP, by POST and by GET, and what it trusts."""

import base64
from datetime import timedelta
from functools import cache
from itertools import cycle
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client

from enrollment.cms import bags
from enrollment.scep import answers
from tests.ca import NOW, named
from tests.enrollment.conftest import DEVICE
from tests.enrollment.scep_client import Device, self_signed

SUCCESS, FAILURE, PENDING = 0, 2, 3
BAD_ALG, BAD_CHECK, BAD_REQUEST, BAD_CERT_ID = 0, 1, 2, 4
BASE = "/scep"


@cache
def _key(number):
    return rsa.generate_private_key(65537, 2048)


_numbers = cycle(range(24))  # more than any test has devices: keys are slow to make


def new_key():
    """Return an RSA key, as gear has them; no two in a row are the same."""
    return _key(next(_numbers))


def csr_der(key, *, name=DEVICE, challenge=None, digest=None, sans=None):
    """Return a PKCS #10 request in DER for a DNS name, with a challenge or without."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(named(name))
    general = [x509.DNSName(one) for one in ([name] if sans is None else sans)]
    if general:
        builder = builder.add_extension(x509.SubjectAlternativeName(general), critical=False)
    if challenge is not None:
        oid = x509.oid.AttributeOID.CHALLENGE_PASSWORD
        builder = builder.add_attribute(oid, challenge.encode())
    return builder.sign(key, digest or hashes.SHA256()).public_bytes(serialization.Encoding.DER)


class Scep(Client):
    """Sends what a device sends: plain http, no host that matters, no credentials."""

    def operation(self, name, *, label="routers", path=None, method="get", **query):
        given = "&".join(f"{key}={quote(value, safe='')}" for key, value in query.items())
        address = path if path is not None else f"{BASE}/{label}"
        return getattr(self, method)(f"{address}?operation={name}&{given}")

    def post_message(self, body, *, label="routers", path=None, content_type=answers.PKI_MESSAGE):
        address = path if path is not None else f"{BASE}/{label}"
        return self.generic("POST", f"{address}?operation=PKIOperation", body, content_type)

    def get_message(self, body, **options):
        return self.operation("PKIOperation", message=base64.b64encode(body).decode(), **options)

    def send(self, body, *, by="post", **options):
        return (self.post_message if by == "post" else self.get_message)(body, **options)

    def ra_of(self, label="routers"):
        """Return what a device takes for the RA: of what GetCACert gives, the one for RSA keys."""
        bag = bags.parse(self.operation("GetCACert", label=label).content)
        (ra,) = (one for one in bag.certificates if _encrypts(one))
        return ra


def _encrypts(certificate):
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    return usage.key_encipherment


def issued_by(ca_key, ca_name, key, name=DEVICE, serial=7):
    """Return a certificate of whoever calls itself `ca_name`."""
    return (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(ca_name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=365))
        .sign(ca_key, hashes.SHA256())
    )


def device(scep, *, label="routers", name=DEVICE, key=None, certificate=None, **options):
    """Return somebody with a key of their own who knows the label's RA."""
    key = key or new_key()
    return Device(scep.ra_of(label), key, certificate or self_signed(key, name), **options)


def asks(scep, who, challenge, *, by="post", label="routers", name=DEVICE, sans=None, **message):
    """Send a PKCSReq; its CertRep, read."""
    request = csr_der(who.key, name=name, challenge=challenge, sans=sans)
    return replied(who, scep.send(who.pkcs_req(request=request, **message), by=by, label=label))


def replied(who, answer, **options):
    """Read a CertRep; whatever it says, it is 200 and nobody's cookie."""
    assert answer.status_code == 200, answer.content
    assert answer.headers["Content-Type"] == answers.PKI_MESSAGE
    assert not answer.cookies
    reply = who.read(answer.content, **options)
    assert (reply.transaction_id, reply.recipient_nonce) == (who.transaction_id, who.nonce)
    assert len(reply.sender_nonce) == 16
    assert reply.sender_nonce != who.nonce
    return reply
