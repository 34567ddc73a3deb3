"""A certificate's end, which triggers keep, and the indexes that lists go by.

Bob operates, victor only reads.
"""

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from certificates.models import Certificate, Version
from tests.factories import CertificateFactory, OwnerFactory, VersionFactory

LIST = reverse("admin:certificates_certificate_changelist")
migration = import_module("certificates.migrations.0025_ends_at")
filling = import_module("certificates.migrations.0026_fill_ends_at")


@pytest.fixture
def signed(db):
    return VersionFactory(certificate=CertificateFactory(name="shop.demo.internal"))


def end_of(version):
    return Certificate.objects.get(pk=version.certificate_id).ends_at


def test_a_certificate_ends_with_its_current_version_whoever_writes_it(signed, bob):
    assert end_of(signed) == signed.not_after

    later = VersionFactory(certificate=signed.certificate, number=2)  # which is in use at once
    assert end_of(signed) == later.not_after != signed.not_after
    Certificate.objects.filter(pk=signed.certificate_id).update(current=signed)
    assert end_of(signed) == signed.not_after

    moved = timezone.now() + timedelta(days=3)
    Version.objects.filter(pk=signed.pk).update(not_after=moved)
    assert end_of(signed) == moved

    Certificate.objects.filter(pk=signed.certificate_id).update(current=None)
    assert end_of(signed) is None


def test_a_stale_row_that_bob_saves_does_not_take_the_end_back(signed):
    stale = Certificate.objects.get(pk=signed.certificate_id)
    stale.ends_at = None
    stale.save()
    assert end_of(signed) == signed.not_after

    Certificate.objects.filter(pk=signed.certificate_id).update(ends_at=None)
    assert end_of(signed) == signed.not_after


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'sqlite'")
def test_tables_that_were_made_anew_get_their_triggers_again():
    with connection.cursor() as cursor:
        for name in migration.SQLITE:
            cursor.execute(f"DROP TRIGGER {name}")
    certificate = CertificateFactory(name="before.demo.internal")
    version = VersionFactory(certificate=certificate)
    assert end_of(version) is None
    with connection.schema_editor(atomic=False) as editor:
        migration.keep_on_sqlite(apps, editor)
        filling.fill(apps, editor)

    assert end_of(version) == version.not_after


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("o=expires", "certs_ending"),
        ("o=-expires", "certs_ending"),
        ("ends=7", "certs_ending"),
        ("o=show_status", "certs_status"),
        ("o=-show_status", "certs_status"),
        ("owner=rare", "certs_of_owner"),
        ("environment=lab", "certs_environment"),
        ("tag=rare", "certs_tags"),
        ("", "certs_newest"),
        ("p=2", "certs_newest"),
    ],
)
def test_what_victor_looks_at_goes_by_an_index(browse, victor, query, index):
    owner, rare = OwnerFactory(name="usual"), OwnerFactory(name="rare")
    like = CertificateFactory(name="like.demo.internal", owner=rare, tags=["rare"])
    now = timezone.now()
    Certificate.objects.bulk_create(
        Certificate(
            name=f"{number}.demo.internal",
            owner=owner,
            issuer=like.issuer,
            profile=like.profile,
            environment="production",
            tags=["web"],
            status="Active",
            created_at=now - timedelta(minutes=number),
        )
        for number in range(3000)
    )
    client = browse(victor)
    client.get(LIST)
    with CaptureQueriesContext(connection) as asked:
        assert client.get(f"{LIST}?{query}").status_code == 200
    # Of keys alone: which rows the page has, and nothing that it shows of them.
    (page,) = (
        one["sql"]
        for one in asked.captured_queries
        if one["sql"].startswith('SELECT "certificates_certificate"."id" AS "pk"')
    )

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ANALYZE certificates_certificate")
        cursor.execute(f"EXPLAIN {page}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert index in plan
    assert "Seq Scan" not in plan


@pytest.mark.parametrize(
    "path", ["certificates/?status=Active", "jobs/?status=Pending&kind=Renewal"]
)
def test_victors_rest_lists_are_not_sorted_by_all_columns_to_be_distinct(client_of, victor, path):
    client = client_of(victor)
    with CaptureQueriesContext(connection) as asked:
        assert client.get(f"/api/v1/{path}").status_code == 200

    assert not [one["sql"] for one in asked.captured_queries if "DISTINCT" in one["sql"]]
