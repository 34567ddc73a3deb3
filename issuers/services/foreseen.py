"""What would not verify once it is signed, said when it is asked for and not after approval."""

from collections.abc import Iterator, Sequence

from cryptography import x509

from foundation.errors import FieldError
from issuers.models import Issuer, Profile
from issuers.x509 import certs, names, path, reading

# Where it is said, and the code that clients know it by.
_FIELDS: dict[path.Kind, tuple[str, str]] = {
    "chain": ("issuer", "issuer_cannot_sign"),
    "names": ("sans", "outside_name_constraints"),
    "purposes": ("issuer", "purpose_not_served"),
    "usages": ("csr", "usage_does_not_fit"),
}


def errors(
    csr: x509.CertificateSigningRequest,
    subject: x509.Name,
    sans: Sequence[str],
    profile: Profile,
    issuer: Issuer | None,
) -> Iterator[FieldError]:
    """Go through what is wrong with a request that the profile allows.

    Of an issuer whose certificate is not known here, nothing is foreseen.
    """
    wanted = path.Wanted(
        public_key=csr.public_key(),
        subject=subject,
        names=names.general_names(sans),
        usages=profile.key_usage,
        purposes=certs.extended(profile.extended_key_usage),
    )
    if issuer is None or not issuer.certificate_pem:
        problems = list(path.usage_problems(wanted))
    else:
        own, *above = reading.cas(f"{issuer.certificate_pem}\n{issuer.chain_pem}")
        problems = path.foreseen(wanted, own, above)
    for problem in problems:
        field, code = _FIELDS[problem.about]
        yield FieldError(field, code, problem.detail)
