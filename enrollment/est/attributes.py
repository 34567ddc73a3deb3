"""What a profile wants of a request, in the terms of csrattrs."""

from enrollment.est import csrattrs
from enrollment.est.csrattrs import Wanted
from issuers.models import Profile
from issuers.x509 import certs

_CURVES = {"ecdsa-p256": "secp256r1", "ecdsa-p384": "secp384r1", "ecdsa-p521": "secp521r1"}
_USAGES = {"contentCommitment": "nonRepudiation"}  # X.509 has given it another name since
_DIGESTS = {"secp256r1": "sha256", "secp384r1": "sha384", "secp521r1": "sha512"}


def wanted_by(profile: Profile) -> bytes:
    """Return the DER of CsrAttrs for a request that `profile` allows.

    The first of the allowed keys is the one that is asked for (RFC 9908 can say one); Ed25519 has
    no form there and goes unsaid. What the profile sets in the subject is said with its value,
    what a request may carry is left to the client, as the names are.
    """
    rsa, curve = _key(next(iter(profile.key_algorithms), ""))
    fixed = {name: str(value) for name, value in profile.fixed_subject.items()}
    free = [name for name in profile.subject_attributes if name not in fixed]
    subject = [*fixed.items(), *((name, None) for name in free)]
    return csrattrs.build(
        Wanted(
            rsa_bits=rsa,
            curve=curve,
            subject=[pair for pair in subject if pair[0] in csrattrs.SUBJECT_PARTS],
            wants_san=any(not name.startswith("cn:") for name in profile.allowed_sans),
            key_usages=[_USAGES.get(name, name) for name in profile.key_usage],
            ekus=[one.dotted_string for one in certs.extended(profile.extended_key_usage)],
            digest=_DIGESTS.get(curve or "", "sha256"),
        )
    )


def _key(algorithm: str) -> tuple[int | None, str | None]:
    if algorithm.startswith("rsa-"):
        return int(algorithm.removeprefix("rsa-")), None
    return None, _CURVES.get(algorithm)
