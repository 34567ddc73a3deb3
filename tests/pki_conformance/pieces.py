"""The pieces of a right installation: OCSP requests read, answers and signatures written."""

from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

from asn1crypto import ocsp as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from issuers.x509 import der

SHA1_ECDSA = der.encode(der.SEQUENCE, der.encode(der.OID, bytes.fromhex("2a8648ce3d0401")))
MALFORMED, UNAUTHORIZED = b"\x30\x03\x0a\x01\x01", b"\x30\x03\x0a\x01\x06"
NONCE = "1.3.6.1.5.5.7.48.1.2"
KNOWN_EXTENSIONS = {NONCE, "1.3.6.1.5.5.7.48.1.4", "1.3.6.1.5.5.7.48.1.8"}
HASHES = {"sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64}


def extension(oid, value, *, critical=False):
    return der.encode(
        der.SEQUENCE,
        der.encode(der.OID, _oid(oid)),
        der.encode(der.BOOLEAN, b"\xff") if critical else b"",
        der.encode(der.OCTET_STRING, value),
    )


def _oid(dotted):
    first, second, *rest = map(int, dotted.split("."))
    octets = bytearray()
    for number in (40 * first + second, *rest):
        part = [number & 0x7F]
        while number := number >> 7:
            part.append(number & 0x7F | 0x80)
        octets += bytes(reversed(part))
    return bytes(octets)


@dataclass
class Question:
    """An OCSP request, read with another library than ours."""

    raw: bytes
    cert_ids: list = field(default_factory=list)
    nonce: bytes | None = None
    by: str = "POST"
    content_type: str = ""


def usage(*, signs):
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def read(data):
    """Read an OCSPRequest; raises ValueError for what is malformed."""
    request = asn1.OCSPRequest.load(data, strict=True)
    tbs = request["tbs_request"]
    question = Question(data)
    for one in tbs["request_list"]:
        cert_id = one["req_cert"]
        name = cert_id["hash_algorithm"]["algorithm"].native
        if len(cert_id["issuer_name_hash"].native) != HASHES[name]:
            raise ValueError("the hash is none")
        question.cert_ids.append((cert_id.dump(), cert_id["serial_number"].native, cert_id))
    if len(question.cert_ids) > 32:
        raise ValueError("too many")
    for one in tbs["request_extensions"] or ():
        oid = one["extn_id"].dotted
        if one["critical"].native and oid not in KNOWN_EXTENSIONS:
            raise ValueError("critical")
        if oid == NONCE:
            question.nonce = bytes(der.read(one["extn_value"].contents).contents)
            if not 1 <= len(question.nonce) <= 128:
                raise ValueError("the nonce is none")
    return question


def has_it(headers, validators):
    if "If-None-Match" in headers:
        return headers["If-None-Match"] == validators["ETag"]
    if "If-Modified-Since" in headers:
        since = parsedate_to_datetime(headers["If-Modified-Since"])
        return parsedate_to_datetime(validators["Last-Modified"]) <= since
    return False


def signature(key, data, algorithm):
    digest = hashes.SHA1() if algorithm == SHA1_ECDSA else hashes.SHA256()  # noqa: S303
    return der.encode(der.BIT_STRING, b"\x00", key.sign(data, ec.ECDSA(digest)))


def response(fields):
    singles = []
    for one in fields["singles"]:
        status, reason = one["status"]
        if status == "revoked":
            stated = (
                der.encode(0xA0, der.integer(reason, der.ENUMERATED))
                if reason is not None and (reason or one.get("states_zero"))
                else b""
            )
            said = der.encode(0xA1, one["revoked_at"], stated)
        else:
            said = der.encode(0x80 if status == "good" else 0x82)
        more = one["extensions"]
        singles.append(
            der.encode(
                der.SEQUENCE,
                one["cert_id"],
                said,
                one["this_update"],
                der.encode(0xA0, one["next_update"]) if one["next_update"] else b"",
                der.encode(0xA1, der.encode(der.SEQUENCE, *more)) if more else b"",
            )
        )
    extensions = fields["extensions"]
    tbs = der.encode(
        der.SEQUENCE,
        fields["responder"],
        fields["produced_at"],
        der.encode(der.SEQUENCE, *singles),
        der.encode(0xA1, der.encode(der.SEQUENCE, *extensions)) if extensions else b"",
    )
    certificates = [one.public_bytes(serialization.Encoding.DER) for one in fields["certificates"]]
    basic = der.encode(
        der.SEQUENCE,
        tbs,
        fields["algorithm"],
        signature(fields["key"], tbs, fields["algorithm"]),
        der.encode(0xA0, der.encode(der.SEQUENCE, *certificates)) if certificates else b"",
    )
    content = der.encode(
        der.SEQUENCE,
        der.encode(der.OID, _oid("1.3.6.1.5.5.7.48.1.1")),
        der.encode(der.OCTET_STRING, basic),
    )
    return der.encode(der.SEQUENCE, der.encode(der.ENUMERATED, b"\x00"), der.encode(0xA0, content))
