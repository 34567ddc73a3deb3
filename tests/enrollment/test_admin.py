"""Labels, devices, credentials and enrollments in the admin: the same services, the same words.

Carol administers labels, alice and bob make credentials and block, victor only reads.
"""

import base64
import csv
import io
import logging
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from audit.models import Event
from certificates.models import Version
from enrollment import services
from enrollment.models import Credential, Device, Enrollment, Label
from issuers.models import Profile
from jobs.models import Job
from owners.roles import Role
from revocation.models import Plan
from tests.enrollment.conftest import DEVICE, OPEN, OTHER, ask_by, everywhere
from tests.fixtures import make_csr, person

pytestmark = pytest.mark.django_db
LABELS = "/admin/enrollment/label/"
DEVICES = "/admin/enrollment/device/"
CREDENTIALS = "/admin/enrollment/credential/"
BULK = f"{CREDENTIALS}bulk/"
ENROLLMENTS = "/admin/enrollment/enrollment/"
TEXT = re.compile(r"[a-z2-9]{10}-[a-z2-9]{32}")
YES = {"confirmed": "yes"}


@pytest.fixture
def new_label(local_ca, device_profile, owner):
    return {
        "protocol": "est",
        "path": "cams",
        "issuer": str(local_ca.pk),
        "profile": str(device_profile.pk),
        "owner": str(owner.pk),
        "accepts": ["secret"],
        "hourly_limit": "10",
    }


@pytest.fixture
def new_credential(label):
    return {
        "label": str(label.pk),
        "device": DEVICE,
        "names": f"dns:{DEVICE}",
        "one_time": "on",
        "expires_at_0": "",
        "expires_at_1": "",
    }


def errors_of(response):
    return response.context["adminform"].form.errors


def page_of(address, row):
    return f"{address}{row.pk}/change/"


def words(response):
    return [str(message) for message in response.context["messages"]]


# --- Labels ------------------------------------------------------------------------------------


def test_a_label_is_made_and_changed(browse, carol, new_label):
    client = browse(carol)

    made = client.post(f"{LABELS}add/", new_label)
    assert made.status_code == 302, errors_of(made)
    label = Label.objects.get()
    body = {**new_label, "approve_renewals": "on", "tags": "lab\ncam"}
    changed = client.post(page_of(LABELS, label), body)

    assert changed.status_code == 302, errors_of(changed)
    label.refresh_from_db()
    assert (label.approve_renewals, label.tags, label.accepts) == (True, ["lab", "cam"], ["secret"])
    assert {event.door for event in Event.objects.filter(action__startswith="label.")} == {"admin"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"path": "cacerts"}, "path"),
        ({"path": "Cams"}, "path"),
        ({"hourly_limit": "0"}, "hourly_limit"),
        ({"accepts": ["manufacturer"]}, "trust_anchors_pem"),
        ({"legacy_algorithms": "on"}, "legacy_algorithms"),
    ],
)
def test_a_mistake_shows_at_its_field(browse, carol, new_label, change, field):
    answer = browse(carol).post(f"{LABELS}add/", {**new_label, **change})

    assert field in errors_of(answer)
    assert not Label.objects.exists()
    assert Event.objects.filter(action="label.create.refuse").count() == 1


def test_a_profile_that_allows_no_rsa_is_none_for_scep_and_said_so_at_its_field(
    browse, carol, new_label
):
    keys = {**OPEN, "key_algorithms": ["ecdsa-p256", "ed25519"]}
    profile = Profile.objects.create(slug="no-rsa", approval_required_for=[], **keys)
    body = {**new_label, "profile": str(profile.pk)}

    refused = browse(carol).post(f"{LABELS}add/", {**body, "protocol": "scep"})

    assert "SCEP answers are encrypted to RSA keys" in str(errors_of(refused)["profile"])
    assert not Label.objects.exists()
    assert browse(carol).post(f"{LABELS}add/", {**body, "protocol": "est"}).status_code == 302


def test_who_saves_a_label_is_not_taken_for_who_gave_its_anchors(
    browse, carol, new_label, make_label, free_device_profile, root_ca
):
    """A browser sends other line ends than REST: whoever vouched stays the one who vouched."""
    anchors = {"accepts": ["secret", "manufacturer"], "trust_anchors_pem": root_ca.certificate_pem}
    label = make_label("cams", free_device_profile, **anchors)
    dora = person("dora", Role.ADMIN)
    body = {**new_label, "profile": str(free_device_profile.pk), "environment": "lab", **anchors}
    body["trust_anchors_pem"] = root_ca.certificate_pem.strip().replace("\n", "\r\n")

    saved = browse(dora).post(page_of(LABELS, label), body)

    assert saved.status_code == 302, errors_of(saved)
    label.refresh_from_db()
    assert (label.environment, label.anchors_by) == ("lab", carol)
    assert set(Event.objects.get(action="label.update").data["changes"]) == {"environment"}


@pytest.mark.parametrize(
    ("protocol", "parts"),
    [
        ("est", ["https://testserver/.well-known/est/cams/simpleenroll", "pki --est", "DEVICE"]),
        ("scep", ["/scep/cams", "getcert add-scep-ca -c certctl-cams", "crypto pki trustpoint"]),
    ],
)
def test_the_labels_page_says_what_to_type(
    browse, victor, make_label, free_device_profile, protocol, parts
):
    label = make_label("cams", free_device_profile, protocol=protocol)

    page = browse(victor).get(page_of(LABELS, label))

    for part in parts:
        assert part in page.content.decode()
    assert "@URL@" not in "".join(recipe.text for recipe in page.context["recipes"])


def test_a_label_is_blocked_and_opened_after_a_question(browse, alice, carol, label):
    address = f"{LABELS}{label.pk}/"
    asked = browse(alice).get(f"{address}block/")
    assert asked.status_code == 200
    assert Label.objects.get().enabled

    browse(alice).post(f"{address}block/", {**YES, "reason": "stolen", "confirm_name": label.path})
    assert not Label.objects.get().enabled
    assert browse(alice).post(f"{address}unblock/", YES).status_code == 403
    browse(carol).post(f"{address}unblock/", YES)

    assert Label.objects.get().enabled
    assert Event.objects.get(action="label.block").data["reason"] == "stolen"


# --- Credentials ---------------------------------------------------------------------------------


def test_a_credential_is_shown_once_and_is_in_no_row_event_message_or_log_line(
    browse, alice, new_credential, caplog, capsys
):
    caplog.set_level(logging.DEBUG)
    client = browse(alice)

    made = client.post(f"{CREDENTIALS}add/", new_credential)

    assert made.status_code == 200, errors_of(made)
    assert "no-store" in made.headers["Cache-Control"]
    (text,) = set(TEXT.findall(made.content.decode()))
    credential = Credential.objects.get()
    assert (credential.created_by, credential.device.name) == (alice, DEVICE)
    secret = text.partition("-")[2]
    for address in (
        CREDENTIALS,
        page_of(CREDENTIALS, credential),
        page_of(DEVICES, credential.device),
        page_of(LABELS, credential.label),
        "/admin/audit/event/",
        "/admin/",
    ):
        page = client.get(address) if "audit" not in address else client.get("/admin/", follow=True)
        assert page.status_code == 200
        assert secret not in page.content.decode()
        assert credential.digest not in page.content.decode()
    assert secret not in everywhere()
    assert secret not in caplog.text
    assert secret not in "".join(capsys.readouterr())
    assert not client.cookies.get("messages") or secret not in client.cookies["messages"].value


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"names": ""}, "names"),
        ({"names": "camera"}, "names"),
        ({"device": ""}, "one_time"),
        ({"expires_at_0": "2020-01-01", "expires_at_1": "00:00:00"}, "expires_at"),
    ],
)
def test_a_mistake_makes_no_credential(browse, alice, new_credential, change, field):
    answer = browse(alice).post(f"{CREDENTIALS}add/", {**new_credential, **change})

    assert field in errors_of(answer)
    assert not Credential.objects.exists()


@pytest.mark.parametrize("by_file", [True, False])
def test_many_are_made_from_a_table_and_taken_away_as_one(browse, alice, label, by_file):
    table = "device,names\ncam-1,dns:cam-1.demo.internal\ncam-2,dns:cam-2.demo.internal\n"
    given = {"file": SimpleUploadedFile("d.csv", table.encode())} if by_file else {"csv": table}

    made = browse(alice).post(BULK, {**YES, "label": str(label.pk), **given})

    assert made.status_code == 200
    assert "no-store" in made.headers["Cache-Control"]
    page = made.content.decode()
    taken = base64.b64decode(re.search(r'href="data:text/csv[^,]*base64,([^"]+)"', page)[1])
    rows = list(csv.DictReader(io.StringIO(taken.decode())))
    assert [row["device"] for row in rows] == ["cam-1", "cam-2"]
    assert {row["credential"] for row in rows} == set(TEXT.findall(page))
    for row in rows:
        assert row["credential"].partition("-")[2] not in everywhere()


def test_a_wrong_row_is_named_and_nothing_is_made(browse, alice, label):
    table = "device,names\ncam-1,dns:cam-1.demo.internal\ncam-2,camera\n"

    answer = browse(alice).post(BULK, {**YES, "label": str(label.pk), "csv": table})

    assert answer.status_code == 400
    assert "Row 2, names:" in answer.content.decode()
    assert not Credential.objects.exists()
    assert Event.objects.get(action="credential.create.refuse").actor == alice


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"csv": "device,names\n", "file": SimpleUploadedFile("d.csv", b"device,names\n")},
        {"file": SimpleUploadedFile("d.csv", b"\xff\xfe")},
        {"csv": "device,names\ncam-1,dns:a.example", "label": "no-label"},
    ],
)
def test_what_is_no_table_is_refused(browse, alice, label, given):
    answer = browse(alice).post(BULK, {**YES, "label": str(label.pk), **given})

    assert answer.status_code == 400
    assert not Credential.objects.exists()


def test_a_file_that_is_too_large_is_not_read(browse, alice, label, monkeypatch):
    monkeypatch.setattr("enrollment.admin.credentials.MAX_CSV", 10)
    file = SimpleUploadedFile("d.csv", b"device,names\ncam-1,dns:a.example\n")

    answer = browse(alice).post(BULK, {**YES, "label": str(label.pk), "file": file})

    assert "at most 10 bytes" in answer.content.decode()
    assert not Credential.objects.exists()


def test_a_credential_is_blocked_after_a_question_and_never_changed(
    browse, bob, slow_label, secret_for
):
    made = secret_for(slow_label)
    answer = ask_by(slow_label, made, make_csr(DEVICE))
    client, address = browse(bob), f"{CREDENTIALS}{made.credential.pk}/"

    client.get(f"{address}block/")
    assert Credential.objects.get().disabled_at is None
    client.post(f"{address}block/", {**YES, "confirm_name": made.credential.prefix})

    assert Credential.objects.get().disabled_at is not None
    assert Job.objects.get(pk=answer.enrollment.job_id).status == "Cancelled"
    assert client.post(f"{address}change/", {"one_time": ""}).status_code == 403
    assert client.post(f"{address}delete/", {"post": "yes"}).status_code == 403


# --- Devices, and what they hold -------------------------------------------------------------


def test_a_device_is_announced(browse, alice, label):
    made = browse(alice).post(f"{DEVICES}add/", {"label": str(label.pk), "name": "cam-9"})

    assert made.status_code == 302, errors_of(made)
    assert Device.objects.get().created_by == alice


def test_blocking_a_device_leads_to_revoking_what_it_holds(browse, alice, label, secret_for):
    ask_by(label, secret_for(label), make_csr(DEVICE))
    device, client = Device.objects.get(), browse(alice)
    address = f"{DEVICES}{device.pk}/"

    blocked = client.post(
        f"{address}block/", {**YES, "reason": "lost", "confirm_name": device.name}
    )
    asked = client.get(blocked.headers["Location"])

    assert blocked.headers["Location"] == f"{address}revoke-held/"
    assert Version.objects.get().serial in asked.content.decode()
    assert not hasattr(Version.objects.get(), "revocation")
    plan = asked.context["plan"]
    client.post(f"{address}revoke-held/", {**YES, "plan": plan, "reason": "superseded"})
    assert Version.objects.get().revocation.reason == "superseded"
    assert Event.objects.get(action="certificate.revoke").actor == alice


def test_a_device_is_unblocked_by_an_administrator_alone(browse, alice, carol, label, secret_for):
    secret_for(label)
    device = Device.objects.get()
    services.block_device(actor=alice, device_id=device.pk, reason="lost")
    address = f"{DEVICES}{device.pk}/unblock/"

    assert browse(alice).post(address, YES).status_code == 403
    assert Device.objects.get().blocked_at is not None
    browse(carol).get(address)
    browse(carol).post(address, YES)

    assert Device.objects.get().blocked_at is None


def test_what_was_not_shown_is_not_revoked(browse, alice, label, secret_for):
    ask_by(label, secret_for(label), make_csr(DEVICE))
    address = f"{DEVICES}{Device.objects.get().pk}/revoke-held/"

    answer = browse(alice).post(address, {**YES, "plan": "of another page"}, follow=True)

    assert not hasattr(Version.objects.get(), "revocation")
    assert answer.redirect_chain
    assert Event.objects.get(action="certificate.revoke.refuse").actor == alice


def test_many_at_once_need_the_permission_for_many(browse, alice, carol, label, secret_for):
    for name in (DEVICE, OTHER):
        ask_by(label, secret_for(label, name), make_csr(name))
    address = f"{LABELS}{label.pk}/"

    refused = browse(alice).get(f"{address}revoke-held/", follow=True)
    blocked = browse(alice).post(f"{address}block/", {**YES, "confirm_name": label.path})
    asked = browse(carol).get(f"{address}revoke-held/")
    browse(carol).post(f"{address}revoke-held/", {**YES, "plan": asked.context["plan"]})

    assert "certificates.bulk_revoke" in str(words(refused))
    assert blocked.headers["Location"] == f"{address}change/"
    assert all(hasattr(version, "revocation") for version in Version.objects.all())


def test_more_than_one_administrator_revokes_alone_becomes_a_plan_here_too(
    browse, carol, label, secret_for, settings
):
    settings.BULK_REVOKE_LIMIT = 1
    for name in (DEVICE, OTHER):
        ask_by(label, secret_for(label, name), make_csr(name))
    address = f"{LABELS}{label.pk}/revoke-held/"
    asked = browse(carol).get(address)

    told = browse(carol).post(address, {**YES, "plan": asked.context["plan"]}, follow=True)

    assert "need a second administrator" in told.content.decode()
    assert (Plan.objects.get().status, Plan.objects.get().count) == ("Previewed", 2)
    assert not any(hasattr(version, "revocation") for version in Version.objects.all())


def test_each_version_that_is_held_is_revoked_on_its_own_page(browse, alice, label, secret_for):
    ask_by(label, secret_for(label), make_csr(DEVICE))
    version, client = Version.objects.get(), browse(alice)
    link = f"/admin/certificates/version/{version.pk}/revoke/"

    page = client.get(page_of(DEVICES, Device.objects.get()))
    client.post(link, {**YES, "reason": "superseded"})

    assert f'href="{link}"' in page.content.decode()
    assert Version.objects.get().revocation.reason == "superseded"
    assert link not in client.get(page_of(DEVICES, Device.objects.get())).content.decode()


def test_who_only_reads_is_offered_nothing_and_may_nothing(
    browse, victor, label, secret_for, new_label
):
    made = secret_for(label)
    ask_by(label, made, make_csr(DEVICE))
    client, device = browse(victor), Device.objects.get()

    for page in (page_of(LABELS, label), page_of(DEVICES, device)):
        shown = client.get(page).content.decode()
        assert "revoke" not in shown.partition("<main")[2].lower().replace("not revoked", "")
    tries = (
        (f"{LABELS}add/", new_label),
        (f"{LABELS}{label.pk}/block/", YES),
        (f"{DEVICES}{device.pk}/block/", YES),
        (f"{DEVICES}{device.pk}/revoke-held/", YES),
        (f"/admin/certificates/version/{Version.objects.get().pk}/revoke/", YES),
        (BULK, YES),
        (f"{CREDENTIALS}add/", {}),
        (f"{CREDENTIALS}{made.credential.pk}/block/", YES),
    )
    assert {client.post(address, body).status_code for address, body in tries} == {403}
    assert client.get(CREDENTIALS).status_code == 403
    assert Label.objects.get().enabled


# --- Enrollments and jobs --------------------------------------------------------------------


def test_enrollments_show_their_outcome_and_are_looked_for_by_it(
    browse, victor, label, slow_label, secret_for
):
    ask_by(label, secret_for(label), make_csr(DEVICE))
    waiting = ask_by(slow_label, secret_for(slow_label, OTHER), make_csr(OTHER)).enrollment
    client = browse(victor)

    everything = client.get(ENROLLMENTS)
    narrowed = client.get(ENROLLMENTS, {"outcome": "Waiting"})
    of_device = client.get(ENROLLMENTS, {"device__id__exact": str(waiting.device_id)})
    page = client.get(page_of(ENROLLMENTS, waiting))

    assert everything.context["cl"].result_count == 2
    assert list(narrowed.context["cl"].result_list) == [waiting]
    assert list(of_device.context["cl"].result_list) == [waiting]
    assert "Waiting" in page.content.decode()
    assert client.post(page_of(ENROLLMENTS, waiting), {}).status_code == 403


def test_the_page_of_a_decision_names_the_device_and_who_vouched_for_it(
    browse, bob, slow_label, secret_for
):
    job = ask_by(slow_label, secret_for(slow_label), make_csr(DEVICE)).enrollment.job

    page = browse(bob).get(f"/admin/jobs/job/{job.pk}/approve/").content.decode()

    facts = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert f"Device est/slow-cams/{DEVICE}" in facts
    assert "Vouched for by alice" in facts
    assert "CSR given by" not in facts


# --- Lists of none, and of thousands ---------------------------------------------------------


@pytest.mark.parametrize("address", [LABELS, DEVICES, CREDENTIALS, ENROLLMENTS])
def test_a_list_of_nothing_is_a_page(browse, carol, address):
    assert browse(carol).get(address).status_code == 200


@pytest.fixture
def crowd(label, alice, secret_for):
    """Two thousand devices with a credential each, of which a few enrolled."""
    for name in (DEVICE, OTHER):
        ask_by(label, secret_for(label, name), make_csr(name))
    first = Enrollment.objects.select_related("certificate").first()
    devices = Device.objects.bulk_create(
        Device(label=label, name=f"cam-{number}", created_by=alice) for number in range(100, 2100)
    )
    Credential.objects.bulk_create(
        Credential(label=label, device=one, prefix=f"p{one.name}", digest="0", created_by=alice)
        for one in devices
    )
    jobs = Job.objects.bulk_create(
        Job(certificate=first.certificate, kind="Issuance", requested_by=alice, status="Failed")
        for _ in devices
    )
    Enrollment.objects.bulk_create(
        Enrollment(label=label, device=one, certificate=first.certificate, job=job)
        for one, job in zip(devices, jobs, strict=True)
    )


@pytest.mark.parametrize(
    ("address", "most"), [(LABELS, 14), (DEVICES, 16), (CREDENTIALS, 16), (ENROLLMENTS, 16)]
)
def test_two_thousand_rows_take_no_more_queries_than_two(
    browse, carol, crowd, address, most, django_assert_max_num_queries
):
    client = browse(carol)
    with django_assert_max_num_queries(most):
        assert client.get(address).status_code == 200


def test_the_pages_of_a_label_and_a_device_of_a_crowd_take_few_queries(
    browse, carol, crowd, label, django_assert_max_num_queries
):
    client = browse(carol)
    with django_assert_max_num_queries(32):
        assert client.get(page_of(LABELS, label)).status_code == 200
    with django_assert_max_num_queries(24):
        device = Device.objects.get(name="cam-100")
        assert client.get(page_of(DEVICES, device)).status_code == 200


def test_the_side_bar_shows_each_role_what_it_may_see(browse, victor, alice):
    shown = browse(alice).get("/admin/").content.decode()
    less = browse(victor).get("/admin/").content.decode()

    assert CREDENTIALS in shown
    assert CREDENTIALS not in less
    assert LABELS in less
