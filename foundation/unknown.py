"""What nobody knows is refused, with the nearest that is known: a slip must not mean "all"."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches

from foundation.errors import FieldError, Invalid

SHOWN = 100  # characters of a name that somebody made up
MOST_NAMED = 20  # of what is allowed


class UnknownParameter(Invalid):
    """The address asks by what this list or thing is not asked by."""

    code = "unknown_parameter"
    message = "The address has a parameter that is not known here."


def words_for(name: str, known: Iterable[str]) -> str:
    """Return the refusal of `name`, such as "target: unknown; did you mean targets?"."""
    near = get_close_matches(name[:SHOWN], sorted(known), n=1)
    hint = f"; did you mean {near[0]}?" if near else "."
    return f"{name[:SHOWN]}: unknown{hint}"


def nearest(given: str, known: Iterable[str]) -> str:
    """Return " Did you mean web-shop?" where one of `known` is near; else ""."""
    names = {name.casefold(): name for name in known}
    near = get_close_matches(given[:SHOWN].casefold(), names, n=1)
    return f" Did you mean {names[near[0]]}?" if near else ""


def not_among(given: object, known: Iterable[str]) -> str:
    """Return the refusal of a value: what is allowed, and the nearest of that.

    Such as "'keyCompromize' is not one of unspecified, keyCompromise. Did you mean keyCompromise?".
    """
    names = [name for name in known if name]
    allowed = ", ".join(names[:MOST_NAMED]) + (", …" if len(names) > MOST_NAMED else "")
    text = given if isinstance(given, str) else ""
    return f"{str(given)[:SHOWN]!r} is not one of {allowed}.{nearest(text, names)}"


def check_parameters(given: Iterable[str], known: Collection[str]) -> None:
    """Raise UnknownParameter for each name in `given` that is not among `known`."""
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise UnknownParameter(
            " ".join(words_for(name, known) for name in unknown),
            errors=[
                FieldError(name[:SHOWN], UnknownParameter.code, words_for(name, known))
                for name in unknown
            ],
        )
