"""Breakages of what a responder makes of questions and nonces."""

from cryptography.hazmat.primitives import hashes

from issuers.x509 import der, raw
from tests.pki_conformance import pieces
from tests.pki_conformance.broken import Responder
from tests.pki_conformance.pieces import MALFORMED, UNAUTHORIZED
from tests.pki_conformance.table import breaks

# --- Questions ---


def on_question(rule, name):
    def register(hook):
        def change(responder):
            responder.hooks["question"] = lambda question: hook(responder, question)

        change.__name__ = name
        breaks(rule)(change)
        return hook

    return register


@on_question("ocsp.answers", "of nothing")
def _(responder, question):
    return UNAUTHORIZED if question.cert_ids else None


@on_question("ocsp.get", "POST alone")
def _(responder, question):
    known = responder.good.serial_number
    if question.by == "GET" and question.cert_ids and question.cert_ids[0][1] == known:
        return UNAUTHORIZED
    return None


def in_a_path(rule, name, is_wrong):
    def hook(responder, question):
        asks_for_nothing = question.cert_ids and not responder.status(question.cert_ids[0][1])
        return (
            MALFORMED
            if question.by == "GET" and asks_for_nothing and is_wrong(question.raw)
            else None
        )

    on_question(rule, name)(hook)


in_a_path("ocsp.get.plain", "slashes must be escaped", lambda path: b"/" in path)
in_a_path("ocsp.get.escaped", "escaped slashes are not", lambda path: b"%2F" in path)
in_a_path("ocsp.get.lower", "lower-case escapes are not", lambda path: b"%2f" in path)


@breaks("ocsp.type-of-request")
def text_is_refused_in_html(responder):
    right = responder._right

    def wrong(method, path, headers, body):
        kind, reply = right(method, path, headers, body)
        if headers.get("Content-Type") == "text/plain":
            reply.status, reply.headers["Content-Type"] = 415, "text/html"
        return kind, reply

    responder._right = wrong


def bodies(rule, name, is_it, reply_is):
    def change(responder):
        right = responder._right

        def wrong(method, path, headers, body):
            kind, reply = right(method, path, headers, body)
            if kind == "ocsp" and is_it(method, path, body):
                reply.status, reply.body = reply_is
            return kind, reply

        responder._right = wrong

    change.__name__ = name
    breaks(rule)(change)


TRY_LATER = b"\x30\x03\x0a\x01\x03"
bodies(
    "ocsp.malformed.empty",
    "tryLater",
    lambda method, path, body: method == "POST" and body == b"",
    (200, TRY_LATER),
)
bodies(
    "ocsp.malformed.garbage",
    "a page",
    lambda method, path, body: body.endswith(b"garbage"),
    (500, b"<html>"),
)
bodies(
    "ocsp.malformed.trailing",
    "is not seen",
    lambda method, path, body: body[-1:] == b"\x00" and der.begins_well(body[:-1]),
    (200, UNAUTHORIZED),
)
bodies(
    "ocsp.malformed.get",
    "a page",
    lambda method, path, body: "~not-base64" in path,
    (404, b"<html>"),
)
bodies(
    "ocsp.too-large",
    "a page",
    lambda method, path, body: body == b"\x30" * 100_000,
    (500, b"<html>"),
)
bodies(
    "ocsp.many",
    "a page",
    lambda method, path, body: len(body) > 10_000 and body != b"\x30" * 100_000,
    (500, b"<html>"),
)


def hashed(rule, algorithm):
    def hook(responder, question):
        names = {one[2]["hash_algorithm"]["algorithm"].native for one in question.cert_ids}
        if len(question.cert_ids) == 1 and names == {algorithm} and question.nonce is None:
            return MALFORMED if responder.status(question.cert_ids[0][1]) else None
        return None

    on_question(rule, f"{algorithm} is malformed")(hook)


hashed("ocsp.hash.sha256", "sha256")


@breaks("ocsp.hash.sha1")
def sha1_is_malformed(responder):
    responder.hooks["question"] = lambda question: (
        MALFORMED
        if any(one[2]["hash_algorithm"]["algorithm"].native == "sha1" for one in question.cert_ids)
        else None
    )


def is_ours(responder, *, name, key):
    right = responder._is_ours

    def wrong(cert_id):
        for field, expected in (("issuer_name_hash", name), ("issuer_key_hash", key)):
            if not expected:
                data = (
                    raw.subject(responder.ca)
                    if field == "issuer_name_hash"
                    else raw.bits(raw.key(responder.ca))
                )
                digest = hashes.Hash(hashes.SHA1())  # noqa: S303
                digest.update(data)
                if cert_id["hash_algorithm"]["algorithm"].native == "sha1":
                    cert_id[field] = digest.finalize()
        return right(cert_id)

    responder._is_ours = wrong


@breaks("ocsp.wrong-name")
def the_name_is_not_looked_at(responder):
    is_ours(responder, name=False, key=True)


@breaks("ocsp.wrong-key")
def the_key_is_not_looked_at(responder):
    is_ours(responder, name=True, key=False)


@breaks("ocsp.never-issued")
def what_is_not_revoked_is_good(responder):
    right = responder.status
    responder.status = lambda serial: right(serial) or ("good", 0)


@breaks("ocsp.several")
def one_of_several(responder):
    right = responder.ocsp

    def first(question):
        question.cert_ids = question.cert_ids[:1]
        return right(question)

    responder.ocsp = first


def requests_with(rule, name, part, answer):
    def change(responder):
        right = responder._right

        def wrong(method, path, headers, body):
            kind, reply = right(method, path, headers, body)
            if kind == "ocsp" and part in body:
                reply.body = answer(responder, body)
            return kind, reply

        responder._right = wrong

    change.__name__ = name
    breaks(rule)(change)


UNKNOWN = bytes.fromhex("0603883701")
requests_with("ocsp.requestor", "is refused", b"pki_conformance", lambda *_: UNAUTHORIZED)
requests_with("ocsp.extension", "is refused", UNKNOWN + b"\x04", lambda *_: MALFORMED)


@breaks("ocsp.extension.critical")
def critical_is_ignored(responder):
    right = responder._right

    def wrong(method, path, headers, body):
        critical = UNKNOWN + b"\x01\x01\xff"
        if critical in body:  # as long as before: the same extension with a longer value
            body = body.replace(critical + b"\x04\x02\x05\x00", UNKNOWN + b"\x04\x05\x04\x03abc")
        return right(method, path, headers, body)

    responder._right = wrong


# --- Nonces ---


@breaks("ocsp.nonce.echo")
def half_of_it(responder):
    right = responder.ocsp

    def wrong(question):
        if question.nonce:
            question.nonce = question.nonce[: len(question.nonce) // 2] + b"x"
        return right(question)

    responder.ocsp = wrong


@breaks("ocsp.nonce.echo")
def short_ones_are_malformed(responder):
    responder.hooks["question"] = lambda question: (
        MALFORMED if question.nonce is not None and len(question.nonce) == 1 else None
    )


@breaks("ocsp.nonce.unasked")
def the_cache_is_poisoned(responder):
    right = responder.ocsp
    responder.last = None

    def wrong(question):
        if question.nonce is None:
            question.nonce = responder.last
        else:
            responder.last = question.nonce
        return right(question)

    responder.ocsp = wrong
    responder._kept = lambda name, make: (
        Responder._kept(responder, name, make)
        if name == "crl" or responder.last is None
        else make()
    )


@breaks("ocsp.nonce.empty")
def empty_is_as_none(responder):
    _lengths(responder, 0)


@breaks("ocsp.nonce.long")
def long_is_as_none(responder):
    _lengths(responder, 129)


def _lengths(responder, size):
    right = responder._ocsp

    def wrong(method, encoded, headers, body):
        mark = bytes.fromhex("2b0601050507300102")
        if method == "POST" and mark in body:
            value = body[body.index(mark) + len(mark) :]
            # Its OCTET STRING twice: one around, one inside.
            if (size == 0 and value == b"\x04\x02\x04\x00") or (
                size and value[-size - 3 : -size] == b"\x04\x81" + bytes([size])
            ):
                return Responder._ocsp(responder, "POST", "", headers, responder.plain_question)
        if method == "POST" and responder.plain_question is None:
            try:
                pieces.read(body)
                responder.plain_question = body
            except Exception:  # noqa: BLE001, S110 - not that one
                pass
        return right(method, encoded, headers, body)

    responder.plain_question = None
    responder._ocsp = wrong
