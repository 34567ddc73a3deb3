"""Use cases on issuers and profiles."""

from issuers.services.authorities import (
    CannotImport,
    SlugTaken,
    create_local_ca,
    import_local_ca,
    test_connection,
    update_issuer,
)
from issuers.services.checking import CheckedRequest, CSRRejected, check_csr
from issuers.services.orders import OrderState, Waiting
from issuers.services.profiles import delete_profile, save_profile, validate_profile
from issuers.services.signing import (
    SignedCertificate,
    describe,
    generate_key_and_csr,
    sign,
    signing_inputs,
)

__all__ = [
    "CSRRejected",
    "CannotImport",
    "CheckedRequest",
    "OrderState",
    "SignedCertificate",
    "SlugTaken",
    "Waiting",
    "check_csr",
    "create_local_ca",
    "delete_profile",
    "describe",
    "generate_key_and_csr",
    "import_local_ca",
    "save_profile",
    "sign",
    "signing_inputs",
    "test_connection",
    "update_issuer",
    "validate_profile",
]
