"""EST's bodies (RFC 7030 §4, RFC 8951): requests read with tolerance, answers written strictly.

RFC 8951 §2 has bodies in base64 and every Content-Transfer-Encoding ignored. What clients really
send is read: base64 with or without line breaks and blanks, the bare DER, and PEM, which is the
same base64 between two lines. Answers are base64 in lines of 64 with a newline at the end, without
which OpenSSL and libest read nothing.
"""

import binascii
import re
import textwrap
from base64 import b64decode, b64encode
from collections.abc import Sequence

from cryptography import x509

from enrollment.cms import bags
from issuers.x509 import der

MAX_BODY_BYTES = 128 * 1024  # base64 of the largest request that is read, with room for blanks
MAX_REQUEST_BYTES = 64 * 1024
LINE = 64

REQUEST = "application/pkcs10"
CERTIFICATES = "application/pkcs7-mime"
ISSUED = "application/pkcs7-mime; smime-type=certs-only"
PRIVATE_KEY = "application/pkcs8"
CSR_ATTRIBUTES = "application/csrattrs"
_BLOCK = re.compile(
    rb"-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([A-Za-z0-9+/=\s]+)"
    rb"-----END (?:NEW )?CERTIFICATE REQUEST-----"
)
_BOUNDARY = re.compile(r"[A-Za-z0-9]{1,70}")
_BLANKS = re.compile(rb"\s+")
_BOM = b"\xef\xbb\xbf"


class BadBody(ValueError):
    """The body is no request; HTTP 400 in these words."""


def request_of(body: bytes) -> bytes:
    """Return the PKCS #10 request in DER that a body carries (RFC 7030 §4.2.1, RFC 8951 §2).

    It is that of simpleenroll, simplereenroll and serverkeygen. Raises BadBody for an empty body,
    one over MAX_BODY_BYTES, several requests, broken base64, and for anything but one DER SEQUENCE
    from its first to its last byte. What is in it, and whether its signature holds,
    `issuers.x509.csr.parse` says.
    """
    if len(body) > MAX_BODY_BYTES:
        raise BadBody(f"A request may have {MAX_BODY_BYTES} bytes.")
    if not body.strip():
        raise BadBody("The body is empty: a PKCS #10 request in base64 is wanted.")
    request = body if _is_der(body) else _decoded(body.removeprefix(_BOM).strip())
    if len(request) > MAX_REQUEST_BYTES:
        raise BadBody(f"A request may have {MAX_REQUEST_BYTES} bytes in DER.")
    if not _is_der(request):
        raise BadBody("The body is no PKCS #10 request: base64 of its DER is wanted.")
    return request


def base64_lines(data: bytes) -> bytes:
    """Return base64 in lines of 64 characters, with a newline after each, the last too."""
    return "".join(f"{line}\n" for line in textwrap.wrap(b64encode(data).decode(), LINE)).encode()


def certificates(values: Sequence[x509.Certificate]) -> bytes:
    """Return the body of cacerts, simpleenroll and simplereenroll: a certs-only message.

    An enrollment's answer has the issued certificate alone (RFC 7030 §4.2.3).
    """
    return base64_lines(bags.build(values))


def key_and_certificate(
    key: bytes, certificate: x509.Certificate, *, boundary: str
) -> tuple[str, bytes]:
    """Return serverkeygen's content type and body (RFC 7030 §4.4.2).

    `key` is in PKCS #8, unencrypted DER; then comes the issued certificate. `boundary` is for the
    caller to draw at random, 1 to 70 letters and digits: base64 has no line that begins with "--".
    """
    if not _BOUNDARY.fullmatch(boundary):
        raise ValueError("a boundary has 1 to 70 letters and digits")
    parts = ((PRIVATE_KEY, base64_lines(key)), (ISSUED, certificates([certificate])))
    lines = []
    for kind, text in parts:
        lines += [f"--{boundary}", f"Content-Type: {kind}", "Content-Transfer-Encoding: base64"]
        lines += ["", *text.decode().splitlines()]
    lines += [f"--{boundary}--", ""]
    return f"multipart/mixed; boundary={boundary}", "\r\n".join(lines).encode()


def _is_der(data: bytes) -> bool:
    return data[0] == der.SEQUENCE and der.begins_well(data) if data else False


def _decoded(text: bytes) -> bytes:
    if text.startswith(b"-----"):
        blocks = _BLOCK.findall(text)
        if len(blocks) != 1:
            raise BadBody("The PEM must be that of one CERTIFICATE REQUEST.")
        [text] = blocks
    try:
        return b64decode(_BLANKS.sub(b"", text), validate=True)
    except binascii.Error:
        raise BadBody("The body is neither base64 nor DER of a PKCS #10 request.") from None
