"""The program itself: arguments in, lines or JSON out, and an exit code."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit

from cryptography import x509
from typing_extensions import override

from pki_wellknown.conformance.catalogue import all_rules
from pki_wellknown.conformance.evidence import Evidence, Target
from pki_wellknown.conformance.fetching import TIMEOUT, CannotAsk, Http
from pki_wellknown.conformance.rules import Result, judged

ALL_PASS, SOME_FAIL, CANNOT = 0, 1, 2
_MARKS = {"pass": "pass", "fail": "FAIL", "not applicable": "n/a "}


class CannotRun(Exception):
    """There is nothing to look at: a file or an address is wrong, or nobody answers."""


class _Certificates(argparse.Action):
    """Reads files of certificates, PEM (several) or DER, into a list."""

    @override
    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        try:
            read = _certificates(Path(str(values)))
        except (OSError, ValueError) as error:
            raise argparse.ArgumentError(self, f"{values}: {error}") from None
        setattr(namespace, self.dest, [*getattr(namespace, self.dest), *read])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the program takes."""
    parser.add_argument(
        "url",
        nargs="?",
        default="",
        help="the prefix of certctl's layout, as http://pki.example.com/.well-known/pki; for "
        "another installation leave it out and name --ca-url or --ca, --crl-url and --ocsp-url",
    )
    parser.add_argument("--issuer", default="", help="the issuer's slug under URL")
    parser.add_argument("--ca-url", default="", help="where the CA certificate is")
    parser.add_argument("--crl-url", default="", help="where the CRL is")
    parser.add_argument("--ocsp-url", default="", help="where the responder is")
    parser.add_argument(
        "--ca", action=_Certificates, default=[], metavar="FILE",
        help="the CA certificate, which what is served is compared with",
    )  # fmt: skip
    parser.add_argument(
        "--good", action=_Certificates, default=[], metavar="FILE",
        help="a certificate of the CA that is known to be good; repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--revoked", action=_Certificates, default=[], metavar="FILE",
        help="a certificate of the CA that is known to be revoked; repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--never-issued", action="append", default=[], type=_serial, metavar="SERIAL",
        help="a serial, in hexadecimal, that the CA never issued; a random one else",
    )  # fmt: skip
    parser.add_argument(
        "--previous-crl", type=Path, metavar="FILE", help="a CRL fetched earlier, in DER"
    )
    parser.add_argument(
        "--public", action="store_true",
        help="hold it against the Baseline Requirements where RFC 5280 allows more",
    )  # fmt: skip
    parser.add_argument("--timeout", type=float, default=TIMEOUT, help="seconds of each wait")
    parser.add_argument("--json", action="store_true", help="print JSON instead of lines")


def run(options: argparse.Namespace, out: TextIO) -> int:
    """Look at an installation, print what came of each rule, and return the exit code.

    0: all rules that apply pass; 1: some fail. Raises CannotRun.
    """
    target = target_of(options)
    http = Http(timeout=options.timeout)
    first = target.crl_url or target.ocsp_url or target.ca_url
    try:
        http.ask("HEAD", first)
    except CannotAsk as error:
        raise CannotRun(str(error)) from None
    results = list(judged(all_rules(), Evidence(target, http)))
    out.write(_as_json(target, results) if options.json else _as_lines(results))
    return SOME_FAIL if any(one.verdict == "fail" for one in results) else ALL_PASS


def target_of(options: argparse.Namespace) -> Target:
    """Return what is to be looked at; raises CannotRun where that cannot be told."""
    prefix, slug = options.url.rstrip("/"), options.issuer
    if bool(prefix) != bool(slug):
        raise CannotRun("URL and --issuer go together.")
    if len(options.ca) > 1:
        raise CannotRun("Give one CA certificate.")
    if prefix:
        ours = {kind: f"{prefix}/{kind}/{slug}" for kind in ("ca", "crl", "ocsp")}
    else:
        ours = {"ca": "", "crl": "", "ocsp": ""}
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(prefix)) if prefix else ""
    old = (f"crl/{slug}", "crl", f"ocsp/{slug}", "ocsp")
    try:
        previous = options.previous_crl.read_bytes() if options.previous_crl else b""
    except OSError as error:
        raise CannotRun(f"{error.filename}: {error.strerror}") from None
    target = Target(
        ca_url=options.ca_url or ours["ca"],
        crl_url=options.crl_url or ours["crl"],
        ocsp_url=options.ocsp_url or ours["ocsp"],
        ca=options.ca[0] if options.ca else None,
        good=tuple(options.good),
        revoked=tuple(options.revoked),
        never_issued=tuple(options.never_issued),
        previous_crl=previous,
        prefix=prefix,
        legacy=tuple(f"{origin}/api/v1/{path}" for path in old) if origin else (),
        is_public=options.public,
    )
    if target.ca is None and not target.ca_url:
        raise CannotRun("Give the CA certificate: URL and --issuer, --ca or --ca-url.")
    if not (target.crl_url or target.ocsp_url):
        raise CannotRun("Give --crl-url, --ocsp-url or both.")
    return target


def main(arguments: Sequence[str] | None = None) -> int:
    """Run without Django, as `python -m pki_wellknown.conformance`."""
    parser = argparse.ArgumentParser(prog="pki_conformance", description=__doc__)
    add_arguments(parser)
    options = parser.parse_args(arguments)
    try:
        return run(options, sys.stdout)
    except CannotRun as error:
        sys.stderr.write(f"{error}\n")
        return CANNOT


def _as_lines(results: Sequence[Result]) -> str:
    width = max(len(one.rule.id) for one in results)
    lines = []
    for one in results:
        why = f": {one.why}" if one.why else ""
        said = f"{one.rule.words} ({one.rule.clause}){why}"
        lines.append(f"{_MARKS[one.verdict]}  {one.rule.id:<{width}}  {said}")
    counts = {verdict: sum(one.verdict == verdict for one in results) for verdict in _MARKS}
    lines.append(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    return "\n".join(lines) + "\n"


def _as_json(target: Target, results: Sequence[Result]) -> str:
    shown = {
        "ca_url": target.ca_url,
        "crl_url": target.crl_url,
        "ocsp_url": target.ocsp_url,
        "rules": [
            {
                "rule": one.rule.id,
                "clause": one.rule.clause,
                "words": one.rule.words,
                "verdict": one.verdict,
                "why": one.why,
            }
            for one in results
        ],
    }
    return json.dumps(shown, indent=2, ensure_ascii=False) + "\n"


def _certificates(file: Path) -> list[x509.Certificate]:
    data = file.read_bytes()
    if b"-----BEGIN" in data:
        return x509.load_pem_x509_certificates(data)[:1]
    return [x509.load_der_x509_certificate(data)]


def _serial(text: str) -> int:
    return int(text.replace(":", ""), 16)
