"""Use cases on issuers and profiles."""

from issuers.services.authorities import (
    CannotImport,
    ExistingCA,
    NewCA,
    SlugTaken,
    create_local_ca,
    import_local_ca,
    signer_of,
    test_connection,
    update_issuer,
)
from issuers.services.ca_files import KeyFile, read_key_file
from issuers.services.checking import CheckedRequest, CSRRejected, check_csr
from issuers.services.orders import OrderState, Waiting
from issuers.services.profiles import (
    create_profile,
    delete_profile,
    is_pattern,
    ra_profile,
    responder_profile,
    save_profile,
    update_profile,
    validate_profile,
)
from issuers.services.requested import drop_requested, existing_of, request_ca
from issuers.services.shards import shard_of
from issuers.services.signing import (
    generate_key_and_csr,
    new_key_for,
    new_ra_key,
    new_responder_key,
    sign,
    signing_inputs,
)
from issuers.services.succession import ca_certificates, name_successor, sign_attributes
from issuers.x509.description import SignedCertificate, describe

__all__ = [
    "CSRRejected",
    "CannotImport",
    "CheckedRequest",
    "ExistingCA",
    "KeyFile",
    "NewCA",
    "OrderState",
    "SignedCertificate",
    "SlugTaken",
    "Waiting",
    "ca_certificates",
    "check_csr",
    "create_local_ca",
    "create_profile",
    "delete_profile",
    "describe",
    "drop_requested",
    "existing_of",
    "generate_key_and_csr",
    "import_local_ca",
    "is_pattern",
    "name_successor",
    "new_key_for",
    "new_ra_key",
    "new_responder_key",
    "ra_profile",
    "read_key_file",
    "request_ca",
    "responder_profile",
    "save_profile",
    "shard_of",
    "sign",
    "sign_attributes",
    "signer_of",
    "signing_inputs",
    "test_connection",
    "update_issuer",
    "update_profile",
    "validate_profile",
]
