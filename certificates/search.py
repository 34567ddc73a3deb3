"""Finding certificates and versions: by parts of names, by serial, by fingerprint.

By indexes alone (decision 0070), which migration 0023 makes: trigrams of the names, on PostgreSQL
of an expression, on SQLite in a table of FTS5 that triggers keep; beginnings, serials and
fingerprints are ranges in b-trees.
"""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.db import models
from django.db.models import F, Q, QuerySet
from typing_extensions import override

from certificates.models import Certificate, CertificateName, Version
from foundation.hits import LAST, SHORTEST_PART, Hit, Rank, Sought
from issuers.x509 import serials
from issuers.x509.names import comparable
from owners.models import Owner

_OWNERS = 50  # whose name holds the word: more say nothing
_KEYS = 1_000  # that are asked for first, and then by key
_KINDS = ("dns:", "ip:", "email:", "uri:")
_FINGERPRINT = 64  # digits of a SHA-256
_BY_TRIGRAMS = (
    "SELECT certificate_id FROM certificates_searchrow WHERE id IN"
    " (SELECT rowid FROM certificates_searchtext WHERE certificates_searchtext MATCH %s)"
)
_HEX_END = "g"  # sorts behind all hexadecimal digits


class Holds(models.Func):
    """Whether a part of the certificate's names, in any letter case, is what was typed."""

    output_field = models.BooleanField()
    columns: ClassVar[tuple[str, ...]] = ("name", "common_name", "sans::text")

    def __init__(self, part: str, **extra: Any) -> None:
        super().__init__(F("pk"), **extra)
        self.part = part

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Ask for the very expression that the index holds."""
        key, parameters = compiler.compile(self.source_expressions[0])
        table = key.rpartition(".")[0]
        text = " || E'\\n' || ".join(f"{table}.{column}" for column in self.columns)
        return f"LOWER({text}) LIKE %s", [*parameters, _pattern(self.part)]

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Ask the table of trigrams; another gives its rows their numbers."""
        key, parameters = compiler.compile(self.source_expressions[0])
        if len(self.part) < SHORTEST_PART:  # beside another word, which finds few
            return self._by_reading(key, parameters, self.columns)
        phrase = self.part.replace('"', '""')
        return f"{key} IN ({_BY_TRIGRAMS})", [*parameters, f'"{phrase}"']

    def _by_reading(self, key: str, parameters: Any, columns: Sequence[str]) -> Any:
        table = key.rpartition(".")[0]
        text = " || char(10) || ".join(f"{table}.{name.partition('::')[0]}" for name in columns)
        return f"({text}) LIKE %s ESCAPE '\\'", [*parameters, _pattern(self.part)]


class VersionHolds(Holds):
    """Whether a part of a version's subject or names is what was typed."""

    columns: ClassVar[tuple[str, ...]] = ("subject", "sans::text")

    @override
    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Read them all: a small inventory has no index for it."""
        key, parameters = compiler.compile(self.source_expressions[0])
        return self._by_reading(key, parameters, self.columns)


class Bare(models.Func):
    """A compared name without its kind ("dns:www" is www), sorted by its bytes."""

    output_field = models.CharField()

    def __init__(self, name: str = "value", **extra: Any) -> None:
        super().__init__(F(name), **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Write it as the index does."""
        template = "(substr(%(expressions)s, strpos(%(expressions)s, ':') + 1) COLLATE \"C\")"
        return super().as_sql(compiler, connection, template=template, **context)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Write it as the index does; SQLite sorts by bytes anyway."""
        template = "substr(%(expressions)s, instr(%(expressions)s, ':') + 1)"
        return super().as_sql(compiler, connection, template=template, **context)


class Parent(models.Func):
    """The domain that a compared name stands in ("dns:www.example.com": example.com), by its bytes.

    It is the whole name where it has no dot, and means nothing of an address.
    """

    output_field = models.CharField()

    def __init__(self, name: str = "value", **extra: Any) -> None:
        super().__init__(F(name), **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Write it as the index does."""
        template = "(substr(%(expressions)s, strpos(%(expressions)s, '.') + 1) COLLATE \"C\")"
        return super().as_sql(compiler, connection, template=template, **context)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Write it as the index does."""
        template = "substr(%(expressions)s, instr(%(expressions)s, '.') + 1)"
        return super().as_sql(compiler, connection, template=template, **context)


class Called(models.Func):
    """What people call the certificate, in lower case, sorted by its bytes."""

    output_field = models.CharField()

    def __init__(self, name: str = "name", **extra: Any) -> None:
        super().__init__(F(name), **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Write it as the index does."""
        template = '(LOWER(%(expressions)s) COLLATE "C")'
        return super().as_sql(compiler, connection, template=template, **context)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Write it as the index does."""
        return super().as_sql(compiler, connection, template="LOWER(%(expressions)s)", **context)


def find(sought: Sought, limit: int) -> list[Hit]:
    """Return at most `limit` certificates by their names: exact, then begun so, then in parts."""
    rows: dict[UUID, Certificate] = {}
    if not sought.text:
        return []
    for some in (_named(sought, limit), _called(sought, limit), _holding(sought, limit)):
        if len(rows) >= limit:
            break
        rows.update((row.pk, row) for row in some if row.pk not in rows)
    hits = [_hit(sought, row) for row in rows.values()]
    return sorted(hits, key=lambda hit: hit.rank)[:limit]


def find_versions(sought: Sought, limit: int) -> list[Hit]:
    """Return at most `limit` versions by serial, fingerprint or key, in any notation."""
    meant = Q(serial__in=serials.readings(sought.text))
    if digits := sought.digits:
        # A serial has no zeros in front.
        meant |= _begins("serial", digits.lstrip("0") or "0")
        if len(digits) <= _FINGERPRINT:
            meant |= _begins("fingerprint", digits) | _begins("key_fingerprint", digits)
    elif not meant.children[0][1]:  # type: ignore[index]  # no number at all
        return []
    rows = Version.objects.filter(meant).select_related("certificate").order_by("-created_at", "pk")
    hits = [_version_hit(sought, row) for row in rows[:limit]]
    return sorted(hits, key=lambda hit: hit.rank)


def matching(rows: QuerySet[Any], typed: str) -> QuerySet[Any]:
    """Return those of `rows`, certificates, that a list shows for what was typed.

    All words must be in one, each in a name, in the owner's name, or as the environment; or it has
    a version of this serial or fingerprint.
    """
    meant = Q()
    sought = Sought.of(typed)
    for word in sought.words:
        meant &= _of_word(sought, word)
    if not meant:
        return rows
    # Asked first: their keys go by an index beside the one of trigrams, a join would not.
    numbered = _numbered(typed).values_list("certificate", flat=True)[:_KEYS]
    keys = list(numbered)
    return rows.filter(meant | Q(pk__in=keys) if keys else meant)


def matching_certificates(typed: str) -> QuerySet[Certificate]:
    """Return the certificates that `matching` would show, for lists of what is about them."""
    return matching(Certificate.objects.all(), typed).order_by()


def matching_versions(rows: QuerySet[Any], typed: str) -> QuerySet[Any]:
    """Return those of `rows`, versions, that a list shows for what was typed.

    Each word is in the subject, a name, or what people call the certificate; or it is of this
    serial, fingerprint or key.
    """
    meant = Q()
    for word in Sought.of(typed).words:
        called = matching_certificates(word).values_list("pk", flat=True)
        meant &= Q(VersionHolds(word)) | Q(certificate__in=list(called[:_KEYS]))
    if not meant:
        return rows
    keys = list(_numbered(typed).values_list("pk", flat=True)[:_KEYS])
    return rows.filter(meant | Q(pk__in=keys) if keys else meant)


def _numbered(typed: str) -> QuerySet[Version]:
    """Return the versions whose serial, fingerprint or key is this, in any notation, or begins so.

    A serial is told by all of its digits.
    """
    meant = Q(serial__in=serials.readings(typed))
    digits = Sought.of(typed).digits
    if digits and len(digits) <= _FINGERPRINT:
        meant |= _begins("fingerprint", digits) | _begins("key_fingerprint", digits)
    return Version.objects.filter(meant).order_by()


def _of_word(sought: Sought, word: str) -> Q:
    owners = Owner.objects.filter(name__icontains=word).order_by()
    keys = list(owners.values_list("pk", flat=True)[:_OWNERS])
    meant = _has(sought, word) | Q(environment=word)
    return meant | Q(owner__in=keys) if keys else meant


def _has(sought: Sought, word: str) -> Q:
    """Whether a word is in the names: one that is short at their beginnings, if all are short."""
    if any(len(one) >= SHORTEST_PART for one in sought.words):
        return Q(Holds(word))
    named = CertificateName.objects.alias(bare=Bare()).filter(_in_range("bare", word.casefold()))
    called = Certificate.objects.alias(called=Called()).filter(_in_range("called", word.lower()))
    return Q(pk__in=named.order_by().values("certificate")) | Q(
        pk__in=called.order_by().values("pk")
    )


def _named(sought: Sought, limit: int) -> Iterable[Certificate]:
    """Those with a name that begins like this, the nearest in the order of bytes first."""
    rows = CertificateName.objects.alias(bare=Bare())
    meant = Q()
    for begin in _beginnings(sought):
        meant |= _in_range("bare", begin)
    # A certificate may have several such names.
    rows = rows.filter(meant).order_by("bare").select_related("certificate__owner")
    return [row.certificate for row in rows[: 2 * limit]]


def _called(sought: Sought, limit: int) -> Iterable[Certificate]:
    rows = Certificate.objects.alias(called=Called())
    meant = _in_range("called", sought.text.lower())
    return rows.filter(meant).order_by("called").select_related("owner")[:limit]


def _holding(sought: Sought, limit: int) -> Iterable[Certificate]:
    if all(len(word) < SHORTEST_PART for word in sought.words):
        return []  # beginnings have been looked for
    rows = Certificate.objects.all()
    for word in sought.words:
        rows = rows.filter(_has(sought, word))
    return rows.order_by("-created_at", "pk").select_related("owner")[:limit]


def _beginnings(sought: Sought) -> list[str]:
    """Return how a compared name may begin that begins as was typed, without its kind."""
    folded = sought.folded
    for kind in _KINDS:
        folded = folded.removeprefix(kind)
    compared = comparable(sought.text)
    for kind in _KINDS:  # an international name is compared in ASCII
        compared = compared.removeprefix(kind)
    return list(dict.fromkeys(text for text in (folded, compared) if text))


def _pattern(part: str) -> str:
    part = part.lower()
    for special in ("\\", "%", "_"):
        part = part.replace(special, f"\\{special}")
    return f"%{part}%"


def _in_range(field: str, begin: str) -> Q:
    return Q(**{f"{field}__gte": begin, f"{field}__lt": begin + LAST})


def _begins(field: str, digits: str) -> Q:
    return Q(**{f"{field}__gte": digits, f"{field}__lt": digits + _HEX_END})


def _hit(sought: Sought, row: Certificate) -> Hit:
    names = [name.partition(":")[2] for name in row.sans]
    own = [row.name, row.common_name, *names]
    texts = [*own, *row.sans, comparable(row.name).partition(":")[2]]
    others = [name for name in names if name != row.name]
    near = next((name for name in others if sought.folded in name.casefold()), "")
    shown = near or (others[0] if others else "")
    more = len(others) - 1 if shown else 0
    words = [row.get_status_display(), str(row.owner)]
    if shown:
        words.append(f"{shown} and {more} more" if more > 0 else shown)
    return Hit("certificates.certificate", row.pk, row.name, " · ".join(words), sought.rank(texts))


def _version_hit(sought: Sought, row: Version) -> Hit:
    meant = {*serials.readings(sought.text), sought.digits}
    is_exact = bool(meant & {row.serial, row.fingerprint, row.key_fingerprint})
    digits = sought.digits
    if row.serial in meant or (digits and row.serial.startswith(digits.lstrip("0") or "0")):
        title = f"Serial {row.serial}"
    elif row.fingerprint.startswith(digits):
        title = f"Fingerprint {row.fingerprint}"
    else:
        title = f"Key {row.key_fingerprint}"
    detail = f"{row.certificate.name} · version {row.number}"
    rank = Rank.EXACT if is_exact else Rank.PREFIX
    return Hit("certificates.version", row.pk, title, detail, rank)
