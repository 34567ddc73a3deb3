from datetime import timedelta

import pytest
from django.utils import timezone

import certificates.services
from audit.models import Event
from certificates import crl
from certificates.models import Revocation, Version
from certificates.policy import PlanChanged
from certificates.services import revoke
from deployments.models import Agent, Deployment, Target
from revocation import services
from revocation.services import InvalidCriteria
from tests.factories import CertificateFactory, OwnerFactory, TeamFactory, VersionFactory


@pytest.fixture
def many(local_ca, profile, owner):
    """Five certificates of two owners, one with a superseded version too."""
    mine = [CertificateFactory(issuer=local_ca, profile=profile, owner=owner) for _ in range(3)]
    other = [CertificateFactory(issuer=local_ca, profile=profile) for _ in range(2)]
    versions = [VersionFactory(certificate=certificate) for certificate in (*mine, *other)]
    versions.append(VersionFactory(certificate=mine[0]))
    return versions


def bulk_revoke(**asked):
    return services.result_of(services.bulk_revoke(**asked))


def plan(carol, **criteria):
    return services.preview_revocation(criteria=criteria)


def test_a_preview_shows_everything_and_changes_nothing(many, carol, owner, hints):
    events = Event.objects.count()

    preview = plan(carol, owner="web-shop")

    assert preview.count == 4
    assert preview.owners == ["web-shop"]
    assert {one.serial for one in preview.affected} == {
        v.serial for v in many if v.certificate.owner == owner
    }
    assert not Revocation.objects.exists()
    assert (Event.objects.count(), hints) == (events, [])


def test_a_plan_is_executed_with_one_outcome_each_and_one_hint(many, carol, hints):
    preview = plan(carol, owner="web-shop")

    result = bulk_revoke(
        criteria={"owner": "web-shop"},
        actor=carol,
        reason="cessationOfOperation",
        plan=preview.plan,
    )

    assert result.count("revoked") == 4
    assert Revocation.objects.count() == 4
    assert hints == ["certificates.publish_crl"]
    event = Event.objects.get(action="certificate.bulk_revoke")
    assert (event.data["count"], event.data["plan"]) == (4, preview.plan)
    assert Event.objects.filter(action="certificate.revoke").count() == 4


def test_a_plan_that_no_longer_holds_is_refused(many, carol, bob):
    preview = plan(carol, owner="web-shop")
    revoke(version_id=many[0].pk, actor=bob)

    with pytest.raises(PlanChanged):
        services.bulk_revoke(criteria={"owner": "web-shop"}, actor=carol, plan=preview.plan)

    assert Revocation.objects.count() == 1


def test_one_that_fails_stops_no_other(many, carol, monkeypatch):
    really = certificates.services.revoke

    def poisoned(**asked):
        raise RuntimeError("one of them is poisoned")

    def sometimes(*, version_id, **rest):
        if version_id == many[1].pk:
            raise RuntimeError("poisoned")
        if version_id == many[2].pk:
            really(version_id=version_id, **rest)
        return really(version_id=version_id, **rest)

    monkeypatch.setattr(certificates.services, "revoke_many", poisoned)
    monkeypatch.setattr(certificates.services, "revoke", sometimes)

    result = bulk_revoke(criteria={"owner": "web-shop"}, actor=carol)

    outcomes = {one.version: (one.outcome, one.code) for one in result.outcomes}
    assert outcomes[many[1].pk] == ("failed", "internal_error")
    assert outcomes[many[2].pk] == ("already_revoked", "already_revoked")
    assert result.count("revoked") == 2


def test_what_another_ca_signed_is_reported(many, carol):
    Version.objects.filter(pk=many[0].pk).update(issuer=None)

    result = bulk_revoke(criteria={"owner": "web-shop"}, actor=carol)

    assert [one.code for one in result.outcomes if one.outcome == "failed"] == ["issued_elsewhere"]


def test_expired_and_revoked_versions_are_left_out(many, carol, bob):
    Version.objects.filter(pk=many[0].pk).update(not_after=timezone.now() - timedelta(days=1))
    revoke(version_id=many[1].pk, actor=bob)

    assert plan(carol, owner="web-shop").count == 2


def test_each_criterion_narrows(many, carol, local_ca, profile, alice):
    team = TeamFactory(name="platform")
    owner = OwnerFactory(name="by-team", team=team)
    lonely = VersionFactory(
        certificate=CertificateFactory(issuer=local_ca, profile=profile, owner=owner)
    )
    agent = Agent.objects.create(name="edge-1")
    target = Target.objects.create(name="edge", kind="file", agent=agent)
    Deployment.objects.create(certificate=lonely.certificate, target=target, version=lonely)

    for criteria in (
        {"ids": [str(lonely.pk)]},
        {"ids": [str(lonely.certificate_id)]},
        {"owner": str(owner.pk)},
        {"team": "platform"},
        {"agent": "edge-1"},
        {"key_fingerprint": lonely.key_fingerprint.upper()},
        {"issuer": "issuing", "owner": "by-team"},
        {"profile": "tls-server", "team": str(team.pk)},
    ):
        preview = plan(carol, **criteria)
        assert [one.version for one in preview.affected] == [lonely.pk], criteria
        assert preview.affected[0].deployments == 1
    assert plan(carol, issuer="issuing").count == plan(carol, profile="tls-server").count == 7


@pytest.mark.parametrize(
    ("criteria", "field"),
    [
        ({}, "criteria"),
        ({"owner": ""}, "criteria.owner"),
        ({"ids": []}, "criteria.ids"),
        ({"owner": None}, "criteria.owner"),
        ({"colour": "red"}, "criteria.colour"),
        ({"owner": "web-shop", "everything": True}, "criteria.everything"),
        ({"owner": "nobody"}, "criteria.owner"),
        ({"issuer": "nowhere"}, "criteria.issuer"),
        ({"agent": "nobody"}, "criteria.agent"),
        ({"owner": {"name": "x"}}, "criteria.owner"),
        ({"ids": "all"}, "criteria.ids"),
        ({"ids": ["x"]}, "criteria.ids"),
        ({"ids": ["6f8df0b2-2a52-4f7f-9f5f-0d6f1e4f2b11"]}, "criteria.ids"),
        ({"key_fingerprint": "abcd"}, "criteria.key_fingerprint"),
    ],
)
def test_criteria_that_say_nothing_or_too_little_are_refused(many, carol, criteria, field):
    with pytest.raises(InvalidCriteria) as caught:
        services.bulk_revoke(criteria=criteria, actor=carol)

    assert caught.value.errors[0]["field"] == field
    assert not Revocation.objects.exists()


@pytest.mark.parametrize("reason", ["unspecified", "keyCompromise"])
def test_the_estimate_is_what_the_crl_grows_by(many, carol, system, local_ca, reason):
    before = len(crl.publish(issuer_id=local_ca.pk, actor=system).der)
    preview = services.preview_revocation(criteria={"owner": "web-shop"}, reason=reason)

    services.bulk_revoke(criteria={"owner": "web-shop"}, actor=carol, reason=reason)
    after = len(crl.publish(issuer_id=local_ca.pk, actor=system).der)

    # The list's own header and longer lengths around it come once.
    assert 0 <= after - before - preview.crl_growth_bytes <= 12


def test_ten_thousand_ids_are_the_most(many, carol, monkeypatch):
    known = str(many[0].pk)

    assert plan(carol, ids=[known] * 10_000).count == 1
    with pytest.raises(InvalidCriteria) as caught:
        plan(carol, ids=[known] * 10_001)
    assert caught.value.errors[0]["code"] == "invalid"
