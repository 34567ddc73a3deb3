"""A second opinion on what was signed, by pkilint (RFC 5280, RFC 6960): where that is installed.

It is a linter of others, in Python alone: some 10 ms for a certificate, and for a CRL as long as it
has entries. So who asks says how much is worth asking about.
"""

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Any

MOST_SAID = 5  # findings that are worth telling


def is_installed() -> bool:
    """Whether there is anybody to ask."""
    return find_spec("pkilint") is not None


def of_certificate(der: bytes) -> list[str]:
    """Return what is wrong with a certificate, each as `code: words`; [] where nothing is."""
    return _findings(_certificates(), der)


def of_crl(der: bytes) -> list[str]:
    """Return what is wrong with a CRL."""
    return _findings(_crls(), der)


def of_response(der: bytes) -> list[str]:
    """Return what is wrong with an OCSPResponse."""
    return _findings(_responses(), der)


# Made once each: the first takes a second. Imported when first asked for, for it may not be there.


@cache
def _certificates() -> Callable[[bytes], Any]:
    from pkilint import loader  # noqa: PLC0415
    from pkilint.pkix import certificate, extension, name  # noqa: PLC0415

    linter = certificate.create_pkix_certificate_validator_container(
        certificate.create_decoding_validators(
            name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS
        ),
        [
            certificate.create_issuer_validator_container([]),
            certificate.create_validity_validator_container(),
            certificate.create_subject_validator_container([]),
            certificate.create_extensions_validator_container([]),
            certificate.create_spki_validator_container([]),
        ],
    )
    reader = loader.RFC5280CertificateDocumentLoader()
    return lambda der: linter.validate(reader.load_der_document(der, "signed").root)


@cache
def _crls() -> Callable[[bytes], Any]:
    from pkilint import loader, pkix  # noqa: PLC0415
    from pkilint.pkix import crl, extension, name  # noqa: PLC0415

    linter = crl.create_pkix_crl_validator_container(
        [
            pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
            pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
        ],
        [
            crl.create_issuer_validator_container([]),
            crl.create_validity_validator_container([]),
            crl.create_extensions_validator_container([]),
        ],
    )
    reader = loader.RFC5280CertificateListDocumentLoader()
    return lambda der: linter.validate(reader.load_der_document(der, "signed").root)


@cache
def _responses() -> Callable[[bytes], Any]:
    from pkilint import loader, pkix  # noqa: PLC0415
    from pkilint.pkix import extension, name, ocsp  # noqa: PLC0415

    linter = ocsp.create_pkix_ocsp_response_validator_container(
        [
            ocsp.create_response_decoder(),
            pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
            pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
        ],
        [],
    )
    reader = loader.RFC6960OCSPResponseDocumentLoader()
    return lambda der: linter.validate(reader.load_der_document(der, "signed").root)


def _findings(linter: Callable[[bytes], Any], der: bytes) -> list[str]:
    from pkilint.validation import ValidationFindingSeverity  # noqa: PLC0415

    try:
        results = linter(der)
    except ValueError as error:
        return [f"unreadable: {error}"]
    return [
        f"{one.finding.code}: {one.message or result.validator}"
        for result in results
        for one in result.finding_descriptions
        if one.finding.severity <= ValidationFindingSeverity.ERROR
    ]
