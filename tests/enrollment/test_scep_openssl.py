"""SCEP's messages as OpenSSL reads and writes them: another hand than ours on both ends."""

import subprocess

import pytest
from cryptography.hazmat.primitives import serialization

from certificates.models import Version
from enrollment.scep.message import MessageType
from issuers.x509 import certs
from tests.enrollment.conftest import DEVICE
from tests.enrollment.scep_door import SUCCESS, csr_der, device, replied

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(tmp_path):
    """Run openssl in a folder of its own; what it printed."""

    def call(*args):
        return subprocess.run(
            ["openssl", *args], cwd=tmp_path, check=True, capture_output=True, timeout=30
        ).stdout

    return call


def written(tmp_path, who):
    """Write the device's key and certificate where openssl finds them."""
    pkcs8 = who.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (tmp_path / "key.pem").write_bytes(pkcs8)
    (tmp_path / "device.pem").write_text(certs.pem(who.certificate))
    (tmp_path / "ra.pem").write_text(certs.pem(who.ra))


def test_openssl_encrypts_a_request_that_is_opened(scep, scep_label, secret_for, run, tmp_path):
    who = device(scep)
    written(tmp_path, who)
    request = csr_der(who.key, challenge=secret_for(scep_label).text)
    (tmp_path / "request.der").write_bytes(request)
    run(
        "cms", "-encrypt", "-binary", "-aes-256-cbc", "-in", "request.der", "-outform", "DER",
        "-out", "envelope.der", "ra.pem",
    )  # fmt: skip
    envelope = (tmp_path / "envelope.der").read_bytes()

    body = who.message(MessageType.PKCS_REQ, b"", envelope=envelope)
    reply = replied(who, scep.post_message(body))

    assert (reply.status, reply.cipher) == (SUCCESS, "aes256_cbc")


def test_openssl_verifies_and_decrypts_what_is_answered(
    scep, scep_label, secret_for, run, tmp_path
):
    who = device(scep)
    written(tmp_path, who)
    request = csr_der(who.key, challenge=secret_for(scep_label).text)
    answer = scep.post_message(who.pkcs_req(request=request)).content
    (tmp_path / "answer.der").write_bytes(answer)
    cas = "".join(map(certs.pem, certs.load_all(scep_label.issuer.own_chain_pem)))
    (tmp_path / "cas.pem").write_text(cas)

    run(
        "cms", "-verify", "-binary", "-inform", "DER", "-in", "answer.der", "-CAfile", "cas.pem",
        "-purpose", "any", "-out", "inside.der",
    )  # fmt: skip
    run(
        "cms", "-decrypt", "-binary", "-inform", "DER", "-in", "inside.der", "-inkey", "key.pem",
        "-recip", "device.pem", "-out", "bag.der",
    )  # fmt: skip
    printed = run("pkcs7", "-inform", "DER", "-in", "bag.der", "-print_certs").decode()

    version = Version.objects.get(device=f"scep/routers/{DEVICE}")
    assert version.pem.strip() in printed


def test_openssl_reads_the_certificates_of_get_ca_cert(scep, scep_label, run, tmp_path):
    (tmp_path / "bag.der").write_bytes(scep.operation("GetCACert").content)

    printed = run("pkcs7", "-inform", "DER", "-in", "bag.der", "-print_certs").decode()

    assert scep_label.ra_certificate.current.pem.strip() in printed
