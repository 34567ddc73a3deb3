"""This process's memory of OCSP answers, and who keeps it true: one of each."""

from cryptography.x509 import ReasonFlags, ocsp
from django.conf import settings

import certificates.ocsp
from certificates.models import OCSPResponse
from foundation import csp
from pki_wellknown import answers, quick
from pki_wellknown.follow import Follower
from pki_wellknown.memory import Confirmation, Known, Memory

memory = Memory(limit=settings.OCSP_MEMORY_ENTRIES, promised=settings.REVOCATION_PROMISE)
follower = Follower(memory)


def keep(key: quick.Key, response: OCSPResponse, mark: Confirmation | None) -> None:
    """Have the front give this answer; `mark` is `memory.mark()` from before it was read."""
    if mark is not None:
        memory.keep(key, known_of(response), mark=mark)


def known_of(response: OCSPResponse) -> Known:
    """Return a stored answer with the headers that the views give it."""
    der = bytes(response.der)
    validators = answers.validators(
        der, modified=response.this_update, expires=response.next_update, etag=response.etag
    )
    policy = (csp.HEADER, csp.NOTHING)
    return Known(
        issuer=response.issuer_id,
        serial=response.serial,
        der=der,
        etag=dict(validators)["ETag"],
        content=tuple(answers.content(der, answers.OCSP_TYPE)),
        validators=(*validators, policy),
        is_final=_is_final(der),
        begins=response.this_update.timestamp(),
        fresh_until=certificates.ocsp.refresh_at(response).timestamp(),
        ends=response.next_update.timestamp(),
    )


def _is_final(der: bytes) -> bool:
    # Of the bytes that go out, not of a row that could say something else.
    said = ocsp.load_der_ocsp_response(der)
    if said.certificate_status is not ocsp.OCSPCertStatus.REVOKED:
        return False
    return said.revocation_reason is not ReasonFlags.certificate_hold
