"""A column of many rows, joined: nothing is lost, doubled or out of order, however it is cut."""

import json

import pytest
from django.db import connection, models, transaction
from django.db.models import F, Value
from django.db.models.functions import Cast
from django.utils import timezone

from certificates.models import Revocation, SerialRevocation
from foundation.joined import joined
from tests.factories import CertificateFactory, VersionFactory

pytestmark = pytest.mark.django_db

NONE = Cast(Value(None), models.PositiveSmallIntegerField())


@pytest.fixture
def rows(local_ca, system):
    """Have serials revoked, in this order; give the question for them."""

    def make(*serials):
        made = [
            SerialRevocation(
                issuer=local_ca,
                serial=serial,
                revoked_at=timezone.now(),
                recorded_by=system,
                entry=serial.encode() if serial != "e0" else b"",
            )
            for serial in serials
        ]
        SerialRevocation.objects.bulk_create(made)
        return SerialRevocation.objects.filter(issuer=local_ca)

    return make


def plain(queryset):
    return queryset.annotate(part=NONE).order_by().values_list("entry", "part", "serial")


@pytest.mark.parametrize("size", [1, 2, 3, 5, 6, 7])
def test_every_row_is_there_once_in_the_order_of_its_key(rows, size):
    question = plain(rows("d4", "a1", "f6", "-07", "c3", "b2"))

    runs = list(joined([question], size=size, by_part=False))

    assert b"".join(run.value for run in runs) == b"-07a1b2c3d4f6"
    assert sum(run.count for run in runs) == 6
    assert max(run.count for run in runs) == min(size, 6)
    assert not any(run.has_empty or run.parts for run in runs)


def test_where_there_is_nothing_there_is_no_run(rows):
    assert not list(joined([plain(rows())], size=2, by_part=False))
    assert not list(joined([plain(rows())], size=2, by_part=True))


def test_of_rows_with_one_key_none_is_lost_where_a_run_ends(rows):
    question = rows("a1", "b2", "c3", "d4", "e5")
    twice = [plain(question), plain(question)]

    for size in (1, 2, 3, 4):
        runs = list(joined(twice, size=size, by_part=False))
        assert b"".join(run.value for run in runs) == b"a1a1b2b2c3c3d4d4e5e5"


def test_what_has_no_octets_is_told(rows):
    runs = list(joined([plain(rows("a1", "e0", "f1"))], size=1, by_part=False))

    assert [run.has_empty for run in runs] == [False, True, False]
    assert [run.count for run in runs] == [1, 1, 1]


def test_parts_are_joined_by_themselves_and_in_order(rows):
    serials = [f"{number:04x}" for number in range(300)]
    question = rows(*reversed(serials)).annotate(part=F("pk") % 7).order_by()
    question = question.values_list("entry", "part", "serial")
    parts = {}

    for run in joined([question], size=100, by_part=True):
        assert sum(count for _, count in run.parts.values()) == run.count
        for part, (value, _) in run.parts.items():
            parts[part] = parts.get(part, b"") + value

    wanted = {}
    for entry, part, _ in question.order_by("serial"):
        wanted[part] = wanted.get(part, b"") + bytes(entry)
    assert parts == wanted
    assert len(parts) == 7


def test_what_is_of_no_part_is_on_the_whole_alone(rows):
    (run,) = joined([plain(rows("a1", "b2"))], size=9, by_part=True)

    assert (run.value, run.count, run.parts) == (b"a1b2", 2, {})


def test_the_first_run_is_read_at_once(rows):
    question = rows("a1", "b2")

    runs = joined([plain(question)], size=2, by_part=False)
    question.delete()

    assert [run.value for run in runs] == [b"a1b2"]


def nodes(plan):
    """Yield each step of a plan."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


@pytest.fixture
def many(local_ca, profile, owner, bob):
    """Have 60 certificates revoked."""
    certificate = CertificateFactory(issuer=local_ca, profile=profile, owner=owner)
    made = []
    for number in range(60):
        version = VersionFactory(certificate=certificate, number=number + 10)
        row = Revocation(version=version, revoked_by=bob, revoked_at=timezone.now())
        row.fill()
        made.append(row)
    Revocation.objects.bulk_create(made)
    return Revocation.objects.for_crl(local_ca).order_by().values_list("entry", "shard", "serial")


def steps_of(sql, parameters):
    """Return the steps that PostgreSQL would take where tables are large."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", parameters)
        (answer,) = cursor.fetchone()
    return list(nodes((answer if isinstance(answer, list) else json.loads(answer))[0]["Plan"]))


@pytest.mark.parametrize("by_part", [False, True])
@pytest.mark.parametrize("has_both", [False, True])
def test_a_run_reads_its_own_rows_of_an_index_and_sorts_no_others(many, rows, by_part, has_both):
    """Else every run would read all that follow: of a million entries the time is the square."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite reads all runs by one statement")
    sources = [many, plain(rows("a1", "b2"))] if has_both else [many]
    asked = []

    def note(execute, sql, parameters, *rest):
        asked.append((sql, parameters))
        return execute(sql, parameters, *rest)

    with connection.execute_wrapper(note):
        runs = list(joined(sources, size=25, by_part=by_part))

    assert [run.count for run in runs] == [25, 25, 12 if has_both else 10]
    assert [" WHERE key > " in sql for sql, _ in asked] == [0, 1, 1]
    for sql, parameters in asked:
        steps = steps_of(sql, parameters)
        scans = {step["Relation Name"]: step for step in steps if "Relation Name" in step}
        assert len(scans) == 1 + has_both
        of_ours = scans["certificates_revocation"]
        assert of_ours["Index Name"] == "revocations_listed"
        assert of_ours["Node Type"] == "Index Only Scan"
        limits = [step for step in steps if step["Node Type"] == "Limit"][-len(scans) :]
        for step in (below for limit in limits for below in nodes(limit)):
            assert "Sort" not in step["Node Type"]
        if " WHERE key > " in sql:
            assert all("serial" in scan["Index Cond"] for scan in scans.values())
