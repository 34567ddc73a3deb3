"""Answers for one asker alone: nonces, several certificates, and what bounds their signatures.

Victor may read issuers, carol administers them; relying parties have no names.
"""

import base64
import dataclasses
import subprocess
from datetime import timedelta
from urllib.parse import quote

import pytest
import time_machine
from asn1crypto import core
from asn1crypto import ocsp as asn1
from cryptography import x509
from cryptography.x509 import ocsp as pyca
from django.db import transaction
from django.utils import timezone

from certificates import services
from certificates.models import OCSPResponse, SerialRevocation
from foundation.errors import ConnectorError
from issuers.connectors.local import LocalCA
from issuers.x509 import der
from issuers.x509.ocsp import cert_id
from tests.pki_wellknown.test_ocsp import (
    LATER,
    MALFORMED,
    UNAUTHORIZED,
    URL,
    post,
    refused,
    request_for,
    status,
)
from tests.races import aside

NONCE = b"n" * 32


def asked_about(version, algorithm="sha256", issuer=None):
    ca = x509.load_pem_x509_certificate((issuer or version.issuer).certificate_pem.encode())
    return cert_id(ca, int(version.serial, 16), algorithm)


def request_of(*cert_ids, nonce=None):
    listed = [der.encode(der.SEQUENCE, one.encode()) for one in cert_ids]
    extensions = b""
    if nonce is not None:
        value = der.encode(der.OCTET_STRING, core.OctetString(nonce).dump())
        one = der.encode(der.SEQUENCE, core.ObjectIdentifier("1.3.6.1.5.5.7.48.1.2").dump(), value)
        extensions = der.encode(0xA2, der.encode(der.SEQUENCE, one))
    tbs = der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, *listed), extensions)
    return der.encode(der.SEQUENCE, tbs)


def data_of(response):
    parsed = asn1.OCSPResponse.load(response.content, strict=True)
    assert parsed["response_status"].native == "successful", parsed["response_status"].native
    return parsed["response_bytes"]["response"].parsed["tbs_response_data"]


def statuses(response):
    return [one["cert_status"].name for one in data_of(response)["responses"]]


def nonce_of(response):
    extensions = data_of(response)["response_extensions"]
    if not len(extensions):
        return None
    [only] = extensions
    assert (only["extn_id"].native, only["critical"].native) == ("nonce", False)
    return core.OctetString.load(only["extn_value"].contents, strict=True).native


def is_for_one_alone(response):
    return "no-store" in response["Cache-Control"] and "ETag" not in response


# --- Nonces ---------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 15, 16, 32, 128])
def test_a_nonce_comes_back_in_an_answer_that_nobody_keeps(client, version, size):
    response = post(client, request_for(version, nonce=b"n" * size))

    assert nonce_of(response) == b"n" * size
    assert status(response) == "GOOD"
    assert is_for_one_alone(response)
    assert int(response["Content-Length"]) == len(response.content)
    assert not OCSPResponse.objects.exists()


def test_a_nonce_leaves_what_is_stored_alone(client, version):
    plain = post(client, request_for(version))

    alone = post(client, request_for(version, nonce=NONCE))

    assert alone.content != plain.content
    assert post(client, request_for(version)).content == plain.content
    assert OCSPResponse.objects.count() == 1


def test_a_nonce_in_a_path_is_answered_too(client, version):
    encoded = quote(base64.b64encode(request_for(version, nonce=NONCE)), safe="")

    response = client.get(f"{URL}/{encoded}")

    assert nonce_of(response) == NONCE
    assert is_for_one_alone(response)


def test_the_answer_says_what_the_stored_one_says(client, issue, bob):
    version = issue()
    services.revoke(version_id=version.pk, actor=bob, reason="certificateHold")

    alone, stored = (
        pyca.load_der_ocsp_response(post(client, request_for(version, nonce=nonce)).content)
        for nonce in (NONCE, None)
    )

    for said in ("certificate_status", "revocation_reason", "revocation_time_utc", "serial_number"):
        assert getattr(alone, said) == getattr(stored, said)
    assert alone.responder_key_hash == stored.responder_key_hash
    assert alone.certificates == stored.certificates != []
    assert alone.next_update_utc - alone.this_update_utc == timedelta(hours=12)


def test_its_times_are_before_what_it_was_read_from(client, version):
    """RFC 6960 §2.4: thisUpdate <= producedAt <= now; a client that is behind reads it too."""
    with time_machine.travel(timezone.now(), tick=False):
        now = timezone.now().replace(microsecond=0)
        answer = pyca.load_der_ocsp_response(
            post(client, request_for(version, nonce=NONCE)).content
        )

    assert answer.produced_at_utc == now
    assert answer.this_update_utc == now - timedelta(minutes=1)


def test_no_nonce_comes_back_where_the_issuer_says_so(client, client_of, carol, version):
    plain = post(client, request_for(version))
    changed = client_of(carol).patch(
        f"/api/v1/issuers/{version.issuer_id}/", {"ocsp_nonces": False}
    )
    assert changed.json()["ocsp_nonces"] is False

    assert post(client, request_for(version, nonce=NONCE)).content == plain.content
    two = request_of(asked_about(version), dataclasses.replace(asked_about(version), serial=1))
    assert statuses(post(client, two)) == ["good", "unknown"]
    assert nonce_of(post(client, request_of(*two_of(version), nonce=NONCE))) is None


def two_of(version):
    return asked_about(version), dataclasses.replace(asked_about(version), serial=4711)


def test_victor_cannot_switch_nonces_off(client_of, victor, local_ca):
    answer = client_of(victor).patch(f"/api/v1/issuers/{local_ca.pk}/", {"ocsp_nonces": False})

    assert answer.status_code == 403
    local_ca.refresh_from_db()
    assert local_ca.ocsp_nonces


def test_nothing_is_said_of_what_was_never_issued_nonce_or_not(
    client, version, root_ca, issue, short_profile, settings
):
    settings.OCSP_LIVE_RATE = "1/hour"
    short = issue("short.demo.internal", profile=short_profile)

    for asked in (
        dataclasses.replace(asked_about(version), serial=4711),
        asked_about(version, issuer=root_ca),
        asked_about(short),
    ):
        refused(post(client, request_of(asked, nonce=NONCE)), UNAUTHORIZED)
    assert nonce_of(post(client, request_for(version, nonce=NONCE))) == NONCE, "none was counted"


def test_a_made_up_serial_takes_no_lock_and_no_signature(
    client, version, monkeypatch, django_assert_max_num_queries
):
    monkeypatch.delattr(LocalCA, "_key")
    made_up = dataclasses.replace(asked_about(version), serial=4711)

    with django_assert_max_num_queries(4) as queries:
        refused(post(client, request_of(made_up, nonce=NONCE)), UNAUTHORIZED)

    assert not any("FOR " in query["sql"] or "BEGIN" in query["sql"] for query in queries)


def test_a_ca_that_awaits_its_old_crl_says_nothing(client, version):
    type(version.issuer).objects.filter(pk=version.issuer_id).update(awaits_crl=True)

    refused(post(client, request_for(version, nonce=NONCE)), UNAUTHORIZED)


def test_what_an_old_crl_lists_is_revoked(client, local_ca, bob):
    SerialRevocation.objects.create(
        issuer=local_ca,
        serial="1267",
        reason="superseded",
        revoked_at=timezone.now().replace(microsecond=0),
        recorded_by=bob,
    )
    ca = x509.load_pem_x509_certificate(local_ca.certificate_pem.encode())

    response = post(client, request_of(cert_id(ca, 0x1267, "sha1"), nonce=NONCE))

    assert (statuses(response), nonce_of(response)) == (["revoked"], NONCE)


def test_an_unknown_issuer_is_not_found(client, version):
    url = "/.well-known/pki/ocsp/nowhere"

    assert post(client, request_for(version, nonce=NONCE), url=url).status_code == 404


# --- Never good after a revocation ------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_who_asks_while_a_revocation_is_under_way_does_not_wait_for_it(client, version, bob):
    """Nothing is stored that could outlive it, so there is nothing to lock."""
    settled = post(client, request_for(version))

    with transaction.atomic():
        services.revoke(version_id=version.pk, actor=bob)
        during = aside(lambda: post(client, request_for(version, nonce=NONCE)))

    assert status(settled) == status(during) == "GOOD"
    after = post(client, request_for(version, nonce=NONCE))
    assert status(after) == "REVOKED"
    revoked = pyca.load_der_ocsp_response(after.content).revocation_time_utc
    assert pyca.load_der_ocsp_response(during.content).this_update_utc < revoked


@pytest.mark.django_db(transaction=True)
def test_no_answer_is_good_that_was_asked_for_after_the_revocation(client, version, bob):
    for _ in range(3):
        services.revoke(version_id=version.pk, actor=bob, reason="certificateHold")
        assert status(post(client, request_for(version, nonce=NONCE))) == "REVOKED"
        services.release_hold(version_id=version.pk, actor=bob)
        assert status(post(client, request_for(version, nonce=NONCE))) == "GOOD"


# --- Several certificates ---------------------------------------------------------------------


def test_each_of_several_certificates_is_answered_in_its_order(client, issue, bob, root_ca):
    good, bad, held = (issue(f"{name}.demo.internal") for name in ("good", "bad", "held"))
    services.revoke(version_id=bad.pk, actor=bob, reason="superseded")
    services.revoke(version_id=held.pk, actor=bob, reason="certificateHold")
    asked = [
        asked_about(bad, "sha1"),
        dataclasses.replace(asked_about(good), serial=4711),
        asked_about(good),
        asked_about(good, issuer=root_ca),
        asked_about(held, "sha512"),
    ]

    response = post(client, request_of(*asked, nonce=NONCE))

    assert statuses(response) == ["revoked", "unknown", "good", "unknown", "revoked"]
    answered = data_of(response)["responses"]
    assert [one["cert_id"].dump() for one in answered] == [one.encode() for one in asked]
    assert [one["next_update"].native is None for one in answered] == [False] * 5
    assert nonce_of(response) == NONCE
    assert is_for_one_alone(response)
    assert not OCSPResponse.objects.exists()


def test_several_cost_no_more_queries_than_one(client, issue, django_assert_num_queries):
    versions = [issue(f"w{n}.demo.internal") for n in range(5)]

    for count in (2, 5):
        with django_assert_num_queries(3):
            post(client, request_of(*map(asked_about, versions[:count])))


def test_several_of_which_none_is_ours_are_unauthorized(client, version, root_ca):
    asked = asked_about(version)
    refused(
        post(client, request_of(*(dataclasses.replace(asked, serial=n) for n in (1, 2, 3)))),
        UNAUTHORIZED,
    )
    other = asked_about(version, issuer=root_ca)
    refused(post(client, request_of(other, dataclasses.replace(other, serial=2))), UNAUTHORIZED)


def test_thirty_two_are_answered_and_thirty_three_malformed(client, version):
    asked = [dataclasses.replace(asked_about(version), serial=n) for n in range(1, 33)]

    most = post(client, request_of(asked_about(version), *asked[:31]))

    assert statuses(most) == ["good", *["unknown"] * 31]
    refused(post(client, request_of(asked_about(version), *asked)), MALFORMED)


def test_who_asks_twice_about_one_gets_what_is_stored(client, version):
    plain = post(client, request_for(version))
    asked = asked_about(version)

    assert post(client, request_of(asked, asked)).content == plain.content


# --- Limits -----------------------------------------------------------------------------------


def test_over_the_limit_of_its_address_the_stored_answer_goes_out(client, version, settings):
    settings.OCSP_LIVE_RATE = "2/hour"
    der_ = request_for(version, nonce=NONCE)

    answers = [post(client, der_) for _ in range(3)]

    assert [nonce_of(one) for one in answers] == [NONCE, NONCE, None]
    assert status(answers[2]) == "GOOD"
    assert answers[2].content == post(client, request_for(version)).content
    other = client.post(URL, der_, content_type="application/ocsp-request", REMOTE_ADDR="192.0.2.1")
    assert nonce_of(other) == NONCE, "another address has a limit of its own"


def test_over_the_limit_of_all_the_stored_answer_goes_out(client, version, settings):
    settings.OCSP_LIVE_TOTAL_RATE = "2/hour"
    der_ = request_for(version, nonce=NONCE)

    answers = [
        client.post(URL, der_, content_type="application/ocsp-request", REMOTE_ADDR=f"192.0.2.{n}")
        for n in range(4)
    ]

    assert [nonce_of(one) for one in answers] == [NONCE, NONCE, None, None]


def test_who_is_over_the_own_limit_uses_up_nothing_of_all(client, version, settings):
    settings.OCSP_LIVE_RATE, settings.OCSP_LIVE_TOTAL_RATE = "1/hour", "2/hour"
    der_ = request_for(version, nonce=NONCE)
    for _ in range(5):
        post(client, der_)

    other = client.post(URL, der_, content_type="application/ocsp-request", REMOTE_ADDR="192.0.2.1")

    assert nonce_of(other) == NONCE


def test_a_network_of_one_host_has_one_limit(client, version, settings):
    """RFC 4291 §2.5.4: it may take as many addresses of its /64 as it likes."""
    settings.OCSP_LIVE_RATE = "1/hour"
    der_ = request_for(version, nonce=NONCE)

    answers = [
        client.post(URL, der_, content_type="application/ocsp-request", REMOTE_ADDR=address)
        for address in ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1")
    ]

    assert [nonce_of(one) for one in answers] == [NONCE, None, NONCE]


def test_behind_a_proxy_the_address_that_it_saw_counts(client, version, settings):
    settings.OCSP_LIVE_RATE, settings.TRUSTED_PROXIES = "1/hour", 1
    der_ = request_for(version, nonce=NONCE)

    answers = [
        post(client, der_, **{"X-Forwarded-For": said})
        for said in ("192.0.2.1", "10.9.9.9, 192.0.2.1", "192.0.2.2")
    ]

    assert [nonce_of(one) for one in answers] == [NONCE, None, NONCE]


def test_several_over_the_limit_are_told_to_try_later(client, version, settings):
    """No stored answer speaks for all, and each must be answered (RFC 6960 §4.2.2.3)."""
    settings.OCSP_LIVE_RATE = "1/hour"

    assert statuses(post(client, request_of(*two_of(version)))) == ["good", "unknown"]
    refused(post(client, request_of(*two_of(version))), LATER)


def test_where_signing_fails_the_stored_answer_goes_out(client, version, monkeypatch):
    plain = post(client, request_for(version))

    def broken(self, **kwargs):
        raise ConnectorError("the key is away", permanent=False)

    monkeypatch.setattr(LocalCA, "sign_live", broken)

    assert post(client, request_for(version, nonce=NONCE)).content == plain.content
    refused(post(client, request_of(*two_of(version))), LATER)


# --- What reads us ----------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_openssl_finds_its_nonce_and_all_that_it_asked_about(
    issue, bob, live_server, tmp_path, openssl
):
    good, bad = issue("good.demo.internal"), issue("bad.demo.internal")
    services.revoke(version_id=bad.pk, actor=bob, reason="superseded")
    (tmp_path / "issuer.pem").write_text(good.issuer.certificate_pem)
    (tmp_path / "chain.pem").write_text(good.chain_pem)
    for name, version in (("good", good), ("bad", bad)):
        (tmp_path / f"{name}.pem").write_text(version.pem)

    said = subprocess.run(
        [
            openssl, "ocsp", "-issuer", "issuer.pem", "-cert", "good.pem", "-cert", "bad.pem",
            "-serial", "4711", "-nonce", "-CAfile", "chain.pem", "-url", live_server.url + URL,
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )  # fmt: skip

    assert "Response verify OK" in said.stderr
    assert "no nonce" not in said.stderr.lower()
    assert "good.pem: good" in said.stdout
    assert "bad.pem: revoked" in said.stdout
    assert "4711: unknown" in said.stdout
