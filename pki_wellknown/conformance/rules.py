"""The registry: each rule has a name, the clause that it obeys, words, and one check."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from pki_wellknown.conformance.evidence import Evidence, Fails, NotApplicable
from pki_wellknown.conformance.fetching import CannotAsk

Verdict = Literal["pass", "fail", "not applicable"]
Check = Callable[[Evidence], None]


@dataclass(frozen=True, slots=True)
class Rule:
    """What must hold, and where that is written."""

    id: str
    clause: str
    words: str
    check: Check


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a rule, and why where it did not pass."""

    rule: Rule
    verdict: Verdict
    why: str = ""


# What libraries say of a certificate, or we of DER (NotDER), that is none.
_UNREADABLE = (
    ValueError,
    IndexError,
    TypeError,
    UnsupportedAlgorithm,
    x509.ExtensionNotFound,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)

RULES: dict[str, Rule] = {}


def rule(name: str, clause: str, words: str) -> Callable[[Check], Check]:
    """Register a check: it returns where the rule holds and raises Fails or NotApplicable else."""

    def register(check: Check) -> Check:
        if name in RULES:
            raise ValueError(f"there are two rules {name}")
        RULES[name] = Rule(name, clause, words, check)
        return check

    return register


def judged(rules: Iterable[Rule], seen: Evidence) -> Iterator[Result]:
    """Go through rules; raises nothing: what cannot be asked or read fails."""
    for one in rules:
        try:
            one.check(seen)
        except NotApplicable as why:
            yield Result(one, "not applicable", str(why))
        except (Fails, CannotAsk) as why:
            yield Result(one, "fail", str(why))
        except _UNREADABLE as why:
            yield Result(one, "fail", f"it cannot be read: {why}")
        else:
            yield Result(one, "pass")
