"""A whole installation in one object: right unless it is broken, in one thing at a time.

`Responder` builds CRLs and OCSP answers by the book and serves them over real http. A breakage is a
function that puts a hook into it: `on_crl` and `on_ocsp` change what is signed, `on_question` says
what else is answered, `on_http` changes what goes out.
"""

import base64
import binascii
import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID
from django.utils import timezone

from issuers.x509 import der, raw, signing
from tests.pki_conformance.pieces import (
    MALFORMED,
    NONCE,
    UNAUTHORIZED,
    Question,
    extension,
    has_it,
    read,
    response,
    signature,
    usage,
)


@dataclass
class Reply:
    """What goes out; hooks change it."""

    status: int
    headers: dict
    body: bytes


HOOKS = ("crl", "delta", "ocsp", "question", "http")


class Responder:
    """One CA with a good, a revoked and a held certificate, and its three addresses."""

    def __init__(self):
        self.now = timezone.now().replace(microsecond=0)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.delegate_key = ec.generate_private_key(ec.SECP256R1())
        self.port = 0
        self.ca = self.certify("Test CA", self.key, is_ca=True)
        self.number, self.crl_this_update = 5, self.now - timedelta(minutes=1)
        self.good = self.revoked = self.delegate = None
        self.crl_lifetime = timedelta(days=7)
        self.revoked_at = self.now - timedelta(days=1)
        self.reason = 1
        self.echoes = True
        self.hooks = {name: lambda *args: None for name in HOOKS}
        self.kept = {}

    # --- Certificates --------------------------------------------------------------------------

    def certify(self, name, key, *, is_ca=False, signer=None, **options):
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = self.ca.subject if not is_ca else subject
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(options.get("serial", x509.random_serial_number()))
            .not_valid_before(self.now - timedelta(days=2))
            .not_valid_after(self.now + options.get("lifetime", timedelta(days=30)))
        )
        for one, critical in options.get("extensions", []):
            builder = builder.add_extension(one, critical)
        if is_ca:
            builder = builder.add_extension(x509.BasicConstraints(True, 0), True)
            builder = builder.add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False
            )
            builder = builder.add_extension(usage(signs=options.get("signs", True)), True)
        return builder.sign(signer or self.key, hashes.SHA256())

    def leaf(self, name, *, pointers=(), **options):
        return self.certify(
            name,
            ec.generate_private_key(ec.SECP256R1()),
            extensions=[*(pointers or self.pointers()), *options.pop("more", [])],
            **options,
        )

    def pointers(self, scheme="http", crl=None):
        base = f"{scheme}://127.0.0.1:{self.port}/pki"
        url = x509.UniformResourceIdentifier
        return [
            (
                x509.CRLDistributionPoints(
                    [x509.DistributionPoint([url(crl or f"{base}/crl/x")], None, None, None)]
                ),
                False,
            ),
            (
                x509.AuthorityInformationAccess(
                    [
                        x509.AccessDescription(
                            AuthorityInformationAccessOID.OCSP, url(f"{base}/ocsp/x")
                        )
                    ]
                ),
                False,
            ),
        ]

    def delegated(self, *, purposes=(ExtendedKeyUsageOID.OCSP_SIGNING,), no_check=True, **options):
        """Have another key sign the answers, with a certificate that says so."""
        extensions = [(usage(signs=False), True)]
        if purposes:
            extensions.append((x509.ExtendedKeyUsage(purposes), False))
        if no_check:
            extensions.append((x509.OCSPNoCheck(), False))
        self.delegate = self.certify(
            "Responder", self.delegate_key, extensions=extensions, **options
        )

    # --- What is signed ------------------------------------------------------------------------

    def entries(self):
        date = der.time(self.revoked_at)
        reason = extension("2.5.29.21", der.integer(self.reason, der.ENUMERATED))
        hold = extension("2.5.29.21", der.integer(6, der.ENUMERATED))
        return [
            [der.integer(self.revoked.serial_number), date, [reason]],
            [der.integer(77), date, []],
            [der.integer(78), date, [hold] if self.holds else []],
        ]

    holds = False
    deltas = False
    shard = b""  # the DER of an issuing distribution point

    def delta(self):
        """A delta to the CRL before, at its own address."""
        return self.crl("delta")

    def crl(self, which="crl"):
        algorithm = signing.signature_algorithm(self.key)
        fields = {
            "version": der.integer(1),
            "algorithm": algorithm,
            "issuer": raw.subject(self.ca),
            "this_update": der.time(self.crl_this_update),
            "next_update": der.time(self.crl_this_update + self.crl_lifetime),
            "entries": self.entries(),
            "list": None,
            "extensions": {
                "2.5.29.35": (
                    False,
                    der.encode(
                        der.SEQUENCE, der.encode(0x80, raw.key_identifier(raw.key(self.ca)))
                    ),
                ),
                "2.5.29.20": (False, der.integer(self.number)),
            },
            "outer": algorithm,
            "key": self.key,
            "after": b"",
        }
        if self.shard:
            fields["extensions"]["2.5.29.28"] = (True, self.shard)
        if which == "delta":
            fields["extensions"]["2.5.29.27"] = (True, der.integer(self.number - 1))
        elif self.deltas:
            fields["extensions"]["2.5.29.46"] = (False, self.freshest())
        self.hooks[which](fields)
        listed = fields["list"]
        if listed is None:
            encoded = [
                der.encode(
                    der.SEQUENCE, serial, date, *([der.encode(der.SEQUENCE, *more)] if more else [])
                )
                for serial, date, more in fields["entries"]
            ]
            listed = der.encode(der.SEQUENCE, *encoded) if encoded else b""
        extensions = b"".join(
            extension(oid, value, critical=critical)
            for oid, (critical, value) in fields["extensions"].items()
        )
        tbs = der.encode(
            der.SEQUENCE,
            fields["version"],
            fields["algorithm"],
            fields["issuer"],
            fields["this_update"],
            fields["next_update"],
            listed,
            der.encode(0xA0, der.encode(der.SEQUENCE, extensions)) if extensions else b"",
        )
        bits = signature(fields["key"], tbs, fields["outer"])
        return der.encode(der.SEQUENCE, tbs, fields["outer"], bits) + fields["after"]

    def freshest(self):
        """A CRLDistributionPoints with the delta's address."""
        url = f"http://127.0.0.1:{self.port}/pki/crl/x/delta".encode()
        name = der.encode(0xA0, der.encode(0xA0, der.encode(0x86, url)))
        return der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, name))

    def status(self, serial):
        known = {
            self.good.serial_number: ("good", 0),
            self.revoked.serial_number: ("revoked", self.reason),
            77: ("revoked", 0),
            78: ("revoked", 6 if self.holds else 0),
        }
        return known.get(serial)

    def ocsp(self, question):
        if any(self.status(serial) is None for _, serial, _ in question.cert_ids):
            return UNAUTHORIZED
        begins = self.now - timedelta(minutes=1)
        signer, key = (self.delegate, self.delegate_key) if self.delegate else (self.ca, self.key)
        fields = {
            "responder": der.encode(
                0xA2, der.encode(der.OCTET_STRING, raw.key_identifier(raw.key(signer)))
            ),
            "produced_at": der.generalized_time(self.now),
            "singles": [
                {
                    "cert_id": cert_id,
                    "status": self.status(serial),
                    "revoked_at": der.generalized_time(self.revoked_at),
                    "this_update": der.generalized_time(begins),
                    "next_update": der.generalized_time(begins + timedelta(hours=12)),
                    "extensions": [],
                }
                for cert_id, serial, _ in question.cert_ids
            ],
            "extensions": [],
            "algorithm": signing.signature_algorithm(self.key),
            "key": key,
            "certificates": [self.delegate] if self.delegate else [],
        }
        if question.nonce is not None and self.echoes:
            fields["extensions"].append(
                extension(NONCE, der.encode(der.OCTET_STRING, question.nonce))
            )
        self.hooks["ocsp"](fields)
        return response(fields)

    # --- http ----------------------------------------------------------------------------------

    def respond(self, method, path, headers, body):
        """Answer one request as a right installation does, then have it broken."""
        kind, reply = self._right(method, path, headers, body)
        self.hooks["http"](kind, method, reply)
        return reply

    def _right(self, method, path, headers, body):
        parts = path.split("/", 4)
        if path == "/pki/crl/x/delta" and self.deltas:
            made = self._kept("delta", self.delta)
            until = self.crl_this_update + self.crl_lifetime
            kept = self._cacheable("application/pkix-crl", made, self.crl_this_update, until)
            return "delta", kept
        if parts[:2] != ["", "pki"] or len(parts) < 4 or parts[3] != "x":
            return "other", Reply(404, {"Content-Type": "text/plain"}, b"nothing")
        kind = parts[2]
        methods = ("GET", "HEAD", "POST") if kind == "ocsp" else ("GET", "HEAD")
        if method not in methods:
            return kind, Reply(405, {"Allow": ", ".join(methods)}, b"no")
        if kind == "crl":
            made = self._kept("crl", self.crl)
            until = self.crl_this_update + self.crl_lifetime
            reply = self._cacheable("application/pkix-crl", made, self.crl_this_update, until)
        elif kind == "ca":
            certificate = self.ca.public_bytes(serialization.Encoding.DER)
            reply = self._cacheable(
                "application/pkix-cert",
                certificate,
                self.ca.not_valid_before_utc,
                self.now + timedelta(days=1),
            )
        else:
            reply = self._ocsp(method, parts[4] if len(parts) > 4 else "", headers, body)
        if reply.status == 200 and method != "POST" and has_it(headers, reply.headers):
            kept = {name: reply.headers[name] for name in ("ETag", "Last-Modified")}
            reply = Reply(304, kept, b"")
        return kind, reply

    def _ocsp(self, method, encoded, headers, body):
        refused = {
            "Content-Type": "application/ocsp-response",
            "Cache-Control": "no-cache, no-store",
        }
        try:
            data = body if method == "POST" else base64.b64decode(unquote(encoded), validate=True)
            question = read(data)
        except (ValueError, TypeError, KeyError, binascii.Error):
            question = Question(b"")
        question.by, question.content_type = method, headers.get("Content-Type", "")
        if method != "POST":
            question.raw = encoded.encode()
        answer = self.hooks["question"](question)
        if answer is None:
            wrong = [one for one in question.cert_ids if not self._is_ours(one[2])]
            if not question.cert_ids:
                answer = MALFORMED
            else:
                made = (lambda: UNAUTHORIZED) if wrong else (lambda: self.ocsp(question))
                cert_ids = b"".join(one[0] for one in question.cert_ids)
                answer = self._kept((cert_ids, question.nonce), made)
        if len(answer) == 5:
            return Reply(200, dict(refused), answer)
        reply = self._cacheable(
            "application/ocsp-response",
            answer,
            self.now - timedelta(minutes=1),
            self.now - timedelta(minutes=1) + timedelta(hours=12),
        )
        if question.nonce is not None and self.echoes:
            reply.headers["Cache-Control"] = "no-store"
        return reply

    def _kept(self, name, make):
        # As installations do: what was signed once is served until there is something newer.
        if name not in self.kept:
            self.kept[name] = make()
        return self.kept[name]

    def _is_ours(self, cert_id):
        name = cert_id["hash_algorithm"]["algorithm"].native
        subject, key = raw.subject(self.ca), raw.bits(raw.key(self.ca))
        return (
            cert_id["issuer_name_hash"].native == hashlib.new(name, subject).digest()
            and cert_id["issuer_key_hash"].native == hashlib.new(name, key).digest()
        )

    def _cacheable(self, kind, body, modified, until):
        return Reply(
            200,
            {
                "Content-Type": kind,
                "ETag": f'"{hashlib.sha256(body).hexdigest()}"',
                "Last-Modified": format_datetime(modified, usegmt=True),
                "Expires": format_datetime(until, usegmt=True),
                "Cache-Control": "max-age=900, public, no-transform, must-revalidate",
            },
            body,
        )


@contextmanager
def serving(responder):
    """Serve it on a free port; gives the prefix."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            reply = responder.respond(self.command, self.path, self.headers, body)
            self.send_response_only(reply.status)
            headers = {"Date": format_datetime(timezone.now(), usegmt=True), **reply.headers}
            if "Content-Length" not in headers and reply.status != 304:
                headers["Content-Length"] = str(len(reply.body))
            for name, value in headers.items():
                if value is not None:
                    self.send_header(name, value)
            if "Content-Length" not in {name for name, value in headers.items() if value}:
                self.close_connection = True
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = answer  # noqa: N815

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        responder.port = server.server_port
        responder.good = responder.leaf("good.test")
        responder.revoked = responder.leaf("revoked.test")
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/pki"
        finally:
            server.shutdown()
            thread.join()
