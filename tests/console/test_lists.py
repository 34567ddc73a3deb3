"""Lists of the admin: chips, columns, counts and pages.

Alice and bob operate, carol administers, victor only reads.
"""

import gzip
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.models import Event
from certificates.models import Certificate, Revocation, Version
from deployments.models import Deployment, Target
from foundation.admin.lists import chips, pages
from tests.factories import (
    CertificateFactory,
    JobFactory,
    OwnerFactory,
    TeamFactory,
    VersionFactory,
)

LIST = reverse("admin:certificates_certificate_changelist")
JOBS = reverse("admin:jobs_job_changelist")
VERSIONS = reverse("admin:certificates_version_changelist")


def names(answer):
    assert answer.status_code == 200, answer.headers
    return sorted(row.name for row in answer.context["cl"].result_list)


def make(name, *, days=40, **fields):
    status = fields.pop("status", "Active")
    certificate = CertificateFactory(name=name, **fields)
    version = VersionFactory(
        certificate=certificate, not_after=timezone.now() + timedelta(days=days)
    )
    Certificate.objects.filter(pk=certificate.pk).update(current=version, status=status)
    return certificate


@pytest.fixture
def four(db):
    shop, bank = OwnerFactory(name="shop"), OwnerFactory(name="bank", team=TeamFactory(name="it"))
    return {
        "a": make("a", days=3, owner=shop, tags=["web", "blue"], environment="production"),
        "b": make("b", days=20, owner=shop, tags=["web2"], environment="test"),
        "c": make("c", days=80, owner=bank, team=TeamFactory(name="net"), tags=["web"]),
        "d": make("d", days=-1, owner=bank, status="Expired"),
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("owner=shop", ["a", "b"]),
        ("owner=shop&owner=bank", ["a", "b", "c", "d"]),
        ("team=it", ["c", "d"]),
        ("team=net", ["c"]),
        ("team=none", ["a", "b", "d"]),
        ("tag=web", ["a", "c"]),
        ("tag=web&owner=shop", ["a"]),
        ("tag=web2&tag=blue", ["a", "b"]),
        ("ends=7", ["a"]),
        ("ends=7&ends=30", ["a", "b"]),
        ("ends=90", ["a", "b", "c"]),
        ("status=Expired", ["d"]),
        ("status__exact=Expired", ["d"]),
        ("environment=test&environment=production", ["a", "b"]),
        ("revoked=no", ["a", "b", "c", "d"]),
        ("policy=none", ["a", "b", "c", "d"]),
        ("revoked=yes", []),
        ("unproven=yes", []),
        ("q=a", ["a", "b", "c", "d"]),
    ],
)
def test_victor_narrows_the_list_by_chips_that_add_up(browse, victor, four, query, expected):
    answer = browse(victor).get(f"{LIST}?{query}")

    if query != "q=a":
        assert names(answer) == expected


def test_victor_finds_what_is_revoked_and_what_is_deployed_but_unproven(browse, victor, four, bob):
    Revocation.objects.create(
        version=four["a"].versions.get(),
        issuer=four["a"].issuer,
        serial="1",
        reason="superseded",
        revoked_at=timezone.now(),
        revoked_by=bob,
        not_after=timezone.now(),
    )
    target = Target.objects.create(name="front", kind="file")
    for name, health in (("b", "Unknown"), ("c", "Healthy")):
        Deployment.objects.create(
            certificate=four[name], target=target, deployed_at=timezone.now(), health=health
        )
    client = browse(victor)

    assert names(client.get(f"{LIST}?revoked=yes")) == ["a"]
    assert names(client.get(f"{LIST}?revoked=no")) == ["b", "c", "d"]
    assert names(client.get(f"{LIST}?unproven=yes")) == ["b"]


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("status=Actve", "did you mean Active?"),
        ("ends=31", "unknown"),
        ("owner=nobody", "nothing here is known as nobody"),
        ("revoked=maybe", "neither yes nor no"),
        ("tag=A%22B", "cannot be one"),
        ("end_from=2026-02-31", "is no date"),
        ("end_from=soon", "is no date"),
        ("current__not_after_from_0=2026-13-01", "is no date"),
        ("p=0", "There is no page 0"),
        ("p=99", "There is no page 99"),
        ("ownr=shop", "did you mean owner?"),
        ("&".join(f"tag=t{n}" for n in range(chips.MOST_VALUES + 1)), "at most 50 values"),
    ],
)
def test_what_a_chip_cannot_mean_is_refused_in_words(browse, victor, four, query, word):
    client = browse(victor)
    answer = client.get(f"{LIST}?{query}")

    assert (answer.status_code, answer.headers["Location"]) == (302, LIST)
    assert word in client.get(LIST).content.decode()
    assert Event.objects.filter(action="records.view.refuse", actor=victor).count() == 1


def test_each_value_can_be_taken_away_and_the_rest_stays(browse, victor, four):
    answer = browse(victor).get(f"{LIST}?owner=shop&owner=bank&tag=web&o=-name&q=a")
    removals = {one.words: one.address for one in answer.context["cl"].removals}

    assert set(removals) == {"shop", "bank", "web"}
    assert f"owner={four['c'].owner_id}" in removals["shop"]
    assert str(four["a"].owner_id) not in removals["shop"]
    assert "tag=web" in removals["shop"]
    assert "o=-name" in removals["shop"]
    assert "q=a" in removals["shop"]


def test_older_links_by_dates_still_mean_the_same(browse, victor, four):
    day = (timezone.now() + timedelta(days=10)).date().isoformat()
    client = browse(victor)

    for query in (
        f"end_to={day}",
        f"current__not_after_to_0={day}&current__not_after_to_1=23:59:59",
        f"current__not_after__lt={day}",
    ):
        assert names(client.get(f"{LIST}?{query}")) == ["a", "d"], query


def test_names_with_markup_and_turned_letters_are_shown_as_what_they_are(browse, victor):
    odd = OwnerFactory(name="<b>x</b>\u202e\u200bhcaf")
    make("<script>alert(1)</script>", owner=odd)

    page = browse(victor).get(f"{LIST}?owner={odd.pk}").content.decode()

    assert "<script>alert(1)" not in page
    assert "<b>x</b>" not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page


def test_jobs_and_versions_have_chips_too(browse, victor, four):
    JobFactory(certificate=four["a"], kind="Issuance")
    JobFactory(certificate=four["c"], kind="Issuance")
    client = browse(victor)

    assert len(client.get(f"{JOBS}?owner=shop").context["cl"].result_list) == 1
    assert len(client.get(f"{JOBS}?owner=shop&owner=bank").context["cl"].result_list) == 2
    assert len(client.get(f"{VERSIONS}?ends=30").context["cl"].result_list) == 2
    assert len(client.get(f"{VERSIONS}?revoked=yes").context["cl"].result_list) == 0


def test_a_list_is_sorted_by_the_names_of_columns_and_by_older_numbers(browse, victor, four):
    client = browse(victor)

    for order in ("-expires", "-3"):
        shown = client.get(f"{LIST}?o={order}").context["cl"].result_list
        assert [row.name for row in shown] == ["c", "b", "a", "d"], order
    assert client.get(f"{LIST}?o=password.99.-x").status_code == 200


def test_counts_end_and_say_so(browse, victor, monkeypatch, inventory):
    monkeypatch.setattr(pages, "MOST_COUNTED", 100)
    inventory(149)
    client = browse(victor)

    first = client.get(LIST)
    last = client.get(f"{LIST}?p=2")

    assert "100+ certificates" in first.content.decode()
    assert first.context["cl"].paginator.num_pages == 2
    assert len(last.context["cl"].result_list) == 50
    assert "The list goes on" in last.content.decode()
    assert client.get(f"{LIST}?p=3").status_code == 302


def test_two_thousand_certificates_take_few_queries_and_bytes(
    browse, alice, inventory, django_assert_max_num_queries
):
    inventory(2000)
    client = browse(alice)
    client.get(LIST)

    for query in ("", "?p=40", "?status=Expiring&tag=web&ends=90&environment=test", "?o=expires"):
        with django_assert_max_num_queries(26):
            answer = client.get(f"{LIST}{query}", headers={"accept-encoding": "gzip"})
        assert answer.headers["Content-Encoding"] == "gzip"
        assert len(answer.content) <= 20_000, query
        assert len(gzip.decompress(answer.content)) <= 120_000


def test_pages_follow_one_another_without_a_gap(browse, victor, inventory):
    inventory(120)
    client = browse(victor)
    seen = []

    for number in (1, 2, 3):
        seen += [row.pk for row in client.get(f"{LIST}?p={number}").context["cl"].result_list]

    assert len(seen) == len(set(seen)) == 121
    assert seen == list(
        Certificate.objects.order_by("-created_at", "pk").values_list("pk", flat=True)
    )


def test_only_pages_that_are_looked_at_are_compressed(browse, client_of, carol, inventory):
    inventory(100)
    client, packed = browse(carol), {"accept-encoding": "gzip"}

    assert client.get(LIST, headers=packed).headers.get("Content-Encoding") == "gzip"
    assert "Content-Encoding" not in client.get(LIST).headers
    assert (
        "Content-Encoding"
        not in client_of(carol).get("/api/v1/certificates/", headers=packed).headers
    )
    some = Certificate.objects.order_by("name").first()
    form = {"action": "change_owner", "index": "0", "_selected_action": str(some.pk)}
    assert "Content-Encoding" not in client.post(LIST, form, headers=packed).headers
    form["action"] = "export_csv"
    assert "Content-Encoding" not in client.post(LIST, form, headers=packed).headers


def test_the_length_of_a_compressed_page_tells_nothing(browse, carol, inventory):
    inventory(3)
    client = browse(carol)

    lengths = {
        len(client.get(LIST, headers={"accept-encoding": "gzip"}).content) for _ in range(12)
    }

    assert len(lengths) > 1


def test_an_empty_list_says_so_and_a_narrowed_one_leads_back(browse, victor):
    client = browse(victor)

    assert "No certificates yet" in client.get(LIST).content.decode()
    assert "Show all" in client.get(f"{LIST}?status=Active").content.decode()
    assert Version.objects.count() == 0
