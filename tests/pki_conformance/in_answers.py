"""Breakages of what OCSP answers say, and of what agrees with the CRL."""

from datetime import timedelta

from cryptography.x509.oid import ExtendedKeyUsageOID

from issuers.x509 import der, raw
from tests.pki_conformance.in_crl import on_crl
from tests.pki_conformance.pieces import SHA1_ECDSA, extension
from tests.pki_conformance.table import breaks

# --- What is signed ---


def on_ocsp(rule, name, prepare=None):
    def register(hook):
        def change(responder):
            if prepare:
                prepare(responder)
            responder.hooks["ocsp"] = lambda fields: hook(responder, fields)

        change.__name__ = name
        breaks(rule)(change)
        return hook

    return register


@on_ocsp("ocsp.responder-id", "by name")
def _(responder, fields):
    fields["responder"] = der.encode(0xA1, raw.subject(responder.ca))


@on_ocsp("ocsp.responder", "somebody's")
def _(responder, fields):
    fields["responder"] = der.encode(0xA2, der.encode(der.OCTET_STRING, b"0" * 20))


@on_ocsp("ocsp.signature", "another key")
def _(responder, fields):
    fields["key"] = responder.delegate_key


@on_ocsp("ocsp.sha1", "SHA-1")
def _(responder, fields):
    fields["algorithm"] = SHA1_ECDSA


@breaks("ocsp.signer.issued")
def by_itself(responder):
    responder.delegated(signer=responder.delegate_key)


@breaks("ocsp.signer.purpose")
def for_servers(responder):
    responder.delegated(purposes=[ExtendedKeyUsageOID.SERVER_AUTH])


@breaks("ocsp.signer.no-check")
def to_be_checked(responder):
    responder.delegated(no_check=False)


@breaks("ocsp.signer.valid")
def signer_has_expired(responder):
    responder.delegated(lifetime=timedelta(minutes=-30))


@on_ocsp("ocsp.cert-id", "without NULL")
def _(responder, fields):
    if len(fields["singles"]) > 1:
        return
    for one in fields["singles"]:
        algorithm, *rest = der.read(one["cert_id"])
        oid = next(iter(algorithm))
        one["cert_id"] = der.encode(
            der.SEQUENCE,
            der.encode(der.SEQUENCE, bytes(oid.whole)),
            *(bytes(part.whole) for part in rest),
        )


@on_ocsp("ocsp.one", "two for one")
def _(responder, fields):
    if len(fields["singles"]) == 1:
        fields["singles"] *= 2


@on_ocsp("ocsp.extensions", "another")
def _(responder, fields):
    fields["extensions"].append(extension("2.999.7", b"\x05\x00"))


@on_ocsp("ocsp.times", "with fractions")
def _(responder, fields):
    text = der.generalized_time(responder.now)[2:-1] + b".5Z"
    fields["produced_at"] = der.encode(der.GENERALIZED_TIME, text)


@on_ocsp("ocsp.order", "produced before")
def _(responder, fields):
    fields["produced_at"] = der.generalized_time(responder.now - timedelta(hours=1))


@on_ocsp("ocsp.order", "produced ahead")
def _(responder, fields):
    fields["produced_at"] = der.generalized_time(responder.now + timedelta(hours=1))


def dated(rule, name, begins, lasts):
    """Register a breakage with other dates, which the headers state too."""

    def change(responder):
        right = responder._cacheable
        this_update = responder.now - begins

        def wrong(kind, body, *rest):
            if "ocsp" not in kind:
                return right(kind, body, *rest)
            reply = right(kind, body, this_update, this_update + (lasts or begins))
            if lasts and lasts <= begins:
                reply.headers["Cache-Control"] = "max-age=0, public, no-transform, must-revalidate"
            return reply

        def hook(fields):
            for one in fields["singles"]:
                one["this_update"] = der.generalized_time(this_update)
                one["next_update"] = der.generalized_time(this_update + lasts) if lasts else b""

        responder._cacheable, responder.hooks["ocsp"] = wrong, hook

    change.__name__ = name
    breaks(rule)(change)


MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
dated("ocsp.next-update", "over", 13 * HOUR, 12 * HOUR)
dated("ocsp.next-update", "none", MINUTE, None)
dated("ocsp.lifetime", "an hour", MINUTE, HOUR)
dated("ocsp.lifetime", "eleven days", MINUTE, 11 * DAY)
dated("ocsp.refreshed", "past half of it", 11 * HOUR, 12 * HOUR)
dated("ocsp.refreshed", "five days old", 5 * DAY, 9 * DAY)


@breaks("ocsp.reason", good=())
def unspecified_is_stated(responder):
    responder.reason = 0

    def crl(fields):
        fields["entries"][0][2] = []

    def ocsp(fields):
        for one in fields["singles"]:
            one["states_zero"] = True

    responder.hooks["crl"], responder.hooks["ocsp"] = crl, ocsp


@on_ocsp("ocsp.reason.place", "in an extension")
def _(responder, fields):
    for one in fields["singles"]:
        reason = der.integer(1, der.ENUMERATED)
        one["extensions"] = [extension("2.5.29.21", reason)]


# --- What agrees ---


def says(rule, name, of, status):
    def change(responder):
        right = responder.status
        serial = getattr(responder, of).serial_number if isinstance(of, str) else of
        responder.status = lambda asked: status if asked == serial else right(asked)

    change.__name__ = name
    breaks(rule)(change)


says("known.good", "is revoked by OCSP", "good", ("revoked", 0))
says("agree.status", "is good by OCSP", 77, ("good", 0))
says("agree.reason", "another by OCSP", "revoked", ("revoked", 4))


@breaks("known.revoked", revoked=lambda responder: (responder.other,))
def is_good_by_ocsp(responder):
    responder.other = responder.leaf("other.test")
    right = responder.status
    serial = responder.other.serial_number
    responder.status = lambda asked: ("good", 0) if asked == serial else right(asked)
    responder.hooks["crl"] = lambda fields: fields["entries"].extend(
        [[der.integer(number), fields["entries"][1][1], []] for number in range(1000, 1020)]
        + [[der.integer(serial), fields["entries"][1][1], []]]
    )
    before = responder.status
    responder.status = lambda asked: ("revoked", 0) if 1000 <= asked < 1020 else before(asked)


@on_crl("known.good.crl", "is on it")
def _(responder, fields):
    serial = responder.good.serial_number
    more = [[der.integer(number), fields["entries"][1][1], []] for number in range(1000, 1020)]
    fields["entries"] += [*more, [der.integer(serial), fields["entries"][1][1], []]]
    right = responder.status
    responder.status = lambda asked: ("revoked", 0) if 1000 <= asked < 1020 else right(asked)


@on_crl("known.revoked.crl", "is not on it")
def _(responder, fields):
    fields["entries"].pop(0)


@on_ocsp("agree.date", "an hour later by OCSP")
def _(responder, fields):
    for one in fields["singles"]:
        one["revoked_at"] = der.generalized_time(responder.revoked_at + timedelta(hours=1))
