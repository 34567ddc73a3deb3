"""The principal of a label asks for what devices enroll, and can do nothing else.

Carol administers principals and would like to approve what she vouched for; bob may decide.
"""

import pytest
from django.contrib.auth.models import Group, Permission

from audit.models import Event
from enrollment.models import Label
from jobs import services as job_services
from jobs.approvals import review
from jobs.policy import MayNotDecide, SelfApproval
from owners import services
from owners.models import ApiKey, Principal
from owners.services import DevicesPrincipal
from tests.enrollment.conftest import DEVICE, ask_by
from tests.fixtures import make_csr

pytestmark = pytest.mark.django_db


@pytest.fixture
def principal(label):
    return Principal.objects.get(pk=label.principal_id)


@pytest.mark.parametrize(
    "given", [{"role": "operator"}, {"role": "viewer"}, {"password": "correct horse battery"}]
)
def test_nobody_gives_it_a_role_or_a_password_over_rest(carol, client_of, principal, given):
    answer = client_of(carol).patch(f"/api/v1/principals/{principal.pk}/", given)

    assert (answer.status_code, answer.json()["code"]) == (403, "devices_principal")
    principal.refresh_from_db()
    assert not principal.has_usable_password()
    assert not principal.groups.exists()
    assert Event.objects.get(action="principal.update.refuse").actor == carol


def test_nobody_gives_it_an_api_key(carol, client_of, principal):
    body = {"name": "backdoor", "principal": principal.username, "role_cap": "operator"}

    answer = client_of(carol).post("/api/v1/api-keys/", body)

    assert (answer.status_code, answer.json()["code"]) == (403, "devices_principal")
    assert not ApiKey.objects.filter(principal=principal).exists()


def test_the_admin_says_the_same(browse, carol, principal):
    body = {"email": "", "role": "operator", "is_active": "on", "password": ""}

    answer = browse(carol).post(f"/admin/owners/principal/{principal.pk}/change/", body)

    errors = answer.context["adminform"].form.errors
    assert "no role, no password and no API key" in str(errors)
    assert not Principal.objects.get(pk=principal.pk).groups.exists()


def test_none_is_made_with_a_role(carol, db):
    with pytest.raises(DevicesPrincipal):
        services.create_principal(
            actor=carol, username="est-x", role="viewer", kind="machine", for_devices=True
        )


def test_whatever_stands_in_the_database_it_may_nothing_and_decides_nothing(
    slow_label, label, secret_for, carol
):
    """As if somebody had written the group, the permission and the superuser by hand."""
    answer = ask_by(slow_label, secret_for(slow_label, actor=carol), make_csr(DEVICE))
    job = answer.enrollment.job
    digest = review(job).digest
    for one in Label.objects.all():
        alias = Principal.objects.get(pk=one.principal_id)
        alias.groups.add(Group.objects.get(name="admin"))
        alias.user_permissions.add(Permission.objects.get(codename="decide_job"))
        Principal.objects.filter(pk=alias.pk).update(is_superuser=True)
        alias = Principal.objects.get(pk=alias.pk)
        assert not alias.has_perm("jobs.decide_job")
        with pytest.raises(MayNotDecide):
            job_services.approve_job(job_id=job.pk, actor=alias, digest=digest)
    with pytest.raises(SelfApproval):
        job_services.approve_job(job_id=job.pk, actor=carol, digest=digest)


def test_rest_shows_that_it_is_for_devices_and_nobody_says_so_of_another(
    carol, alice, client_of, principal
):
    client = client_of(carol)

    assert client.get(f"/api/v1/principals/{principal.pk}/").json()["for_devices"] is True
    answer = client.patch(f"/api/v1/principals/{alice.pk}/", {"for_devices": True})
    assert answer.status_code == 400
