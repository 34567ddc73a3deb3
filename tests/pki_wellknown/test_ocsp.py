import base64
import subprocess
from datetime import timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import pytest
import time_machine
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from certificates import services
from certificates.models import OCSPResponse
from foundation.errors import ConnectorError
from pki_wellknown import views

SHA1 = hashes.SHA1()  # noqa: S303 - what many clients still name certificates by
URL = "/.well-known/pki/ocsp/issuing"
MALFORMED, INTERNAL, LATER, UNAUTHORIZED = (bytes((48, 3, 10, 1, n)) for n in (1, 2, 3, 6))


def request_for(version, algorithm=None, *, nonce=None, issuer=None, padding=0):
    builder = ocsp.OCSPRequestBuilder().add_certificate(
        x509.load_pem_x509_certificate(version.pem.encode()),
        x509.load_pem_x509_certificate((issuer or version.issuer).certificate_pem.encode()),
        algorithm or hashes.SHA256(),
    )
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    if padding:
        unknown = x509.UnrecognizedExtension(
            x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\0" * padding
        )
        builder = builder.add_extension(unknown, critical=False)
    return builder.build().public_bytes(serialization.Encoding.DER)


def post(client, der, content_type="application/ocsp-request", url=URL, **headers):
    return client.post(url, der, content_type=content_type, headers=headers)


def status(response):
    return ocsp.load_der_ocsp_response(response.content).certificate_status.name


def test_a_posted_question_is_answered(client, version):
    response = post(client, request_for(version))

    assert (response.status_code, response["Content-Type"]) == (200, "application/ocsp-response")
    assert int(response["Content-Length"]) == len(response.content)
    assert status(response) == "GOOD"
    assert not response.cookies
    assert "Vary" not in response


def test_a_long_question_is_answered_by_post_and_over_8_kib_not_by_get(client, version):
    short, long = (request_for(version, padding=size) for size in (4000, 7000))

    answers = [
        client.get(f"{URL}/{quote(base64.b64encode(der), safe='')}") for der in (short, long)
    ]

    assert status(post(client, long)) == status(answers[0]) == "GOOD"
    assert answers[1].content == MALFORMED


def test_a_question_in_a_path_has_eight_kibibytes_at_most():
    assert views._decode("A" * 8192) == bytes(6144)
    assert views._decode("A" * 8196) is None


def test_a_warm_answer_takes_one_query(client, version, django_assert_num_queries):
    der = request_for(version)
    cold = post(client, der)

    with django_assert_num_queries(1):
        warm = post(client, der)

    assert warm.content == cold.content


def test_the_headers_are_as_rfc_9919_wants_them(client, version):
    response = post(client, request_for(version))

    stored = OCSPResponse.objects.get()
    assert response["ETag"] == f'"{stored.etag}"'
    assert parsedate_to_datetime(response["Last-Modified"]) == stored.this_update
    assert parsedate_to_datetime(response["Expires"]) == stored.next_update
    assert response["Expires"].endswith("GMT")
    age, *rest = response["Cache-Control"].split(", ")
    assert rest == ["public", "no-transform", "must-revalidate"]
    assert (
        0
        < int(age.removeprefix("max-age="))
        < (stored.next_update - timezone.now()).total_seconds()
    )
    assert "Pragma" not in response


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_the_content_type_does_not_matter(client, version, content_type):
    assert status(post(client, request_for(version), content_type)) == "GOOD"


def spellings(der):
    plain = base64.b64encode(der).decode()
    return {
        "escaped": quote(plain, safe=""),
        "lower-case escapes": quote(plain, safe="").replace("%2F", "%2f").replace("%2B", "%2b"),
        "plain": plain,
        "no padding": plain.rstrip("="),
        "leading slash": "/" + plain,
        "space for plus": plain.replace("+", "%20"),
    }


@pytest.fixture
def awkward(issue):
    """A version whose request has /, // or + in base64, so that each spelling differs."""
    for n in range(200):
        version = issue(f"w{n}.demo.internal")
        text = base64.b64encode(request_for(version, SHA1)).decode()
        if "+" in text and "/" in text:
            return version
    raise AssertionError


@pytest.mark.parametrize(
    "spelling",
    ["escaped", "lower-case escapes", "plain", "no padding", "leading slash", "space for plus"],
)
def test_get_and_post_give_the_same_bytes(client, awkward, spelling):
    for algorithm in (SHA1, hashes.SHA256()):
        der = request_for(awkward, algorithm)
        response = client.get(f"{URL}/{spellings(der)[spelling]}")
        assert response.status_code == 200
        assert response.content == post(client, der).content
        assert status(response) == "GOOD"


def test_two_slashes_in_a_row_survive(client, version, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "pki_wellknown.views.parse",
        lambda der: (
            seen.append(der)
            or (_ for _ in ()).throw(
                __import__("issuers.x509.ocsp", fromlist=["x"]).MalformedRequest
            )
        ),
    )
    der = b"0\xff\xff\xff\xfe"  # "MP////4=" in base64

    client.get(f"{URL}/{base64.b64encode(der).decode()}")

    assert seen == [der]


@pytest.mark.parametrize("method", ["get", "head"])
def test_who_has_the_answer_is_told_so(client, version, method):
    url = f"{URL}/{quote(base64.b64encode(request_for(version)), safe='')}"
    full = client.get(url)

    for headers in ({"If-None-Match": full["ETag"]}, {"If-Modified-Since": full["Last-Modified"]}):
        response = getattr(client, method)(url, headers=headers)
        assert (response.status_code, response.content) == (304, b"")
        assert response["ETag"] == full["ETag"]
    assert client.get(url, headers={"If-None-Match": '"old"'}).content == full.content
    assert int(client.head(url)["Content-Length"]) == len(full.content)


def test_after_a_revocation_the_old_validator_is_worth_nothing(client, version, bob):
    url = f"{URL}/{quote(base64.b64encode(request_for(version)), safe='')}"
    good = client.get(url)
    services.revoke(version_id=version.pk, actor=bob)

    response = client.get(url, headers={"If-None-Match": good["ETag"]})

    assert (response.status_code, status(response)) == (200, "REVOKED")


@pytest.mark.parametrize("change", ["revoked", "corrected", "released"])
def test_an_answer_of_the_same_second_is_newer_all_the_same(client, version, bob, change):
    url = f"{URL}/{quote(base64.b64encode(request_for(version)), safe='')}"
    with time_machine.travel(timezone.now(), tick=False):
        if change != "revoked":
            services.revoke(version_id=version.pk, actor=bob, reason="certificateHold")
        before = client.get(url)
        if change == "released":
            services.release_hold(version_id=version.pk, actor=bob)
        else:
            services.revoke(version_id=version.pk, actor=bob, reason="keyCompromise")

        answer = client.get(url, headers={"If-Modified-Since": before["Last-Modified"]})

        assert answer.status_code == 200
        assert status(answer) == ("GOOD" if change == "released" else "REVOKED")
        again = client.get(url, headers={"If-Modified-Since": answer["Last-Modified"]})
        assert again.status_code == 304


def test_a_serial_is_enough(client, version, bob):
    assert status(client.get(f"{URL}/{version.serial}")) == "GOOD"
    services.revoke(version_id=version.pk, actor=bob)
    assert status(client.get(f"{URL}/{version.serial.upper()}")) == "REVOKED"
    assert client.get(f"{URL}/4711").content == UNAUTHORIZED
    assert client.get(f"{URL}/{'f' * 41}").content == MALFORMED


# --- What gets no certificate's status ------------------------------------------------------


def refused(response, expected):
    assert (response.status_code, response["Content-Type"]) == (200, "application/ocsp-response")
    assert response.content == expected
    assert int(response["Content-Length"]) == 5
    assert "no-cache" in response["Cache-Control"]
    assert "ETag" not in response


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"0",
        b"hello",
        b"\x30\x03\x0a\x01\x01",
        b"\x00" * 100_000,
        b"0\x84\xff\xff\xff\xff",
        "trailing",
        "cut",
        "empty nonce",
        "long nonce",
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_no_question_is_malformed(client, version, der):
    whole = request_for(version)
    der = (
        {
            "trailing": whole + b"\0",
            "cut": whole[:-3],
            "empty nonce": request_for(version, nonce=b"") if der == "empty nonce" else b"",
            "long nonce": request_for(version, nonce=b"n" * 129),
        }.get(der, der)
        if isinstance(der, str)
        else der
    )

    refused(post(client, der), MALFORMED)


@pytest.mark.parametrize(
    "encoded",
    [
        "%%%",
        "M",
        "hello world",
        "é",
        "A" * 9000,
        "_-_-",
        "MFYw",
        "M\x00",
        "..",
        "=" * 8,
        "\n",
        "MFYw\n",
        "MF\nYw",
        "4711\n",
        "\r\n",
        "\x85",
        "\u2028",
        "a\tb",
        "a/\n/b",
        "\x7f",
    ],
)
def test_a_path_that_is_no_question_is_malformed(client, local_ca, encoded):
    refused(client.get(f"{URL}/{quote(encoded)}"), MALFORMED)


def test_a_get_without_a_question_is_malformed(client, local_ca):
    refused(client.get(URL), MALFORMED)
    refused(client.get(f"{URL}/"), MALFORMED)


def test_a_content_length_that_lies_is_malformed(client, local_ca):
    for length in ("9" * 5000, "-1", "x", "65537"):
        response = client.generic("POST", URL, b"", CONTENT_LENGTH=length)
        refused(response, MALFORMED)


def test_what_we_did_not_issue_is_unauthorized(client, version, root_ca, issue, short_profile):
    other = issue("other.demo.internal", issuer=root_ca)
    short = issue("short.demo.internal", profile=short_profile)

    refused(post(client, request_for(other)), UNAUTHORIZED)
    refused(post(client, request_for(version, issuer=root_ca)), UNAUTHORIZED)
    refused(post(client, request_for(short)), UNAUTHORIZED)
    refused(post(client, request_for(version), url="/.well-known/pki/ocsp/root"), UNAUTHORIZED)


@pytest.mark.parametrize("tail", ["", "/", "/4711", "/MFYw"])
def test_an_unknown_issuer_is_not_found(client, db, tail):
    assert client.get(f"/.well-known/pki/ocsp/nowhere{tail}").status_code == 404


def test_an_unknown_issuer_is_not_found_by_post(client, version):
    assert (
        post(client, request_for(version), url="/.well-known/pki/ocsp/nowhere").status_code == 404
    )
    assert post(client, b"x", url="/.well-known/pki/ocsp/nowhere").status_code == 404


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_other_methods_are_refused(client, local_ca, method):
    response = getattr(client, method)(URL)
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, POST")
    with_path = client.post(f"{URL}/MFYw", b"", content_type="application/ocsp-request")
    assert (with_path.status_code, with_path["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OperationalError(), LATER),
        (ConnectorError("away", permanent=False), LATER),
        (RuntimeError(), INTERNAL),
    ],
)
def test_trouble_on_our_side_is_said_in_ocsp(client, version, monkeypatch, error, expected):
    def broken(*args):
        raise error

    monkeypatch.setattr("certificates.ocsp.response_for", broken)
    monkeypatch.setattr("certificates.ocsp.response_for_serial", broken)

    refused(post(client, request_for(version)), expected)
    refused(client.get(f"{URL}/{version.serial}"), expected)


def test_a_csrf_check_or_an_https_redirect_never_gets_in_the_way(version, settings):
    settings.SECURE_SSL_REDIRECT = True
    strict = Client(enforce_csrf_checks=True)

    assert status(post(strict, request_for(version))) == "GOOD"


# --- openssl --------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("digest", ["-sha1", "-sha256", "-sha384", "-sha512"])
@pytest.mark.parametrize("nonce", ["-nonce", "-no_nonce"])
def test_openssl_accepts_the_answers(issue, bob, live_server, tmp_path, openssl, digest, nonce):
    good, bad = issue("good.demo.internal"), issue("bad.demo.internal")
    services.revoke(version_id=bad.pk, actor=bob, reason="superseded")
    (tmp_path / "issuer.pem").write_text(good.issuer.certificate_pem)
    (tmp_path / "chain.pem").write_text(good.chain_pem)
    for name, version in (("good", good), ("bad", bad)):
        (tmp_path / f"{name}.pem").write_text(version.pem)

    def asked(name):
        return subprocess.run(
            [
                openssl,
                "ocsp",
                "-issuer",
                "issuer.pem",
                digest,
                "-cert",
                f"{name}.pem",
                nonce,
                "-CAfile",
                "chain.pem",
                "-url",
                live_server.url + URL,
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    accepted, refused_ = asked("good"), asked("bad")

    assert "Response verify OK" in accepted.stderr
    assert "good.pem: good" in accepted.stdout
    assert "bad.pem: revoked" in refused_.stdout
    assert "Reason: superseded" in refused_.stdout


def test_openssl_reads_what_a_serial_is_answered_with(client, version, tmp_path, openssl):
    (tmp_path / "r.der").write_bytes(client.get(f"{URL}/{version.serial}").content)
    (tmp_path / "issuer.pem").write_text(version.issuer.certificate_pem)
    (tmp_path / "chain.pem").write_text(version.chain_pem)
    (tmp_path / "leaf.pem").write_text(version.pem)

    shown = subprocess.run(
        [
            openssl,
            "ocsp",
            "-respin",
            "r.der",
            "-issuer",
            "issuer.pem",
            "-cert",
            "leaf.pem",
            "-CAfile",
            "chain.pem",
            "-no_nonce",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "leaf.pem: good" in shown.stdout
    assert timezone.now() - OCSPResponse.objects.get().this_update < timedelta(minutes=2)


def test_a_question_is_read_up_to_64_kib_exactly(client, version):
    room = 65536 - (len(request_for(version, padding=60000)) - 60000)
    longest, longer = (request_for(version, padding=size) for size in (room, room + 1))
    assert (len(longest), len(longer)) == (65536, 65537)

    assert status(post(client, longest)) == "GOOD"
    refused(post(client, longer), MALFORMED)
