"""Fuzz the reader of OCSP requests, guided by coverage: `python -m tools.fuzz --seconds 300`.

It needs atheris, which is no dependency of certctl: `.venv/bin/pip install atheris` (Linux, Python
3.11 to 3.13). It begins with requests of openssl and goes on from what it found before, in
`var/fuzz/ocsp`. It stops at the first input that is neither read nor refused, that breaks what
the reader promises, or that takes longer or more memory than any may, and writes that down there.
"""

import argparse
import importlib
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
SEEDS = sorted((ROOT / "tests" / "vectors").glob("ocsp-*.der"))
LONGEST = 64 * 1024  # octets, as the door has it
SECONDS_OF_ONE, MEBIBYTES = 2, 512


def main() -> int:
    """Fuzz until the time is over; libFuzzer ends the process by itself, with 0 where all held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=300, help="how long; 300 unless said")
    parser.add_argument(
        "--corpus", type=Path, default=ROOT / "var" / "fuzz" / "ocsp", help="where inputs are kept"
    )
    options = parser.parse_args()
    try:
        atheris: Any = importlib.import_module("atheris")
    except ImportError:
        print("tools.fuzz: it needs atheris: .venv/bin/pip install atheris", file=sys.stderr)
        return 1
    options.corpus.mkdir(parents=True, exist_ok=True)
    for seed in SEEDS:
        (options.corpus / seed.name).write_bytes(seed.read_bytes())
    with atheris.instrument_imports(include=["issuers", "asn1crypto"]):
        ocsp = importlib.import_module("issuers.x509.ocsp")
    atheris.Setup(
        [
            sys.argv[0],
            str(options.corpus),
            f"-max_total_time={options.seconds}",
            f"-max_len={LONGEST}",
            f"-timeout={SECONDS_OF_ONE}",
            f"-rss_limit_mb={MEBIBYTES}",
            f"-artifact_prefix={options.corpus.parent}/",
        ],
        lambda data: read_or_refuse(ocsp, data),
    )
    atheris.Fuzz()
    return 0


def read_or_refuse(ocsp: Any, data: bytes) -> None:
    """Read one input; raises AssertionError for what should have been refused."""
    try:
        question = ocsp.parse(data)
    except ocsp.MalformedRequest:
        return
    broken = [
        promise
        for promise, holds in (
            ("1 to 32 certificates", 1 <= len(question.cert_ids) <= ocsp.MAX_CERT_IDS),
            (
                "each once",
                len({one.encode() for one in question.cert_ids}) == len(question.cert_ids),
            ),
            ("as they came", all(one.encode() in data for one in question.cert_ids)),
            (
                "a nonce of 1 to 128 octets",
                question.nonce is None or 1 <= len(question.nonce) <= ocsp.MAX_NONCE,
            ),
        )
        if not holds
    ]
    if broken:
        raise AssertionError(f"not {', '.join(broken)}")


if __name__ == "__main__":
    sys.exit(main())
