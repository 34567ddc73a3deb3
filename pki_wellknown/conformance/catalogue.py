"""All rules, in the order in which they are told."""

from pki_wellknown.conformance import (
    about_ca,
    consistency,
    crl_content,
    crl_delta,
    crl_http,
    ocsp_asking,
    ocsp_http,
    ocsp_signed,
)
from pki_wellknown.conformance.rules import RULES, Rule

# Importing a part has registered its rules.
PARTS = (
    about_ca,
    crl_http,
    crl_content,
    crl_delta,
    ocsp_http,
    ocsp_asking,
    ocsp_signed,
    consistency,
)


def all_rules() -> list[Rule]:
    """Return every rule, part by part as PARTS has them."""
    places = {part.__name__: place for place, part in enumerate(PARTS)}
    return sorted(RULES.values(), key=lambda one: places[one.check.__module__])
