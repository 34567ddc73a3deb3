"""Each rule passes on a right installation, and fails alone on one that breaks it alone."""

import random
from http.client import HTTPMessage

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from issuers.x509 import der
from pki_wellknown.conformance import questions
from pki_wellknown.conformance.catalogue import PARTS, all_rules
from pki_wellknown.conformance.evidence import Evidence, Target
from pki_wellknown.conformance.fetching import Answer, Http
from pki_wellknown.conformance.rules import judged
from tests.pki_conformance import in_answers, in_crl, in_http, in_questions  # noqa: F401 - register
from tests.pki_conformance.broken import Responder, serving
from tests.pki_conformance.pieces import Question
from tests.pki_conformance.table import BREAKAGES

# What a right installation without delegates, shards and deltas has nothing to show for.
NOTHING_THERE = {
    "crl.number-grows",
    "crl.idp",
    "crl.freshest",
    "crl.entries.hold",
    *(
        f"delta.{name}"
        for name in ("served", "indicator", "base", "issuer", "scope", "freshest", "in-force")
    ),
    "crl.entries.invalidity",
    "ocsp.signer.issued",
    "ocsp.signer.purpose",
    "ocsp.signer.no-check",
    "ocsp.signer.valid",
    "ocsp.reason",
}


def look(responder, prefix, **options):
    given = {
        name: value(responder) if callable(value) else value for name, value in options.items()
    }
    origin = prefix.removesuffix("/pki")
    target = {
        "ca_url": f"{prefix}/ca/x",
        "crl_url": f"{prefix}/crl/x",
        "ocsp_url": f"{prefix}/ocsp/x",
        "ca": responder.ca,
        "good": (responder.good,),
        "revoked": (responder.revoked,),
        "prefix": prefix,
        "legacy": (f"{origin}/api/v1/crl", f"{origin}/api/v1/ocsp/x"),
    }
    seen = Evidence(Target(**{**target, **given}), Http(timeout=10))
    return {one.rule.id: one for one in judged(all_rules(), seen)}


def verdicts(results, verdict):
    return {name: one.why for name, one in results.items() if one.verdict == verdict}


@pytest.fixture
def right():
    responder = Responder()
    with serving(responder) as prefix:
        yield responder, prefix


def test_a_right_installation_passes(right):
    results = look(*right)

    assert verdicts(results, "fail") == {}
    assert set(verdicts(results, "not applicable")) == NOTHING_THERE


def test_one_that_leaves_nonces_out_passes_too(right):
    responder, prefix = right
    responder.echoes = False

    results = look(responder, prefix)

    assert verdicts(results, "fail") == {}
    left_out = set(verdicts(results, "not applicable")) - NOTHING_THERE
    assert left_out == {"ocsp.nonce.echo", "ocsp.nonce.cache"}


def test_one_with_a_delegated_responder_passes_too(right):
    responder, prefix = right
    responder.delegated()

    results = look(responder, prefix)

    assert verdicts(results, "fail") == {}
    assert {one for one in results if results[one].verdict == "pass"} >= {
        "ocsp.signer.issued", "ocsp.signer.purpose", "ocsp.signer.no-check", "ocsp.signer.valid",
    }  # fmt: skip


def test_one_with_shards_and_deltas_passes_too(right):
    responder, prefix = right
    name = der.encode(0xA0, der.encode(0xA0, der.encode(0x86, f"{prefix}/crl/x".encode())))
    responder.shard, responder.deltas = der.encode(der.SEQUENCE, name), True

    results = look(responder, prefix)

    assert verdicts(results, "fail") == {}
    assert not [one for one in verdicts(results, "not applicable") if one.startswith("delta")]
    assert {results[one].verdict for one in ("crl.idp", "crl.freshest")} == {"pass"}


@pytest.mark.parametrize("name", BREAKAGES)
def test_a_breakage_fails_its_rule_and_no_other(right, name):
    responder, prefix = right
    rule, breaks, options = BREAKAGES[name]
    breaks(responder)

    results = look(responder, prefix, **options)

    assert set(verdicts(results, "fail")) == {rule}, verdicts(results, "fail")


class Nonsense:
    """Answers anything with anything: what was right, cut and spoilt by chance."""

    TEXTS = ("", "x", "0", "Thu, 01 Jan 2026 00:00:00 GMT", '"a"', "max-age=x")

    def __init__(self, chance, pieces):
        self.chance, self.pieces = chance, pieces

    def ask(self, method, url, *, body=None, headers=None):
        message = HTTPMessage()
        for name in ("Content-Type", "ETag", "Last-Modified", "Expires", "Cache-Control", "Allow"):
            message[name] = self.chance.choice(self.TEXTS)
        spoilt = bytearray(self.chance.choice(self.pieces))
        for _ in range(self.chance.choice([0, 0, 1, 3])):
            if spoilt:
                spoilt[self.chance.randrange(len(spoilt))] = self.chance.randrange(256)
        status = self.chance.choice([200, 200, 200, 304, 404, 405, 500])
        return Answer(status, message, bytes(spoilt))


@pytest.mark.parametrize("seed", range(40))
def test_whatever_an_installation_answers_each_rule_comes_to_a_verdict(right, seed):
    responder, _ = right
    question = Question(b"", [(questions.cert_id(responder.ca, 77, "sha1").encode(), 77, None)])
    pieces = [
        b"",
        b"<html>",
        responder.ca.public_bytes(Encoding.DER),
        responder.crl(),
        responder.ocsp(question),
    ]
    target = Target(
        ca_url="http://x/ca",
        crl_url="http://x/crl",
        ocsp_url="http://x/ocsp",
        ca=responder.ca if seed % 2 else None,
        good=(responder.good,) if seed % 3 else (),
        prefix="http://x",
    )
    seen = Evidence(target, Nonsense(random.Random(seed), pieces))  # noqa: S311 - the same each time

    assert len(list(judged(all_rules(), seen))) == len(all_rules())


def test_every_rule_has_a_breakage():
    assert {rule for rule, _, _ in BREAKAGES.values()} == {one.id for one in all_rules()}


def test_every_rule_names_its_clause_and_stands_in_a_part():
    assert len(all_rules()) > 80
    assert {one.check.__module__ for one in all_rules()} == {part.__name__ for part in PARTS}
    assert all(one.clause and one.words for one in all_rules())
