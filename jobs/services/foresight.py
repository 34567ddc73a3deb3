"""What would be refused of a request, all at once: asked when it is made, and while typing."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import issuers.services
from certificates import signers
from foundation import durations
from foundation.errors import FieldError, Invalid
from issuers.models import Issuer, Profile
from jobs.kinds.signing import check_key
from jobs.services import csrs, justifying
from jobs.services.opening import ForDevice
from owners.models import Principal


class Refusals:
    """Gathers what several checks refuse, so that whoever asks hears all of it."""

    def __init__(self) -> None:
        self._refused: list[Invalid] = []

    @contextmanager
    def gather(self) -> Iterator[None]:
        """Keep an Invalid that is raised inside, and go on after it."""
        try:
            yield
        except Invalid as error:
            self._refused.append(error)

    def named(self, field: str) -> bool:
        """Whether something is wrong with `field`."""
        return any(error["field"] == field for one in self._refused for error in one.errors)

    def check(self) -> None:
        """Raise what was gathered: the one refusal itself, or one Invalid with all there is."""
        if len(self._refused) == 1:
            raise self._refused[0]
        if self._refused:
            errors: list[FieldError] = []
            for one in self._refused:
                errors.extend(error for error in one.errors if error not in errors)
            raise Invalid(errors=errors)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A request that may be made: the names that would be signed, and the words to keep."""

    common_name: str
    sans: Sequence[str]
    justification: str
    checked: issuers.services.CheckedRequest | None = None

    @property
    def key_algorithm(self) -> str:
        """The algorithm of the key that the CSR brings; "" without one."""
        return self.checked.key_algorithm if self.checked is not None else ""

    @property
    def key_size(self) -> int | None:
        """Its size in bits."""
        return self.checked.key_size if self.checked is not None else None


def foresee_issuance(  # noqa: PLR0913 - what a request says
    *,
    actor: Principal,
    issuer: Issuer,
    profile: Profile,
    common_name: str = "",
    sans: Sequence[str] = (),
    csr_pem: str = "",
    lifetime: timedelta | None = None,
    justification: str = "",
    device: ForDevice | None = None,
) -> Foreseen:
    """Return what a request for a first certificate comes to; it writes nothing.

    Raises Invalid with everything that is wrong: a CSR outside the profile (code csr_rejected where
    nothing else is), an issuer that does not serve the profile or is revoked, a lifetime that the
    profile refuses, no names, a justification that is missing or too long.
    """
    refusals = Refusals()
    checked = device.checked if device is not None else None
    with refusals.gather():
        until_commit = device is not None and device.at_once
        check_rules(issuer, profile, lifetime, until_commit=until_commit)
    words = justifying.justified(justification, profile=profile, actor=actor, device=device)
    with refusals.gather():
        justifying.check(words, profile=profile)
    # Under a profile that issues nothing there is nothing to hold a CSR against.
    if csr_pem and not refusals.named("profile"):
        with refusals.gather():
            checked = checked or issuers.services.check_csr(
                csr_pem=csr_pem, profile=profile, common_name=common_name, sans=sans, issuer=issuer
            )
            check_key(csr_pem)
    if checked is not None:
        sans = checked.sans
        common_name = common_name or csrs.common_name_of(checked)
    if not csr_pem or checked is not None:
        with refusals.gather():
            _check_named(sans, common_name)
    refusals.check()
    return Foreseen(common_name, sans, words, checked)


def check_rules(
    issuer: Issuer,
    profile: Profile,
    lifetime: timedelta | None = None,
    *,
    for_itself: bool = False,
    until_commit: bool = False,
) -> None:
    """Raise Invalid where nothing may be asked for; `for_itself` is certctl under its own rules.

    With `until_commit` nobody revokes the CA before the transaction ends.
    """
    errors = []
    if not issuer.enabled:
        errors.append(FieldError("issuer", "issuer_disabled", f"{issuer} is disabled."))
    errors.extend(signers.errors(issuer, until_commit=until_commit))
    if not profile.enabled or profile.is_ca or (profile.is_own and not for_itself):
        errors.append(
            FieldError("profile", "profile_disabled", f"Nothing is issued under {profile}.")
        )
    if not profile.allows(issuer):
        errors.append(
            FieldError("issuer", "issuer_not_allowed", f"{profile} does not allow {issuer}.")
        )
    if lifetime is not None and not timedelta(0) < lifetime <= profile.max_lifetime:
        errors.append(
            FieldError(
                "lifetime",
                "lifetime_not_allowed",
                "It must be more than nothing and at most "
                f"{durations.words(profile.max_lifetime)}.",
            )
        )
    if errors:
        raise Invalid(errors=errors)


def _check_named(sans: Sequence[str], common_name: str) -> None:
    if not sans and not common_name:
        raise Invalid(
            errors=[FieldError("sans", "required", "Give names, or a CSR that has them.")]
        )
