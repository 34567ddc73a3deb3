"""Numbers that rules of CRLs and of OCSP answers share."""

from datetime import timedelta

from pki_wellknown.conformance import structures
from pki_wellknown.conformance.evidence import Fails, NotApplicable

AHEAD = timedelta(minutes=5)  # clocks apart
REASON = "2.5.29.21"
NUMBER, DELTA, IDP, FRESHEST = "2.5.29.20", "2.5.29.27", "2.5.29.28", "2.5.29.46"
HOLD, UNUSED, REMOVE = 6, 7, 8  # RFC 5280 §5.3.1
REASONS = {*range(1, 11)} - {UNUSED, REMOVE}  # in full CRLs and answers; 0 is left out


def check_no_sha1(algorithm: bytes) -> None:
    """Raise Fails where an AlgorithmIdentifier is one with SHA-1."""
    digest = structures.SIGNATURES.get(structures.algorithm_oid(algorithm))
    if digest is not None and digest.name == "sha1":
        raise Fails("it is")


def check_algorithm(algorithm: bytes) -> None:
    """Raise NotApplicable where a signature cannot be verified here."""
    oid = structures.algorithm_oid(algorithm)
    if oid not in structures.SIGNATURES:
        raise NotApplicable(f"signatures of {oid} cannot be verified here")
