import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.models import Event
from certificates import services
from certificates.details import Details
from certificates.models import Certificate, CertificateStatus, Revocation, Version
from certificates.policy import Archived
from certificates.services import expiry
from foundation.errors import Invalid
from jobs.models import Job
from jobs.states import Status
from tests.factories import (
    CertificateFactory,
    OwnerFactory,
    RenewalPolicyFactory,
    TeamFactory,
    VersionFactory,
)


def locked(certificate):
    return Certificate.objects.lock(certificate.pk)


def test_a_registered_certificate_is_pending(alice, owner, local_ca, profile):
    certificate = services.register(
        actor=alice,
        details=Details(
            name="web",
            owner=owner,
            issuer=local_ca,
            profile=profile,
            tags=["blue", "blue", "tier/1"],
        ),
        common_name="web.demo.internal",
        sans=["dns:web.demo.internal"],
    )

    assert certificate.status == CertificateStatus.PENDING
    assert certificate.tags == ["blue", "tier/1"]
    event = Event.objects.get(action="certificate.register")
    assert (event.actor, event.subject_id) == (alice, str(certificate.pk))


@pytest.mark.parametrize(
    "tags", [["Blue"], ['a"b'], [""], ["x" * 64], ["a b"], [f"t{n}" for n in range(33)]]
)
def test_what_is_no_tag_is_refused(owner, local_ca, profile, tags):
    with pytest.raises(Invalid) as caught:
        Details(name="web", owner=owner, issuer=local_ca, profile=profile, tags=tags)

    assert caught.value.errors[0]["field"] == "tags"
    assert not Certificate.objects.exists()


@pytest.mark.parametrize(("field", "bound"), [("name", 200), ("environment", 32)])
def test_what_is_too_long_is_refused_below_every_door(
    certificate, alice, owner, local_ca, profile, field, bound
):
    fits, too_long = {field: "x" * bound}, {field: "x" * (bound + 1)}

    Details(owner=owner, issuer=local_ca, profile=profile, **fits)
    with pytest.raises(Invalid) as made:
        Details(owner=owner, issuer=local_ca, profile=profile, **too_long)
    with pytest.raises(Invalid) as changed:
        services.update_details(certificate_id=certificate.pk, actor=alice, changes=too_long)

    assert [error["field"] for error in made.value.errors] == [field]
    assert [error["field"] for error in changed.value.errors] == [field]


def test_the_first_version_makes_a_certificate_active(version, alice):
    certificate = version.certificate

    assert (version.number, certificate.current, certificate.status) == (1, version, "Active")
    event = Event.objects.get(action="certificate.issue")
    assert event.data["serial"] == version.serial
    assert "BEGIN" not in str(event.data)


def test_the_next_version_supersedes_the_one_before(issue, version):
    second = issue(certificate=version.certificate)

    version.refresh_from_db()
    assert (second.number, second.certificate.current) == (2, second)
    assert version.superseded_at is not None
    assert second.superseded_at is None


def test_a_version_that_ends_soon_is_expiring_from_the_start(issue):
    assert issue(lifetime=timedelta(days=20)).certificate.status == CertificateStatus.EXPIRING


def test_one_job_never_makes_two_versions(issue, version):
    job = uuid.uuid4()
    Version.objects.filter(pk=version.pk).update(job_id=job)
    second = issue(certificate=version.certificate)

    with pytest.raises(IntegrityError), transaction.atomic():
        Version.objects.filter(pk=second.pk).update(job_id=job)


def test_a_renewal_shows_and_settles_again(certificate, alice):
    with transaction.atomic():
        services.start_renewal(certificate=locked(certificate), actor=alice)
    certificate.refresh_from_db()
    assert certificate.status == CertificateStatus.RENEWAL_IN_PROGRESS

    with transaction.atomic():
        services.settle(certificate=locked(certificate))

    certificate.refresh_from_db()
    assert certificate.status == CertificateStatus.ACTIVE


def test_a_failure_shows(certificate, alice):
    with transaction.atomic():
        services.mark_failed(certificate=locked(certificate), actor=alice, why="the CA said no")

    certificate.refresh_from_db()
    assert certificate.status == CertificateStatus.FAILED
    assert Event.objects.get(action="certificate.fail").data["why"] == "the CA said no"


def test_a_failure_hides_no_revocation(certificate, alice):
    services.revoke(version_id=certificate.current_id, actor=alice)
    with transaction.atomic():
        services.mark_failed(certificate=locked(certificate), actor=alice)

    certificate.refresh_from_db()
    assert certificate.status == CertificateStatus.REVOKED


# --- Details --------------------------------------------------------------------------------


def test_details_change_with_before_and_after_on_record(certificate, alice, owner):
    other = OwnerFactory(name="payments")

    services.update_details(
        certificate_id=certificate.pk,
        actor=alice,
        changes={"owner": other, "environment": "staging", "name": certificate.name},
    )

    certificate.refresh_from_db()
    assert (certificate.owner, certificate.environment) == (other, "staging")
    data = Event.objects.get(action="certificate.update").data
    assert data["changes"] == {
        "owner": {"before": "web-shop", "after": "payments"},
        "environment": {"before": "", "after": "staging"},
    }


def test_a_change_that_changes_nothing_leaves_no_event(certificate, alice):
    services.update_details(
        certificate_id=certificate.pk, actor=alice, changes={"name": certificate.name}
    )

    assert not Event.objects.filter(action="certificate.update").exists()


def test_what_was_signed_cannot_be_edited(certificate, alice):
    with pytest.raises(Invalid):
        services.update_details(
            certificate_id=certificate.pk, actor=alice, changes={"sans": ["dns:evil.example"]}
        )


def test_nobody_leaves_the_owner_while_a_job_is_open(certificate, alice, bob):
    Job.objects.create(
        kind="Renewal",
        certificate=certificate,
        requested_by=alice,
        status=Status.AWAITING_APPROVAL,
    )

    with pytest.raises(services.details.JobOpen):
        services.update_details(
            certificate_id=certificate.pk, actor=bob, changes={"owner": OwnerFactory()}
        )


def test_a_new_window_is_seen_at_once(certificate, alice):
    policy = RenewalPolicyFactory(window=timedelta(days=60))

    services.update_details(
        certificate_id=certificate.pk, actor=alice, changes={"renewal_policy": policy}
    )

    certificate.refresh_from_db()
    assert certificate.status == CertificateStatus.EXPIRING


# --- Archiving ------------------------------------------------------------------------------


def test_a_valid_certificate_cannot_be_archived(issue, version, carol):
    # The current version is revoked, but its predecessor is still accepted.
    second = issue(certificate=version.certificate)
    services.revoke(version_id=second.pk, actor=carol)

    with pytest.raises(services.details.StillValid):
        services.archive(certificate_id=version.certificate_id, actor=carol)


def test_a_revoked_certificate_can_be_archived_and_stays_so(issue, certificate, carol, alice):
    services.revoke(version_id=certificate.current_id, actor=carol)

    services.archive(certificate_id=certificate.pk, actor=carol)

    certificate.refresh_from_db()
    assert certificate.status == CertificateStatus.ARCHIVED
    for change in (
        lambda: services.update_details(
            certificate_id=certificate.pk, actor=alice, changes={"name": "x"}
        ),
        lambda: services.archive(certificate_id=certificate.pk, actor=carol),
        lambda: issue(certificate=certificate),
    ):
        with pytest.raises(Archived):
            change()


def test_a_certificate_with_an_open_job_is_not_archived(local_ca, profile, alice, carol):
    certificate = CertificateFactory(issuer=local_ca, profile=profile)
    Job.objects.create(kind="Issuance", certificate=certificate, requested_by=alice)

    with pytest.raises(services.details.JobOpen):
        services.archive(certificate_id=certificate.pk, actor=carol)


# --- The clock ------------------------------------------------------------------------------


@pytest.fixture
def ending(local_ca, profile):
    """Make a certificate whose version ends in `days`, with a status."""

    def make(days, status, policy=None):
        certificate = CertificateFactory(issuer=local_ca, profile=profile, renewal_policy=policy)
        VersionFactory(certificate=certificate, not_after=timezone.now() + timedelta(days=days))
        Certificate.objects.filter(pk=certificate.pk).update(status=status)
        return certificate

    return make


@pytest.mark.parametrize(
    ("days", "before", "after"),
    [
        (40, "Active", "Active"),
        (29, "Active", "Expiring"),
        (-1, "Active", "Expired"),
        (-1, "Expiring", "Expired"),
        (40, "Expiring", "Active"),
        (29, "Expired", "Expiring"),
        (40, "Expired", "Active"),
        (-1, "Failed", "Expired"),
        (29, "Failed", "Failed"),
        (-1, "RenewalInProgress", "RenewalInProgress"),
        (-1, "Revoked", "Revoked"),
        (-1, "Archived", "Archived"),
        (-1, "Pending", "Pending"),
    ],
)
def test_statuses_follow_the_clock(ending, system, days, before, after):
    certificate = ending(days, before)

    changed = services.update_expiry_statuses(now=timezone.now(), actor=system)

    certificate.refresh_from_db()
    assert (certificate.status, changed) == (after, int(before != after))
    assert Event.objects.filter(action="certificate.status").count() == changed


def test_the_window_of_the_policy_counts(ending, system):
    near = ending(20, "Active", RenewalPolicyFactory(window=timedelta(days=10)))
    far = ending(50, "Active", RenewalPolicyFactory(window=timedelta(days=60)))

    services.update_expiry_statuses(now=timezone.now(), actor=system)

    near.refresh_from_db()
    far.refresh_from_db()
    assert (near.status, far.status) == ("Active", "Expiring")


def test_the_sweep_goes_through_every_batch(ending, system, monkeypatch):
    monkeypatch.setattr("certificates.services.expiry.BATCH", 2)
    for _ in range(5):
        ending(-1, "Active")

    assert services.update_expiry_statuses(now=timezone.now(), actor=system) == 5
    assert services.update_expiry_statuses(now=timezone.now(), actor=system) == 0


# --- Rules that only a second look shows, and bounds ----------------------------------------


def test_nobody_leaves_the_team_while_a_job_is_open(certificate, alice, bob):
    Job.objects.create(kind="Renewal", certificate=certificate, requested_by=alice)

    with pytest.raises(services.details.JobOpen):
        services.update_details(
            certificate_id=certificate.pk, actor=bob, changes={"team": TeamFactory()}
        )


def test_what_identifies_a_version_is_there_once(local_ca, profile):
    one, other = (
        VersionFactory(certificate=CertificateFactory(issuer=local_ca, profile=profile))
        for _ in range(2)
    )

    for change in (
        {"serial": one.serial},
        {"certificate": one.certificate, "number": one.number},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Version.objects.filter(pk=other.pk).update(**change)


def test_the_database_refuses_an_unknown_status_or_reason(certificate, carol):
    services.revoke(version_id=certificate.current_id, actor=carol)

    with pytest.raises(IntegrityError), transaction.atomic():
        Certificate.objects.filter(pk=certificate.pk).update(status="Lost")
    with pytest.raises(IntegrityError), transaction.atomic():
        Revocation.objects.update(reason="boredom")


def test_a_sweep_looks_again_when_it_has_the_row(ending, system):
    """It was due when the sweep listed it; then somebody revoked it."""
    certificate = ending(-1, "Revoked")

    assert expiry._settle([certificate.pk], timezone.now(), system) == 0

    certificate.refresh_from_db()
    assert certificate.status == CertificateStatus.REVOKED


def test_a_batch_of_the_sweep_is_bounded(ending, system, monkeypatch):
    sizes = []
    settle = expiry._settle
    monkeypatch.setattr(expiry, "BATCH", 2)
    monkeypatch.setattr(
        expiry, "_settle", lambda pks, *rest: sizes.append(len(pks)) or settle(pks, *rest)
    )
    for _ in range(5):
        ending(-1, "Active")

    services.update_expiry_statuses(now=timezone.now(), actor=system)

    assert sizes == [2, 2, 1]


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("window", timedelta(days=365), [timedelta(0), timedelta(days=365, microseconds=1)]),
        ("max_attempts", 20, [0, 21]),
        ("retry_delay", timedelta(days=1), [timedelta(0), timedelta(days=1, microseconds=1)]),
        ("alert_days", [0, 3650], [[-1], [3651], ["7"], [True], 7]),
    ],
)
def test_a_renewal_policy_is_bounded_whoever_makes_it(carol, field, good, bad):
    services.create_policy(actor=carol, name="good", **{field: good})

    for value in bad:
        with pytest.raises(Invalid) as refused:
            services.create_policy(actor=carol, name="bad", **{field: value})
        assert refused.value.errors[0]["field"] == field
