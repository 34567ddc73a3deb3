"""What the criteria mean: none of them more than was said."""

from datetime import timedelta

import pytest
from django.utils import timezone

from certificates.models import Certificate, Version
from revocation import services
from revocation.services import InvalidCriteria
from revocation.services.spreadsheets import plain_serial

pytestmark = pytest.mark.django_db


def meant(**criteria):
    preview = services.preview_revocation(criteria=criteria)
    return {one.version for one in preview.affected}


def test_serials_are_read_however_they_are_written(make):
    one, two, _ = make(3)
    colons = ":".join(f"{one.serial:0>40}"[at : at + 2] for at in range(0, 40, 2))

    assert meant(serials=[colons.upper(), f"0x{two.serial}"]) == {one.pk, two.pk}
    assert plain_serial("00:AB") == "ab"


def test_a_csv_names_serials_with_their_issuers_and_fingerprints(make, local_ca):
    one, two, _ = make(3)
    table = (
        "Serial,issuer,fingerprint\r\n"
        f"{one.serial},{local_ca.slug},\r\n"
        f",,{two.fingerprint.upper()}\r\n"
    )

    assert meant(csv=table) == {one.pk, two.pk}


def test_a_serial_of_two_issuers_is_refused_until_the_issuer_is_said(make, root_ca):
    one, two = make(2)
    Version.objects.filter(pk=two.pk).update(serial=one.serial, issuer=root_ca)

    for criteria in ({"serials": [one.serial]}, {"csv": f"serial\n{one.serial}\n"}):
        with pytest.raises(InvalidCriteria) as caught:
            meant(**criteria)
        assert caught.value.errors[0]["code"] == "ambiguous"
    assert meant(serials=[one.serial], issuer=root_ca.slug) == {two.pk}
    assert meant(csv=f"serial,issuer\n{one.serial},{root_ca.slug}\n") == {two.pk}


def test_issued_between_is_from_the_first_instant_on_without_the_second(make):
    one, two = make(2)
    begins = timezone.now() - timedelta(days=2)
    Version.objects.filter(pk=one.pk).update(not_before=begins)
    Version.objects.filter(pk=two.pk).update(not_before=begins + timedelta(hours=1))

    def between(hours):
        ends = begins + timedelta(hours=hours)
        return meant(issued_between={"from": begins.isoformat(), "to": ends.isoformat()})

    assert between(1) == {one.pk}
    assert between(1.01) == {one.pk, two.pk}


def test_what_we_had_signed_was_issued_then_though_it_is_backdated(make):
    (one,) = make(1)
    at = timezone.now() - timedelta(days=3)
    Version.objects.filter(pk=one.pk).update(
        job_id=one.pk, created_at=at, not_before=at - timedelta(minutes=5)
    )
    between = {"from": at.isoformat(), "to": (at + timedelta(seconds=1)).isoformat()}

    assert meant(issued_between=between) == {one.pk}


def test_a_certificate_has_all_of_the_tags_and_has_them_exactly(make):
    one, two, three = make(3)
    for version, tags in ((one, ["prod", "eu"]), (two, ["Prod", "eu"]), (three, ["prod-2"])):
        Certificate.objects.filter(pk=version.certificate_id).update(tags=tags)

    assert meant(tags=["prod", "eu"]) == {one.pk}
    assert meant(tags=["eu"]) == {one.pk, two.pk}
    assert meant(tags=["prod"]) == {one.pk}


def test_an_environment_is_the_whole_name(make):
    one, two = make(2)
    Certificate.objects.filter(pk=one.certificate_id).update(environment="prod")
    Certificate.objects.filter(pk=two.certificate_id).update(environment="prod-2")

    assert meant(environment="prod") == {one.pk}


@pytest.mark.parametrize(
    ("criteria", "code"),
    [
        ({"serials": ["zz"]}, "invalid"),
        ({"serials": ["0"]}, "invalid"),
        ({"serials": ["abc"]}, "unknown"),
        ({"serials": "abc"}, "invalid"),
        ({"serials": ["abc"] * 10_001}, "invalid"),
        ({"csv": "serial\n"}, "empty"),
        ({"csv": "number\n12\n"}, "unknown_column"),
        ({"csv": "issuer\nissuing\n"}, "missing_column"),
        ({"csv": "serial,serial\n1,2\n"}, "missing_column"),
        ({"csv": "serial\n1,2\n"}, "wrong_length"),
        ({"csv": "serial,fingerprint\n12,34\n"}, "invalid"),
        ({"csv": "fingerprint\nabcd\n"}, "invalid"),
        ({"csv": "serial\nabc\n"}, "unknown"),
        ({"csv": "serial,issuer\nabc,nowhere\n"}, "unknown"),
        ({"csv": "serial\n\0\n"}, "invalid"),
        ({"csv": ["serial"]}, "invalid"),
        ({"csv": "serial\n" + "ab\n" * 10_001}, "invalid"),
        ({"issued_between": {"from": "2026-01-01T00:00:00Z"}}, "invalid"),
        ({"issued_between": {"from": "2026-01-01", "to": "2026-02-01"}}, "invalid"),
        (
            {"issued_between": {"from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}},
            "invalid",
        ),
        ({"tags": "prod"}, "invalid"),
        ({"tags": [""]}, "invalid"),
        ({"tags": ["x"] * 51}, "invalid"),
        ({"environment": 7}, "invalid"),
        ({"environment": ""}, "required"),
    ],
)
def test_what_is_no_criterion_is_refused(make, criteria, code):
    make(1)

    with pytest.raises(InvalidCriteria) as caught:
        meant(**criteria)

    (name,) = criteria
    assert caught.value.errors[0]["field"] == f"criteria.{name}"
    assert caught.value.errors[0]["code"] == code


def test_long_lists_are_only_counted_in_the_trail():
    told = services.brief({"ids": ["a"] * 30, "csv": "serial\n1\n2\n", "owner": "web"})

    assert told == {"ids": "30 of them, the first a", "csv": "2 rows", "owner": "web"}
