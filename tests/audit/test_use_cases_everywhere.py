"""Every act of every app has one name, at every door, and the docs know it.

Alice asks, bob decides, carol administers, victor only reads; the system sweeps.
"""

import inspect
from importlib import import_module
from pathlib import Path

import pytest
from django.contrib import admin
from django.urls import URLPattern, get_resolver, reverse

from audit import actions
from audit.actions import ACTIONS
from audit.management.commands.audit_actions import BEGIN, END
from audit.models import Event
from audit.use_cases import USE_CASES, name_of
from certificates import services as certificate_services
from certificates.services.details import StillValid
from jobs import services as job_services
from jobs.models import Job
from jobs.policy import MayNotDecide
from jobs.states import Move
from owners.models import Principal
from owners.refusals import act_of
from tests.factories import OwnerFactory

DOCS = Path(__file__).resolve().parents[2] / "docs"
UNSAFE = {"post", "put", "patch", "delete"}
SERVICES = (
    "owners.services",
    "owners.accounts",
    "owners.idempotency",
    "issuers.services",
    "certificates.services",
    "certificates.crl",
    "deployments.services",
    "jobs.services",
    "enrollment.services",
    "revocation.services",
    "console.services",
    "agents.services",
)
# Functions with an actor that are no acts of their own, and why.
NO_ACTS = {
    # One form for new rows and old ones: each calls one of two acts.
    "owners.services.save_owner",
    "owners.services.save_team",
    "owners.services.delete_named",
    "issuers.services.profiles.save_profile",
    # The first use of a key, whatever it is used for.
    "agents.services.keys.begin_using",
    # Inside the act that makes or takes over a CA, with its record and its first CRL.
    "issuers.services.authorities.create_local_ca",
    "issuers.services.authorities.import_local_ca",
    "certificates.services.importing.record_ca",
    # It writes nothing: what a request would come to.
    "jobs.services.foresight.foresee_issuance",
    # Inside the transaction of a job, which has its own events.
    "certificates.services.lifecycle.add_version",
    "certificates.services.lifecycle.mark_failed",
    "certificates.services.lifecycle.move_under",
    "certificates.services.lifecycle.register",
    "certificates.services.lifecycle.start_renewal",
    # Inside a wave of a plan, which has its own event.
    "certificates.services.many.revoke_many",
    "deployments.services.work.bind",
    "deployments.services.work.record_deployed",
    "deployments.services.work.record_seen",
    "deployments.services.work.unbind",
    "jobs.services.at_once.sign_at_once",
    "jobs.services.decisions.cancel_held",
    "jobs.services.decisions.hold_to_cancel",
    "jobs.services.settle.complete",
    "jobs.services.settle.fail_job",
    "jobs.services.settle.park",
    "jobs.services.settle.release",
    # Sweeps: nobody asks for them, and what they find is nobody's attempt.
    "agents.services.heartbeats.miss_silent_agents",
    "certificates.crl.publish_if_due",
    "certificates.services.adoption.adopt_waiting",
    "certificates.services.expiry.update_expiry_statuses",
    "enrollment.services.ra.tend_ra_certificates",
    "jobs.services.responders.tend_responders",
    "jobs.services.sweeps.end_work_of_retired",
    "jobs.services.sweeps.fail_abandoned",
    "jobs.services.renewals.request_due_renewals",
    "jobs.services.renewals.watch_certificates",
    "certificates.services.alerts.keep_alerts",
    "certificates.services.alerts.watch_issuers",
    "jobs.services.sweeps.retry_failed",
    "jobs.services.sweeps.time_out_waiting",
    "revocation.services.plans.expire_plans",
    "revocation.services.waves.run_plans",
    # A device's whole question: the act inside is `enrollment.request` or `enrollment.poll`.
    "enrollment.services.asking.ask",
    "enrollment.services.asking.ask_after",
    "enrollment.services.new_keys.ask_with_new_key",
    # An answer that is kept, around whatever act was asked for.
    "owners.idempotency.once",
}


def offered():
    """Return every public function with an actor that a services module offers, by its name."""
    for module in map(import_module, SERVICES):
        for name in getattr(module, "__all__", None) or vars(module):
            one = getattr(module, name)
            theirs = inspect.isfunction(one) and one.__module__.startswith(module.__name__)
            if theirs and not name.startswith("_") and "actor" in inspect.signature(one).parameters:
                yield f"{one.__module__}.{one.__qualname__}", one


def test_every_function_that_somebody_calls_for_an_act_is_a_use_case():
    nameless = {where for where, one in offered() if name_of(one) is None}

    assert nameless - NO_ACTS == set()


def test_what_is_said_to_be_no_act_is_there_and_is_none():
    functions = dict(offered())

    assert NO_ACTS - set(functions) == set()
    assert {where for where in NO_ACTS if name_of(functions[where])} == set()


def unsafe_routes(patterns=None):
    """Return (viewset, action, method) for everything over REST that may change something."""
    for pattern in patterns or get_resolver().url_patterns:
        if not isinstance(pattern, URLPattern):
            yield from unsafe_routes(pattern.url_patterns)
            continue
        view = getattr(pattern.callback, "cls", None)
        if view is None or not hasattr(view, "permission_classes"):
            continue
        methods = getattr(pattern.callback, "actions", None) or {
            method: None for method in UNSAFE if hasattr(view, method)
        }
        for method, action in methods.items():
            if method in UNSAFE and method in view.http_method_names:
                yield view, action, method


def test_every_route_that_may_change_something_names_its_use_case():
    walked, unnamed = set(), set()
    for view, action, method in unsafe_routes():
        asked = type("Request", (), {"method": method.upper()})
        act = act_of(type("View", (), {"use_cases": view.use_cases, "action": action}), asked)
        walked.add(act)
        if act not in USE_CASES:
            unnamed.add((view.__name__, action, act))

    assert unnamed == set()
    assert {"certificate.request", "job.approve", "target.test", "owner.delete"} <= walked


def test_every_page_of_the_admin_names_its_use_cases():
    unknown = {
        (model.__name__, verb, act)
        for model, model_admin in admin.site._registry.items()
        for verb, act in getattr(model_admin, "use_cases", {}).items()
        if act not in USE_CASES
    }

    assert unknown == set()


def test_every_move_of_a_job_has_its_word():
    assert {f"job.{move.name.lower()}" for move in Move} <= set(ACTIONS)


def test_the_docs_hold_the_list_as_the_code_has_it():
    actions.load()
    page = (DOCS / "audit.md").read_text()

    listed = page.partition(BEGIN)[2].partition(END)[0].strip()

    # A test of another module may have words of its own on the list.
    made = [row for row in actions.table().splitlines() if "A word of a test." not in row]
    assert listed.splitlines() == made


# --- One act, refused through each door ------------------------------------------------------


def told(action):
    """Return what the events say that must not differ from door to door."""
    rows = Event.objects.filter(action=action).order_by("sequence")
    return [
        (row.door, row.actor_name, row.subject_type, row.subject_id, row.certificate, row.owner)
        for row in rows
    ], {str(row.data) for row in rows}


def test_an_act_refused_by_rule_leaves_the_same_event_at_every_door(
    carol, issued, client_of, browse
):
    """Archiving what is still valid: over REST, in the admin, and from a task."""
    client_of(carol).delete(f"/api/v1/certificates/{issued.pk}/")
    page = reverse("admin:certificates_certificate_archive", args=[issued.pk])
    browse(carol).post(page, {"confirmed": "yes"}, follow=True)
    with pytest.raises(StillValid):
        certificate_services.archive(
            certificate_id=issued.pk, actor=Principal.objects.get(pk=carol.pk)
        )

    events, data = told("certificate.archive.refuse")
    row = ("carol", "certificates.certificate", str(issued.pk), issued.pk, issued.owner_id)
    assert events == [(door, *row) for door in ("rest", "admin", "system")]
    assert len(data) == 1


def test_a_missing_permission_is_told_under_one_name_at_every_door(
    victor, system, awaiting, client_of, browse
):
    client_of(victor).post(f"/api/v1/jobs/{awaiting.pk}/approve/", {})
    browse(victor).post(
        "/admin/jobs/job/",
        {"action": "approve", "_selected_action": [str(awaiting.pk)], "decided": "yes"},
    )
    with pytest.raises(MayNotDecide):
        job_services.approve_job(job_id=awaiting.pk, actor=system)

    rows = Event.objects.filter(action="job.approve.refuse").order_by("sequence")
    assert [(row.door, row.actor_name) for row in rows] == [
        ("rest", "victor"),
        ("admin", "victor"),
        ("system", "system"),
    ]
    assert {row.data["code"] for row in rows} == {"missing_permission"}
    assert {row.subject_id for row in rows} == {str(awaiting.pk)}
    assert {(row.certificate, row.owner) for row in rows} == {
        (awaiting.certificate_id, awaiting.certificate.owner_id)
    }


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "again"}])
def test_under_an_idempotency_key_a_refusal_is_told_once_all_the_same(
    alice, issued, client_of, csr_for, headers
):
    client, address = client_of(alice), f"/api/v1/certificates/{issued.pk}/renew/"
    body = {"csr": csr_for(issued.common_name)}
    Job.objects.filter(certificate=issued).update(status="Pending", kind="Renewal")

    answer = client.post(address, body, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (409, "duplicate_job")
    events, data = told("certificate.renew.refuse")
    row = ("alice", "certificates.certificate", str(issued.pk), issued.pk, issued.owner_id)
    assert events == [("rest", *row)]
    assert len(data) == 1


def test_what_jobs_refuse_to_a_change_of_owner_is_told_by_rest_and_the_admin(
    alice, awaiting, client_of, browse
):
    """Today's `job_open`, of which the admin said nothing in the trail."""
    certificate, other = awaiting.certificate, OwnerFactory()
    page = f"/admin/certificates/certificate/{certificate.pk}/change/"

    over_rest = client_of(alice).patch(
        f"/api/v1/certificates/{certificate.pk}/", {"owner": str(other.pk)}
    )
    browse(alice).post(page, {"name": certificate.name, "owner": str(other.pk), "tags": "[]"})

    assert over_rest.json()["code"] == "job_open"
    events, _ = told("certificate.update.refuse")
    assert {event[0] for event in events} == {"rest", "admin"}
    assert {event[3] for event in events} == {str(certificate.pk)}
