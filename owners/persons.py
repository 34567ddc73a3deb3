"""When two names or addresses are of one person, and when two names look alike. Pure of rows.

Everything here is loose on purpose, and may only ever be used to refuse. What grants something
compares keys, or the exact address.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from uuid import UUID

from django.conf import settings

# Nothing is seen of these, though they are neither spaces nor controls.
_IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0]|[\U000e0100-\U000e01ef]"
)
# Soft hyphens, joiners and marks of direction are Cf; the rest is what separates or controls.
_UNSEEN = {"Cc", "Cf", "Zs", "Zl", "Zp"}


def folded(text: str) -> str:
    """Return `text` as two of them are compared: by what is read, not by how it is written."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(
        one
        for one in _IGNORABLE.sub("", plain)
        if unicodedata.category(one) not in _UNSEEN and not one.isspace()
    )


def mailbox(address: str) -> str:
    """Return the mailbox that `address` reaches, "" for none; with `+tag` too, by setting."""
    return _mailbox(address, settings.PLUS_ADDRESSES)


@lru_cache(maxsize=4096)
def _mailbox(address: str, has_tags: bool) -> str:
    local, at, domain = folded(address).rpartition("@")
    if not at:
        return local or domain
    if has_tags:
        local = local.partition("+")[0] or local
    return f"{local}@{_ascii(domain.rstrip('.'))}"


class Persons:
    """Some principals, to ask of many others whether they may be one of them. Only to refuse."""

    def __init__(self, addresses: Iterable[tuple[UUID, str]]) -> None:
        rows = dict(addresses)
        self._keys = set(rows)
        self._mailboxes = {mailbox(address) for address in rows.values()} - {""}

    def include(self, key: UUID, address: str) -> bool:
        """Whether the principal of that key and address is one of them, or the same person."""
        return key in self._keys or mailbox(address) in self._mailboxes


def _ascii(domain: str) -> str:
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return domain


# --- Look-alikes ------------------------------------------------------------------------------

# Scripts that a name of a human may be written in, one at a time: in the others too many letters
# look like Latin ones. Those of Japanese are written together.
_JAPANESE = {"CJK", "HIRAGANA", "KATAKANA"}
_SCRIPTS = {"LATIN", "GREEK", "CYRILLIC", "HEBREW", "ARABIC", "DEVANAGARI", "THAI", "HANGUL"}


def _table(*pairs: str) -> dict[int, str]:
    made: dict[int, str] = {}
    for pair in pairs:
        for one, like in zip(*pair.split(), strict=True):
            made[ord(one)] = like
    return made


# As they stand, before capitals are folded: what a capital looks like its small letter may not.
_CAPITALS = _table(
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ abezhlkmnoptyx",  # noqa: RUF001
    "АВЕЅІЈКМНОРСТУХЅӀҮҺ abesljkmhopctyxslyh",
    "I0 lo",
)
_LETTERS = _table(
    "αβγεικνορτυχωηςσμπ abyeikvoptuxwncoun",
    "абвгезіјкмнопрстухѕһԁԛԝьиүөӏ a6brezijkmhonpctyxshdqwbuyol",
    "øđðħłŧıĸþŋ oddhltikpn",
    "וןסا lloi",  # noqa: RUF001
    "01| oll",
)
_LETTERS |= {ord("æ"): "ae", ord("œ"): "oe"}
_PAIRS = (("rn", "m"), ("vv", "w"))


def scripts(name: str) -> set[str]:
    """Return the scripts of the letters of `name`, by their names in Unicode."""
    return {
        unicodedata.name(one, "UNKNOWN").partition(" ")[0]
        for one in unicodedata.normalize("NFKC", name)
        if unicodedata.category(one).startswith("L")
    }


def is_of_one_script(name: str) -> bool:
    """Whether `name` is written in one script, and in one whose look-alikes are known.

    Stricter than UTS 39 ("highly restrictive"): of Latin only what European languages write.
    """
    used = scripts(name)
    if used == {"LATIN"}:
        return all(
            one.isascii() or ord(one) in _LETTERS for one in _bare(name.casefold()) if one.isalpha()
        )
    return (len(used) <= 1 and used <= _SCRIPTS) or (bool(used) and used <= _JAPANESE)


def skeletons(name: str) -> frozenset[str]:
    """Return what `name` looks like: two names that share one of them may be mistaken.

    After UTS 39 §4, with a table of our own: accents count for nothing, and names are compared
    both as they stand and in small letters, since either may be what is shown.
    """
    return frozenset(
        skeleton for written in (name, name.casefold()) for skeleton in _skeletons(written)
    )


def _skeletons(written: str) -> Iterator[str]:
    letters = _bare(written.translate(_CAPITALS)).casefold()
    digits = "".join(
        str(unicodedata.digit(one)) if unicodedata.category(one) == "Nd" else one for one in letters
    )
    skeleton = _bare(digits.translate(_LETTERS))
    for pair, one in _PAIRS:
        skeleton = skeleton.replace(pair, one)
    yield skeleton


def _bare(text: str) -> str:
    """Return `text` without accents and without what is not seen."""
    apart = unicodedata.normalize("NFKD", text)
    return folded("".join(one for one in apart if not unicodedata.category(one).startswith("M")))
