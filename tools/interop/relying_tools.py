"""OCSP and CRLs by the command lines of openssl, GnuTLS and NSS."""

import re
from collections.abc import Iterator
from pathlib import Path

from tools.interop.checks import Check
from tools.interop.running import run
from tools.interop.standing import (
    GOOD,
    HOLD,
    NEVER,
    REVOKED,
    Authority,
    Subject,
    authorities,
)
from tools.served import Served

SAID_BY_OPENSSL = {
    GOOD: "{file}: good",
    REVOKED: "{file}: revoked",
    HOLD: "{file}: revoked",
    NEVER: "Responder Error: unauthorized (6)",
}
REASONS = {REVOKED: "Reason: superseded", HOLD: "Reason: certificateHold"}
SAID_BY_GNUTLS = {GOOD: "good", REVOKED: "revoked", HOLD: "revoked"}
ACCEPTED, REFUSED = 0, 1
NO_MORE_INFORMATION = "-8180"  # SEC_ERROR_REVOKED_CERTIFICATE, also where nothing could be learnt


def openssl_agrees(installation: Served, folder: Path) -> None:
    """Ask with its defaults (SHA-1 and a nonce), without a nonce, and by SHA-256."""
    for authority, subject in _every(installation):
        for options in ((), ("-no_nonce",), ("-sha256",)):
            _ask_openssl(authority, subject, options, folder)


def _ask_openssl(
    authority: Authority, subject: Subject, options: tuple[str, ...], folder: Path
) -> None:
    ended = run(
        *("openssl", "ocsp", *options),
        *("-issuer", authority.issuing, "-cert", subject.certificate),
        *("-CAfile", authority.root, "-url", authority.ocsp_url),
        folder=folder,
    )
    words = ended.out.decode() + ended.said
    _has(words, SAID_BY_OPENSSL[subject.standing].format(file=subject.certificate))
    _has(words, REASONS.get(subject.standing, ""))
    if subject.standing != NEVER:
        _has(words, "Response verify OK")
    if "no nonce" in words.lower():
        raise AssertionError(f"its nonce did not come back: {words}")


def openssl_asks_about_all_at_once(installation: Served, folder: Path) -> None:
    """Name the four in one request."""
    for authority in authorities(installation.folder):
        named: list[str | Path] = []
        for subject in authority.subjects:
            named += ["-cert", subject.certificate]
        ended = run(
            *("openssl", "ocsp", "-issuer", authority.issuing),
            *named,
            *("-CAfile", authority.root, "-url", authority.ocsp_url),
            folder=folder,
        )
        words = ended.out.decode() + ended.said
        for subject in authority.subjects:
            status = {GOOD: "good", NEVER: "unknown"}.get(subject.standing, "revoked")
            _has(words, f"{subject.certificate}: {status}")
        _has(words, "Response verify OK")


def gnutls_agrees(installation: Served, folder: Path) -> None:
    """Ask with and without a nonce, and have the answer verified."""
    for authority, subject in _every(installation):
        for options in ((), ("--nonce",)):
            ended = run(
                *("ocsptool", "--ask", *options, "--load-cert", subject.certificate),
                *("--load-issuer", authority.issuing),
                folder=folder,
            )
            words = ended.out.decode(errors="replace") + ended.said
            if subject.standing == NEVER:
                _has(words, "Response Status: unauthorized")
                continue
            _has(words, f"Certificate Status: {SAID_BY_GNUTLS[subject.standing]}")
            _has(words, "Verifying OCSP Response: Success")
            if bool(options) != bool(re.search(r"Nonce: [0-9a-f]{8}", words)):
                raise AssertionError(f"a nonce where there should be none, or none: {words}")


def nss_agrees(installation: Served, folder: Path) -> None:
    """Validate the chain with fresh answers required, by OCSP alone and by CRL alone."""
    for authority in authorities(installation.folder):
        store = folder / authority.slug
        store.mkdir()
        database = f"sql:{store}"
        run("certutil", "-N", "-d", database, "--empty-password", folder=folder).expect(0)
        run(
            *("certutil", "-A", "-d", database, "-n", "root", "-t", "C,,", "-a"),
            *("-i", authority.root),
            folder=folder,
        ).expect(0)
        for subject in authority.subjects:
            for method in ("ocsp", "crl"):
                _validate_by_nss(authority, subject, database, method, folder)


def _validate_by_nss(
    authority: Authority, subject: Subject, database: str, method: str, folder: Path
) -> None:
    # A CRL says nothing of what was never issued: whoever looks there alone takes it.
    is_accepted = subject.standing == GOOD or (subject.standing == NEVER and method == "crl")
    ended = run(
        *("vfychain", "-d", database, "-pp", "-u", "1", "-g", "leaf", "-h", "requireFreshInfo"),
        *("-m", method, "-s", "failIfNoInfo", "-a", subject.certificate, authority.issuing),
        folder=folder,
    ).expect(ACCEPTED if is_accepted else REFUSED)
    words = ended.out.decode(errors="replace") + ended.said
    _has(words, "Chain is good!" if is_accepted else NO_MORE_INFORMATION)


def _every(installation: Served) -> Iterator[tuple[Authority, Subject]]:
    for authority in authorities(installation.folder):
        for subject in authority.subjects:
            yield authority, subject


def _has(words: str, expected: str) -> None:
    if expected not in words:
        raise AssertionError(f"expected {expected!r}: {words[-1500:]}")


CHECKS = [
    Check("openssl ocsp", "agrees on four standings, nonce or not", openssl_agrees),
    Check("openssl ocsp", "asks about four at once", openssl_asks_about_all_at_once),
    Check("GnuTLS ocsptool", "agrees on four standings, nonce or not", gnutls_agrees),
    Check("NSS vfychain", "agrees on four standings, by OCSP and by CRL", nss_agrees),
]
