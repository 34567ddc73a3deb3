"""The admin's search among a million certificates, against the bare question that has an index.

The bare question finds the same first rows of certificates or versions and nothing else; a search
asks seven more kinds besides, ranks, and draws the page's part that the box shows.
"""

from collections.abc import Iterator
from urllib.parse import quote

from django.db import connection

from benchmarks.asking import HEAD, Case, Visitor, measure
from certificates.models import Certificate, Version

SPARE = 50.0  # milliseconds beside three times the bare question
_PARTS = (
    "SELECT id FROM certificates_certificate"
    " WHERE LOWER(name || E'\\n' || common_name || E'\\n' || sans::text) LIKE %s LIMIT 20"
)
_PARTS_SQLITE = (
    "SELECT certificate_id FROM certificates_searchrow WHERE id IN (SELECT rowid FROM"
    " certificates_searchtext WHERE certificates_searchtext MATCH %s) LIMIT 20"
)
_BEGINS = (
    "SELECT certificate_id FROM certificates_certificatename WHERE"
    " (substr(value, strpos(value, ':') + 1) COLLATE \"C\") >= %s"
    " AND (substr(value, strpos(value, ':') + 1) COLLATE \"C\") < %s"
    " ORDER BY (substr(value, strpos(value, ':') + 1) COLLATE \"C\") LIMIT 20"
)
_BEGINS_SQLITE = (
    "SELECT certificate_id FROM certificates_certificatename WHERE"
    " substr(value, instr(value, ':') + 1) >= %s AND substr(value, instr(value, ':') + 1) < %s"
    " ORDER BY substr(value, instr(value, ':') + 1) LIMIT 20"
)
_SERIAL = "SELECT id FROM certificates_version WHERE serial = %s"
_FINGERPRINT = "SELECT id FROM certificates_version WHERE fingerprint >= %s AND fingerprint < %s"


def measure_search(port: int, *, rounds: int) -> Iterator[str]:
    """Measure all searches, in the box and as a page; give the lines of the table."""
    visitor = Visitor(port, "carol")
    results = []
    yield HEAD
    for result in measure(visitor, list(cases()), rounds):
        results.append(result)
        yield result.line(SPARE)
    over = [one for one in results if one.median > 3 * one.bare_median + SPARE]
    yield f"  {len(over)} of {len(results)} over three times the bare question and {SPARE:.0f} ms"


def cases() -> Iterator[Case]:
    """Return what is looked for: words, parts, whole names, serials and fingerprints."""
    some = Certificate.objects.filter(current__isnull=False).order_by("-created_at", "pk")
    name = some[1000 if some.count() > 1000 else 0].name  # noqa: PLR2004
    version = Version.objects.filter(certificate__name=name)[0]
    number = name.partition(".")[0].rpartition("-")[2]
    colons = ":".join(version.serial[at : at + 2].upper() for at in range(0, 40, 2))
    texts = (
        ("a word that many have", "shop", _begins("shop")),
        ("two words", "mail payroll", _parts("mail")),
        ("a part that many have", "ogin-st", _parts("ogin-st")),
        ("a part that one has", number, _parts(number)),
        ("a part that none has", "quuxfrob", _parts("quuxfrob")),
        ("a whole name", name, _begins(name)),
        ("a beginning of two letters", "sh", _begins("sh")),
        ("a serial", version.serial, (_SERIAL, (version.serial,))),
        ("a serial with colons", colons, (_SERIAL, (version.serial,))),
        ("a fingerprint", version.fingerprint, _print(version.fingerprint)),
        ("a fingerprint's beginning", version.fingerprint[:12], _print(version.fingerprint[:12])),
        ("an owner", "Owner 7", _parts("owner 7")),
    )
    for words, text, (sql, parameters) in texts:
        for place, more in (("box", "&part"), ("page", "")):
            path = f"/admin/search/?q={quote(text)}{more}"
            yield Case(f"{words}, {place}", path, sql, parameters)
    for words, text in (("list, a word", "shop"), ("list, two words", "mail payroll"),
                        ("list, a part that one has", number)):  # fmt: skip
        sql, parameters = _parts(text.partition(" ")[0])
        yield Case(words, f"/admin/certificates/certificate/?q={quote(text)}", sql, parameters)


def _parts(text: str) -> tuple[str, tuple[str, ...]]:
    if connection.vendor == "postgresql":
        return _PARTS, (f"%{text}%",)
    return _PARTS_SQLITE, (f'"{text}"',)


def _begins(text: str) -> tuple[str, tuple[str, ...]]:
    sql = _BEGINS if connection.vendor == "postgresql" else _BEGINS_SQLITE
    return sql, (text, f"{text}\U0010ffff")


def _print(text: str) -> tuple[str, tuple[str, ...]]:
    return _FINGERPRINT, (text, f"{text}g")
