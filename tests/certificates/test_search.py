"""Finding certificates and versions, in the search and in the lists.

Alice issues; bob operates; victor only reads.
"""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.urls import reverse

from certificates import search
from certificates.models import Certificate, CertificateName, Version
from foundation.hits import Rank, Sought
from foundation.trigrams import NoTrigrams, add_extension
from tests.factories import CertificateFactory, OwnerFactory, VersionFactory

SERIAL = "a1b2c3d4e5f60718293a"
PRINT = "0123456789abcdef" * 4
migration = import_module("certificates.migrations.0024_search")


def names(text, limit=20):
    return [hit.title for hit in search.find(Sought.of(text), limit)]


def listed(text):
    return {row.name for row in search.matching(Certificate.objects.all(), text)}


@pytest.fixture
def shop(db):
    return CertificateFactory(
        name="Shop, front",
        common_name="shop.demo.internal",
        sans=["dns:shop.demo.internal", "dns:www.shop.example", "ip:192.0.2.7"],
        owner=OwnerFactory(name="Web platform"),
        environment="staging",
    )


@pytest.mark.parametrize(
    "text",
    ["shop", "SHOP.DEMO", "op.demo.int", "www.shop.example", "192.0.2.7", "Shop, fr", "front shop"],
)
def test_a_certificate_is_found_by_its_names_and_parts_of_them(shop, text):
    CertificateFactory(name="mail.demo.internal")

    assert names(text) == ["Shop, front"]
    assert listed(text) == {"Shop, front"}


@pytest.mark.parametrize("text", ["platform", "web plat", "staging", "shop platform"])
def test_the_list_finds_by_owner_and_environment_too(shop, text):
    CertificateFactory(name="mail.demo.internal")

    assert listed(text) == {"Shop, front"}


@pytest.mark.parametrize(
    "text", ["%", "_", "sh%p", 'sh"op', "shop OR mail", "shop*", "\\", "\0", " "]
)
def test_what_means_something_to_the_database_means_itself(shop, text):
    assert names(text) == []


def test_the_exact_name_comes_first_then_what_begins_so_then_parts(db):
    for name in ("a.web.example", "web.example.org", "web.example", "myweb.example"):
        CertificateFactory(name=name)

    hits = search.find(Sought.of("web.example"), 20)

    assert [hit.title for hit in hits][:2] == ["web.example", "web.example.org"]
    assert [hit.rank for hit in hits] == [Rank.EXACT, Rank.PREFIX, Rank.PART, Rank.PART]


def test_the_nearest_is_found_however_many_others_there_are(db):
    CertificateFactory(name="web.example")
    for number in range(12):
        CertificateFactory(name=f"{number}.web.example")
        CertificateFactory(name=f"web.example.{number}")

    assert names("web.example", limit=3)[0] == "web.example"
    assert all(name.startswith("web.example") for name in names("web.example", limit=3))


def test_fewer_than_three_characters_find_beginnings_alone(shop):
    assert names("sh") == ["Shop, front"]
    assert names("ww") == ["Shop, front"]
    assert names("op") == []
    assert listed("sh") == {"Shop, front"}
    assert listed("op") == set()


def test_an_international_name_is_found_as_it_is_written(db):
    CertificateFactory(name="xn--bcher-kva.example")

    assert names("bücher.example") == ["xn--bcher-kva.example"]


def test_a_new_name_is_found_and_the_old_one_no_longer(shop):
    shop.name = "Till at the back"
    shop.save(update_fields=["name"])

    assert names("at the back") == ["Till at the back"]
    assert names("Shop, front") == []


def test_what_is_gone_is_not_found_and_hides_nobody(shop):
    CertificateName.objects.all().delete()
    shop.delete()
    again = CertificateFactory(name="shop.again.example")

    assert names("shop") == [again.name]


@pytest.mark.parametrize(
    "text",
    [
        SERIAL,
        SERIAL.upper(),
        "A1:B2:C3:D4:E5:F6:07:18:29:3A",
        "0xa1b2 c3d4 e5f6 0718 293a",
        "00" + SERIAL,
    ],
)
def test_a_serial_is_found_in_any_notation(shop, text):
    version = VersionFactory(certificate=shop, serial=SERIAL)
    VersionFactory(certificate=CertificateFactory())

    hits = search.find_versions(Sought.of(text), 20)

    assert [(hit.key, hit.rank) for hit in hits] == [(version.pk, Rank.EXACT)]
    assert listed(text) == {"Shop, front"}
    assert list(search.matching_versions(Version.objects.all(), text)) == [version]


def test_a_serial_is_found_in_decimal(shop):
    version = VersionFactory(certificate=shop, serial=f"{90071992547409931:x}")

    hits = search.find_versions(Sought.of("90071992547409931"), 20)

    assert [hit.key for hit in hits] == [version.pk]


@pytest.mark.parametrize("field", ["fingerprint", "key_fingerprint"])
@pytest.mark.parametrize(
    "text", [PRINT, ":".join(PRINT[at : at + 2] for at in range(0, 64, 2)).upper(), PRINT[:10]]
)
def test_a_fingerprint_is_found_in_any_notation_and_by_its_beginning(shop, field, text):
    version = VersionFactory(certificate=shop, **{field: PRINT})
    VersionFactory(certificate=CertificateFactory())

    hits = search.find_versions(Sought.of(text), 20)

    assert [hit.key for hit in hits] == [version.pk]
    assert list(search.matching_versions(Version.objects.all(), text)) == [version]


def test_the_beginning_of_a_serial_is_found_and_a_few_digits_are_not(shop):
    VersionFactory(certificate=shop, serial=SERIAL)

    assert [hit.rank for hit in search.find_versions(Sought.of("A1:B2:C3"), 20)] == [Rank.PREFIX]
    assert search.find_versions(Sought.of("a1b"), 20) == []
    assert search.find_versions(Sought.of("web"), 20) == []


@pytest.mark.parametrize("text", ["acme", "shop, front", "www.shop"])
def test_versions_are_found_by_subject_and_name(shop, text):
    version = VersionFactory(certificate=shop, subject="CN=shop.demo.internal,O=Acme")
    VersionFactory(certificate=CertificateFactory())

    assert list(search.matching_versions(Version.objects.all(), text)) == [version]


def test_few_questions_are_asked(shop, django_assert_max_num_queries):
    with django_assert_max_num_queries(3):
        search.find(Sought.of("shop"), 20)
    with django_assert_max_num_queries(1):
        search.find_versions(Sought.of(SERIAL), 20)


def test_the_lists_search_so_in_the_admin_and_over_rest(shop, browse, client_of, victor):
    VersionFactory(certificate=shop, serial=SERIAL)
    CertificateFactory(name="mail.demo.internal")
    browser = browse(victor)

    for path in ("certificate", "version"):
        page = browser.get(reverse(f"admin:certificates_{path}_changelist"), {"q": "OP.DEMO"})
        assert b"Shop, front" in page.content
        assert b"mail.demo.internal" not in page.content.partition(b'id="result_list"')[2]
    for path in ("certificates", "versions"):
        answer = client_of(victor).get(f"/api/v1/{path}/?search=A1:B2:C3:D4:E5:F6:07:18:29:3A")
        assert len(answer.json()["results"]) == 1


@pytest.mark.django_db(transaction=True)
def test_the_migration_goes_back_and_forth_over_rows_that_are_there():
    CertificateFactory(name="there.before.example")
    with connection.schema_editor(atomic=False) as editor:
        migration.backwards(apps, editor)
        CertificateFactory(name="meanwhile.before.example")
        migration.forwards(apps, editor)

    assert sorted(names("before.example")) == ["meanwhile.before.example", "there.before.example"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'sqlite'")
def test_a_table_that_was_made_anew_gets_its_triggers_again():
    with connection.cursor() as cursor:
        for name in migration.TRIGGERS:
            cursor.execute(f"DROP TRIGGER {name}")
    with connection.schema_editor(atomic=False) as editor:
        migration.keep_on_sqlite(apps, editor)

    CertificateFactory(name="after.all.example")
    assert names("after.all") == ["after.all.example"]


@pytest.mark.postgres
def test_parts_are_looked_for_by_index(shop):
    rows = search.matching(Certificate.objects.all(), "shop.demo").order_by()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        plan = rows.explain()

    assert "certs_parts" in plan


@pytest.mark.postgres
def test_a_role_that_may_not_add_the_extension_is_told_what_to_do(db):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE ROLE nobody_special")
        cursor.execute("DROP EXTENSION pg_trgm CASCADE")
        cursor.execute("SET LOCAL ROLE nobody_special")
        with (
            connection.schema_editor(atomic=False) as editor,
            pytest.raises(NoTrigrams, match="CREATE EXTENSION pg_trgm"),
        ):
            add_extension(editor)
        transaction.set_rollback(True)
