"""Breakages of the CA, of certificates and of what a CRL says."""

from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from issuers.x509 import der
from tests.pki_conformance.pieces import SHA1_ECDSA, extension
from tests.pki_conformance.table import breaks

IDP = "2.5.29.28"


# --- The CA and certificates ---


@breaks("ca.der")
def in_pem(responder):
    right = responder._right

    def wrong(method, path, headers, body):
        kind, reply = right(method, path, headers, body)
        if kind == "ca" and reply.status == 200:
            reply.body = responder.ca.public_bytes(serialization.Encoding.PEM)
        return kind, reply

    responder._right = wrong


def again(responder):
    """Sign the certificates that were given anew, after the CA changed."""
    responder.good = responder.leaf("good.test")
    responder.revoked = responder.leaf("revoked.test")


@breaks("ca.signs")
def signs_nothing(responder):
    responder.ca = responder.certify("Test CA", responder.key, is_ca=True, signs=False)
    again(responder)


@breaks("ca.same", ca=lambda responder: responder.first)
def another_ca_is_served(responder):
    # The same key and name: all that is signed verifies, and only the bytes differ.
    responder.first = responder.ca
    responder.ca = responder.certify("Test CA", responder.key, is_ca=True)


@breaks("certificate.issuer")
def another_key(responder):
    other = ec.generate_private_key(ec.SECP256R1())
    responder.good = responder.leaf("good.test", signer=other)


@breaks("certificate.http")
def ocsp_by_https(responder):
    pointers = [responder.pointers()[0], responder.pointers("https")[1]]
    responder.good = responder.leaf("good.test", pointers=pointers)


@breaks("certificate.no-rev-avail")
def beside_a_cdp(responder):
    oid = x509.ObjectIdentifier("2.5.29.56")
    more = [(x509.UnrecognizedExtension(oid, b"\x05\x00"), False)]
    responder.good = responder.leaf("good.test", more=more)


@breaks("certificate.cdp")
def a_cdp_without_a_crl(responder):
    url = f"http://127.0.0.1:{responder.port}/pki/ca/x"
    responder.good = responder.leaf("good.test", pointers=responder.pointers(crl=url))


# --- The CRL ---


def on_crl(rule, name, **target):
    def register(hook):
        def change(responder):
            responder.hooks["crl"] = lambda fields: hook(responder, fields)

        change.__name__ = name
        breaks(rule, **target)(change)
        return hook

    return register


@on_crl("crl.der", "a byte too many")
def _(responder, fields):
    fields["after"] = b"\n"


@on_crl("crl.version", "version 1")
def _(responder, fields):
    fields["version"] = b""


@on_crl("crl.version", "version 3")
def _(responder, fields):
    fields["version"] = der.integer(2)


@on_crl("crl.issuer", "another name")
def _(responder, fields):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test ca")])
    fields["issuer"] = name.public_bytes()


@on_crl("crl.algorithms", "with NULL inside alone")
def _(responder, fields):
    oid = next(iter(der.read(fields["algorithm"])))
    fields["algorithm"] = der.encode(der.SEQUENCE, bytes(oid.whole), der.encode(der.NULL))


@on_crl("crl.sha1", "SHA-1")
def _(responder, fields):
    fields["algorithm"] = fields["outer"] = SHA1_ECDSA


@on_crl("crl.signature", "another key")
def _(responder, fields):
    fields["key"] = ec.generate_private_key(ec.SECP256R1())


@breaks("crl.this-update")
def in_an_hour(responder):
    responder.crl_this_update = responder.now + timedelta(hours=1)


@breaks("crl.next-update")
def over(responder):
    responder.crl_this_update = responder.now - timedelta(days=8)
    responder.hooks["http"] = _expired


def _expired(kind, method, reply):
    if kind == "crl" and reply.status == 200:
        reply.headers["Cache-Control"] = "max-age=0"


@on_crl("crl.next-update", "none")
def _(responder, fields):
    fields["next_update"] = b""


@breaks("crl.lifetime")
def eleven_days(responder):
    responder.crl_lifetime = timedelta(days=11)


@on_crl("crl.times", "GeneralizedTime before 2050")
def _(responder, fields):
    fields["next_update"] = der.generalized_time(responder.crl_this_update + responder.crl_lifetime)


@on_crl("crl.times", "with an offset")
def _(responder, fields):
    text = der.time(responder.revoked_at)[2:-1] + b"+0000"
    fields["entries"][1][1] = der.encode(der.UTC_TIME, text)


@on_crl("crl.no-empty-list", "an empty one", revoked=())
def _(responder, fields):
    fields["list"] = der.encode(der.SEQUENCE)


@on_crl("crl.aki", "none")
def _(responder, fields):
    del fields["extensions"]["2.5.29.35"]


@on_crl("crl.aki", "another's")
def _(responder, fields):
    value = der.encode(der.SEQUENCE, der.encode(0x80, b"0" * 20))
    fields["extensions"]["2.5.29.35"] = (False, value)


@on_crl("crl.aki", "critical")
def _(responder, fields):
    fields["extensions"]["2.5.29.35"] = (True, fields["extensions"]["2.5.29.35"][1])


@on_crl("crl.number", "none")
def _(responder, fields):
    del fields["extensions"]["2.5.29.20"]


@on_crl("crl.number", "21 octets")
def _(responder, fields):
    fields["extensions"]["2.5.29.20"] = (False, der.integer(1 << 159))


@on_crl("crl.number", "critical")
def _(responder, fields):
    fields["extensions"]["2.5.29.20"] = (True, der.integer(5))


@breaks("crl.number-grows")
def the_same_number_twice(responder):
    right, asked = responder._right, []

    def wrong(method, path, headers, body):
        plain = not {"If-None-Match", "If-Modified-Since"} & set(headers)
        if "/crl/" in path and method == "GET" and plain:
            asked.append(path)
            if len(asked) > 1:
                responder.kept.pop("crl")
        return right(method, path, headers, body)

    responder._right = wrong


@breaks("crl.number-grows", previous_crl=lambda responder: responder.before)
def a_smaller_number(responder):
    responder.number = 9
    responder.before = responder.crl()
    responder.number = 5


@on_crl("crl.complete", "a delta")
def _(responder, fields):
    fields["extensions"]["2.5.29.27"] = (True, der.integer(4))


def idp(rule, name, value, *, critical=True):
    def hook(responder, fields):
        fields["extensions"][IDP] = (critical, value)

    on_crl(rule, name)(hook)


def uri_point(url="http://127.0.0.1/pki/crl/x", tag=0x86):
    return der.encode(0xA0, der.encode(0xA0, der.encode(tag, url.encode())))


idp("crl.idp", "not critical", der.encode(der.SEQUENCE, uri_point()), critical=False)
idp("crl.idp", "empty", der.encode(der.SEQUENCE))
idp("crl.idp", "indirect", der.encode(der.SEQUENCE, uri_point(), der.encode(0x84, b"\xff")))
idp(
    "crl.idp",
    "for nobody",
    der.encode(der.SEQUENCE, der.encode(0x81, b"\xff"), der.encode(0x82, b"\xff")),
)
idp("crl.idp", "a name that is no URI", der.encode(der.SEQUENCE, uri_point(tag=0x82)))


idp("crl.idp", "another address", der.encode(der.SEQUENCE, uri_point()))


@on_crl("crl.freshest", "critical")
def _(responder, fields):
    responder.deltas = True
    fields["extensions"]["2.5.29.46"] = (True, responder.freshest())


@on_crl("crl.freshest", "an LDAP address")
def _(responder, fields):
    point = der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, uri_point("ldap://x/y")))
    fields["extensions"]["2.5.29.46"] = (False, point)


# --- Deltas ---


def on_delta(rule, name):
    def register(hook):
        def change(responder):
            responder.deltas = True
            responder.hooks["delta"] = lambda fields: hook(responder, fields)

        change.__name__ = name
        breaks(rule)(change)
        return hook

    return register


@on_delta("delta.served", "a byte too many")
def _(responder, fields):
    fields["after"] = b"\n"


@on_delta("delta.indicator", "not critical")
def _(responder, fields):
    fields["extensions"]["2.5.29.27"] = (False, der.integer(4))


@on_delta("delta.indicator", "none")
def _(responder, fields):
    del fields["extensions"]["2.5.29.27"]


@on_delta("delta.base", "to a later one")
def _(responder, fields):
    fields["extensions"]["2.5.29.27"] = (True, der.integer(responder.number + 1))


@on_delta("delta.base", "older than the complete one")
def _(responder, fields):
    fields["extensions"]["2.5.29.20"] = (False, der.integer(responder.number - 1))


@on_delta("delta.issuer", "another key")
def _(responder, fields):
    fields["key"] = ec.generate_private_key(ec.SECP256R1())


@on_delta("delta.issuer", "another name")
def _(responder, fields):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test ca")])
    fields["issuer"] = name.public_bytes()


@on_delta("delta.scope", "of a shard")
def _(responder, fields):
    fields["extensions"][IDP] = (True, der.encode(der.SEQUENCE, uri_point()))


@on_delta("delta.freshest", "points on")
def _(responder, fields):
    fields["extensions"]["2.5.29.46"] = (False, responder.freshest())


@on_delta("delta.in-force", "over")
def _(responder, fields):
    fields["next_update"] = der.time(responder.now - timedelta(seconds=30))


@on_crl("crl.critical", "an unknown one")
def _(responder, fields):
    fields["extensions"]["2.999.7"] = (True, b"\x05\x00")


@on_crl("crl.entries.serials", "twice")
def _(responder, fields):
    fields["entries"].append(fields["entries"][0])


@on_crl("crl.entries.serials", "negative")
def _(responder, fields):
    fields["entries"].append([der.integer(-5), fields["entries"][1][1], []])
    right = responder.status
    responder.status = lambda serial: ("revoked", 0) if serial == -5 else right(serial)


@breaks("crl.entries.dates")
def revoked_tomorrow(responder):
    responder.revoked_at = responder.now + timedelta(days=1)


@on_crl("crl.entries.reasons", "unspecified is stated")
def _(responder, fields):
    fields["entries"][1][2] = [extension("2.5.29.21", der.integer(0, der.ENUMERATED))]


@on_crl("crl.entries.reasons", "critical")
def _(responder, fields):
    reason = der.integer(1, der.ENUMERATED)
    fields["entries"][0][2] = [extension("2.5.29.21", reason, critical=True)]


@breaks("crl.entries.hold", is_public=True)
def held(responder):
    responder.holds = True


@on_crl("crl.entries.critical", "certificate issuer")
def _(responder, fields):
    fields["entries"][0][2].append(extension("2.5.29.29", b"\x30\x00", critical=True))


@on_crl("crl.entries.invalidity", "UTCTime")
def _(responder, fields):
    fields["entries"][0][2].append(extension("2.5.29.24", der.time(responder.revoked_at)))
