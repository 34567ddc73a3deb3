"""Fixtures for plans: carol and dave administer, bob operates, victor only reads."""

import pytest

from owners.roles import Role
from revocation import services
from tests.factories import CertificateFactory, VersionFactory
from tests.fixtures import person
from tests.jobs.conftest import ask, issued  # noqa: F401 - pytest finds them here

PLANS = "/api/v1/revocation-plans/"


@pytest.fixture
def dave(db):
    return person("dave", Role.ADMIN)


@pytest.fixture
def make(local_ca, profile, owner):
    """Make `count` certificates of web-shop with a version each: `make(3)`."""

    def some(count, **options):
        options = {"issuer": local_ca, "profile": profile, "owner": owner} | options
        return [VersionFactory(certificate=CertificateFactory(**options)) for _ in range(count)]

    return some


@pytest.fixture
def plan_of(carol):
    """Make a plan of what web-shop has, as carol: `plan_of(drill=True)`."""

    def plan(actor=carol, criteria=None, **said):
        criteria = criteria or {"owner": "web-shop"}
        return services.create_plan(actor=actor, criteria=criteria, **said)

    return plan


@pytest.fixture
def run(system):
    """Do what a worker does when a hint comes."""
    return lambda: services.run_plans(actor=system)


def confirm(plan, actor):
    return services.confirm_plan(plan_id=plan.pk, actor=actor, digest=plan.digest)
