"""What went wrong, in SCEP's terms (RFC 8894 §3.2.1.4): which failInfo, and which words."""

from http import HTTPStatus

from enrollment.replies import said
from enrollment.scep.message import FailInfo, Refused
from foundation.errors import ChangedMeanwhile
from foundation.outcomes import Outcome, outcome_of

# Of what a request is refused for, what another algorithm or key would mend.
_ALGORITHMS = frozenset({"weak_hash", "key_not_allowed", "weak_key", "key_too_large"})
_NAMES = {
    FailInfo.BAD_ALG: "bad_alg",
    FailInfo.BAD_MESSAGE_CHECK: "bad_message_check",
    FailInfo.BAD_REQUEST: "bad_request",
    FailInfo.BAD_TIME: "bad_time",
    FailInfo.BAD_CERT_ID: "bad_cert_id",
}


def outcome_in(error: Exception) -> Outcome | None:
    """Return what an error means, those of SCEP's own among them; None for what nobody foresaw."""
    if isinstance(error, Refused):
        return Outcome(HTTPStatus.BAD_REQUEST, _NAMES[error.fail_info], str(error))
    return outcome_of(error)


def is_passing(outcome: Outcome) -> bool:
    """Whether the same sent again later would do: a FAILURE would have the client give up."""
    is_theirs = outcome.status < HTTPStatus.INTERNAL_SERVER_ERROR
    return not is_theirs or outcome.code == ChangedMeanwhile.code


def failure_of(error: Exception, outcome: Outcome) -> tuple[FailInfo, str]:
    """Return failInfo and failInfoText of what was refused."""
    if isinstance(error, Refused):
        return error.fail_info, outcome.detail
    words = said(outcome)
    codes = {outcome.code} | {one.get("code", "") for one in outcome.errors}
    if "bad_signature" in codes:
        return FailInfo.BAD_MESSAGE_CHECK, words
    if codes & _ALGORITHMS:
        return FailInfo.BAD_ALG, words
    if outcome.status == HTTPStatus.NOT_FOUND:
        return FailInfo.BAD_CERT_ID, words
    return FailInfo.BAD_REQUEST, words
