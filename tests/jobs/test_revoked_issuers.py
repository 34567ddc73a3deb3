"""A CA that is revoked signs no more certificates, nor does one below it; CRLs and OCSP it does.

alice asks, bob decides, carol administers and revokes CAs.
"""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from cryptography.x509.ocsp import OCSPCertStatus, load_der_ocsp_response
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

import certificates.services
from audit.models import Event
from certificates import crl, ocsp, signers
from certificates.details import Details
from certificates.models import Alert, RenewalPolicy, Revocation
from issuers.models import Issuer
from issuers.services import ExistingCA, NewCA
from issuers.x509 import certs
from issuers.x509.ocsp import cert_id
from jobs import runner, services
from jobs.kinds import kind_of
from jobs.models import Job
from jobs.states import Status
from owners.models import Principal
from tests.ca import CA, make_ca, named, pem_of, pem_of_key
from tests.jobs.conftest import LEASE, NAME, grow_old, status_of
from tests.races import meanwhile
from tests.trail import the_refusal

pytestmark = pytest.mark.django_db


@pytest.fixture
def ca(local_ca, owner, system):
    """The certificate of the issuing CA, as it stands under the root."""
    return certificates.services.record_ca(actor=system, issuer=local_ca, owner=owner)


def revoke(certificate, actor, reason="cessationOfOperation"):
    return certificates.services.revoke(
        version_id=certificate.current_id,
        actor=actor,
        reason=reason,
        confirm_name=certificate.name,
    )


@pytest.fixture
def body(local_ca, free_profile, owner, csr_for):
    return {
        "owner": str(owner.pk),
        "issuer": local_ca.slug,
        "profile": free_profile.slug,
        "csr": csr_for(NAME),
    }


@pytest.fixture
def below(carol, owner, root_ca):
    """A CA two floors below the root, with the certificate of the CA between."""
    mid = certificates.services.make_ca(
        actor=carol,
        ca=NewCA(
            slug="mid",
            common_name="Mid",
            lifetime=timedelta(days=900),
            parent=root_ca,
            path_length=1,
        ),
        owner=owner,
    )
    low = certificates.services.make_ca(
        actor=carol,
        ca=NewCA(slug="low", common_name="Low", lifetime=timedelta(days=400), parent=mid),
        owner=owner,
    )
    return SimpleNamespace(mid=mid, low=low, of_mid=root_ca.certificates.get(name="CA mid"))


# --- When it is asked ------------------------------------------------------------------------


def test_alice_is_refused_what_a_revoked_ca_would_sign(client_of, alice, carol, ca, body):
    revoke(ca, carol)

    answer = client_of(alice).post("/api/v1/certificates/", body, format="json")

    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["field"], error["code"]) == (400, "issuer", "issuer_revoked")
    assert "cessationOfOperation" in error["detail"]
    assert not Job.objects.exists()
    the_refusal("certificate.request", alice, door="rest")


def test_alice_is_refused_a_renewal_by_a_revoked_ca(client_of, alice, carol, ca, issued):
    revoke(ca, carol)

    answer = client_of(alice).post(f"/api/v1/certificates/{issued.pk}/renew/", {}, format="json")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "issuer_revoked")
    the_refusal("certificate.renew", alice, door="rest")


def test_bob_approves_nothing_that_a_revoked_ca_would_sign(client_of, bob, carol, ca, awaiting):
    revoke(ca, carol)

    answer = client_of(bob).post(f"/api/v1/jobs/{awaiting.pk}/approve/", {}, format="json")

    assert (answer.status_code, answer.json()["code"]) == (409, "issuer_revoked")
    assert status_of(awaiting) == Status.AWAITING_APPROVAL
    the_refusal("job.approve", bob, door="rest")


def test_a_job_for_a_revoked_ca_takes_no_csr(alice, carol, ca, ask, free_profile, csr_for):
    job = ask(free_profile, csr_pem="", sans=[f"dns:{NAME}"])
    revoke(ca, carol)

    with pytest.raises(signers.IssuerRevoked):
        services.submit_csr(actor=alice, job_id=job.pk, csr_pem=csr_for(NAME))

    assert status_of(job) == Status.AWAITING_CSR


@pytest.mark.parametrize("door", ["rest", "admin"])
def test_carol_makes_no_ca_below_a_revoked_one(client_of, browse, carol, below, door):
    revoke(below.of_mid, carol)
    new = {"slug": "new", "name": "New", "common_name": "New CA", "lifetime_days": 100}

    if door == "rest":
        answer = client_of(carol).post("/api/v1/issuers/", {**new, "parent": "mid"}, format="json")
        assert answer.status_code == 400, answer.json()
        (error,) = answer.json()["errors"]
        assert (error["field"], error["code"]) == ("parent", "issuer_revoked")
    else:
        form = {**new, "parent": str(below.mid.pk), "key_algorithm": "ecdsa-p256"}
        page = browse(carol).post("/admin/issuers/issuer/add/", form)
        assert "signs no more certificates" in page.content.decode()

    assert not Issuer.objects.filter(slug="new").exists()
    the_refusal("issuer.create", carol, door=door)


# --- When it would sign ----------------------------------------------------------------------


def test_what_was_asked_for_before_is_not_signed_and_not_tried_again(carol, ca, ask, free_profile):
    job = ask(free_profile)
    revoke(ca, carol)

    runner.run_pending()

    job.refresh_from_db()
    assert (job.status, job.given_up, job.error_code) == (Status.FAILED, True, "issuer_revoked")
    assert (job.attempts, job.will_be_retried) == (1, False)
    assert "is revoked (cessationOfOperation)" in job.last_error
    assert job.certificate.versions.count() == 0
    event = Event.objects.get(action="job.fail")
    assert (event.data["code"], event.data["retry_at"]) == ("issuer_revoked", None)


def test_a_revoked_ca_is_not_even_asked_to_sign(carol, ca, ask, free_profile, monkeypatch):
    ask(free_profile)
    revoke(ca, carol)
    signed = []
    monkeypatch.setattr("issuers.connectors.local.LocalCA.place", lambda *a: signed.append(a))

    runner.run_pending()

    assert Job.objects.get().error_code == "issuer_revoked"
    assert signed == []


@pytest.mark.django_db(transaction=True)
def test_a_revocation_that_is_written_first_keeps_the_signature_out(
    carol, ca, ask, free_profile, system
):
    """The worker has the signature in its hands; its commit waits, and sees the revocation."""
    ask(free_profile)
    (job,) = Job.objects.claim(limit=1, lease=LEASE, actor=system)
    kind = kind_of(job)
    signed = kind.run(job, kind.prepare(job), system)
    worker = Principal.objects.get(pk=system.pk)

    with pytest.raises(signers.IssuerRevoked):
        meanwhile(
            lambda: revoke(ca, carol),
            lambda: services.complete(job=job, result=signed, actor=worker),
        )

    assert job.certificate.versions.count() == 0
    assert status_of(job) == Status.RUNNING  # its worker fails it next


@pytest.mark.django_db(transaction=True)
def test_a_signature_that_is_written_first_stands(carol, ca, ask, free_profile, system):
    ask(free_profile)
    (job,) = Job.objects.claim(limit=1, lease=LEASE, actor=system)
    kind = kind_of(job)
    signed = kind.run(job, kind.prepare(job), system)
    actor = Principal.objects.get(pk=carol.pk)

    meanwhile(
        lambda: services.complete(job=job, result=signed, actor=system), lambda: revoke(ca, actor)
    )

    assert job.certificate.versions.count() == 1
    newest = Event.objects.order_by("-sequence").values_list("action", flat=True)[:2]
    assert list(newest) == ["certificate.revoke", "job.complete"]


def test_a_hold_stops_it_until_it_is_released(carol, ca, ask, free_profile, system, local_ca):
    now = timezone.now()
    # As an old CRL of the parent may list it.
    Revocation.objects.create(
        version=ca.current,
        reason="certificateHold",
        revoked_at=now,
        recorded_at=now,
        revoked_by=system,
    )
    with pytest.raises(signers.IssuerRevoked):
        signers.check_may_sign(local_ca)

    certificates.services.release_hold(version_id=ca.current_id, actor=carol)

    job = ask(free_profile)
    runner.run_pending()
    assert status_of(job) == Status.COMPLETED


def test_crls_and_answers_are_signed_still(carol, ca, issued, local_ca, system):
    revoke(ca, carol)

    number = Issuer.objects.get(pk=local_ca.pk).crl_number
    published = crl.publish(issuer_id=local_ca.pk, actor=system)
    assert published.number == number + 1
    certificates.services.revoke(version_id=issued.current_id, actor=carol, reason="superseded")
    asked = cert_id(local_ca.certificate, int(issued.current.serial, 16), "sha256")
    answer = load_der_ocsp_response(ocsp.response_for(local_ca.slug, asked).der)
    assert answer.certificate_status is OCSPCertStatus.REVOKED


# --- Below, above and beside -----------------------------------------------------------------


def test_a_ca_below_a_revoked_one_signs_nothing_either(
    client_of, alice, carol, below, body, local_ca
):
    revoke(below.of_mid, carol)

    answer = client_of(alice).post(
        "/api/v1/certificates/", {**body, "issuer": "low"}, format="json"
    )

    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["code"]) == (400, "issuer_revoked")
    assert "stands below" in error["detail"]
    assert "CN=Mid" in error["detail"]
    # Beside it nothing changes.
    other = client_of(alice).post("/api/v1/certificates/", body, format="json")
    assert other.status_code == 201, other.json()


def test_a_ca_whose_chain_was_left_out_is_looked_for_above_by_its_parent(carol, below):
    Issuer.objects.filter(pk=below.low.pk).update(chain_pem="")
    revoke(below.of_mid, carol)

    with pytest.raises(signers.IssuerRevoked):
        signers.check_may_sign(Issuer.objects.get(pk=below.low.pk))


def test_a_root_that_is_revoked_by_its_name_stops_all_below_it(
    carol, root_ca, local_ca, owner, free_profile
):
    details = Details(name="Our root", owner=owner, issuer=root_ca, profile=free_profile)
    row = certificates.services.import_pem(
        actor=carol, pem=root_ca.certificate_pem, details=details
    )

    revoke(row, carol, "cACompromise")

    assert set(signers.barred([root_ca, local_ca])) == {root_ca.pk, local_ca.pk}


@pytest.fixture
def crossed(carol, owner, free_profile, local_ca):
    """A CA below one that two roots certified, both of which ways are in its chain."""
    begins = timezone.now() - timedelta(days=10)
    roots = [make_ca(subject=named(f"Root {n}"), begins=begins) for n in (1, 2)]
    first = make_ca(subject=named("Crossed"), parent=roots[0], begins=begins)
    twin = certs.build_ca(
        public_key=first.key.public_key(),
        subject=named("Crossed"),
        not_before=begins,
        not_after=begins + timedelta(days=900),
        key=roots[1].key,
        issuer=roots[1].certificate,
    )
    low = make_ca(subject=named("Low"), parent=CA(first.certificate, first.key), begins=begins)
    issuer = certificates.services.take_over_ca(
        actor=carol,
        ca=ExistingCA(
            slug="low",
            certificate_pem=pem_of(low.certificate),
            key_pem=pem_of_key(low.key),
            chain_pem=pem_of(first.certificate, roots[0].certificate, twin, roots[1].certificate),
            has_no_crl=True,
        ),
        owner=owner,
    )

    def bad(certificate, reason):
        details = Details(name="x", owner=owner, issuer=local_ca, profile=free_profile)
        row = certificates.services.import_pem(
            actor=carol, pem=pem_of(certificate), details=details
        )
        now = timezone.now()
        Revocation.objects.create(
            version=row.current, reason=reason, revoked_at=now, recorded_at=now, revoked_by=carol
        )

    return SimpleNamespace(issuer=issuer, first=first.certificate, twin=twin, bad=bad)


def test_of_a_cross_signed_ca_above_both_ways_must_be_cut(crossed):
    crossed.bad(crossed.first, "superseded")
    assert not signers.barred([crossed.issuer])

    crossed.bad(crossed.twin, "superseded")
    assert crossed.issuer.pk in signers.barred([crossed.issuer])


def test_a_key_that_leaked_is_bad_whichever_of_its_certificates_says_so(crossed):
    crossed.bad(crossed.twin, "keyCompromise")

    assert crossed.issuer.pk in signers.barred([crossed.issuer])


# --- The sweep -------------------------------------------------------------------------------


def test_the_sweep_raises_an_alert_and_asks_for_nothing(carol, ca, issued, system):
    issued.renewal_policy = RenewalPolicy.objects.create(name="rules")
    issued.save()
    grow_old()
    revoke(ca, carol)

    for _ in range(2):
        assert services.request_due_renewals(actor=system) == 0

    alert = Alert.objects.get()
    assert (alert.kind, alert.certificate) == ("issuer_revoked", issued)
    assert "issuing is revoked" in alert.detail
    assert Job.objects.filter(kind=Job.Kind.RENEWAL).count() == 0


def test_the_alert_is_over_when_the_hold_is_released(carol, ca, issued, system):
    issued.renewal_policy = RenewalPolicy.objects.create(name="rules")
    issued.save()
    grow_old()
    now = timezone.now()
    Revocation.objects.create(
        version=ca.current,
        reason="certificateHold",
        revoked_at=now,
        recorded_at=now,
        revoked_by=system,
    )
    services.request_due_renewals(actor=system)

    certificates.services.release_hold(version_id=ca.current_id, actor=carol)

    assert services.request_due_renewals(actor=system) == 1
    assert not Alert.objects.open().exists()


# --- How it is shown -------------------------------------------------------------------------


def test_rest_says_which_issuers_are_revoked(client_of, victor, carol, below):
    client = client_of(victor)
    before = client.get(f"/api/v1/issuers/{below.low.pk}/").json()
    assert before["revocation"] is None
    revocation = revoke(below.of_mid, carol)

    listed = {
        row["slug"]: row["revocation"] for row in client.get("/api/v1/issuers/").json()["results"]
    }

    assert listed["root"] is None
    assert (listed["mid"]["is_own"], listed["low"]["is_own"]) == (True, False)
    assert listed["low"]["version"] == str(below.of_mid.current_id)
    assert listed["mid"]["reason"] == revocation.reason
    assert client.get(f"/api/v1/issuers/{below.low.pk}/").json()["revocation"] == listed["low"]


def test_many_issuers_take_no_more_queries_than_one(below):
    with CaptureQueriesContext(connection) as one:
        signers.barred([below.low])
    with CaptureQueriesContext(connection) as many:
        signers.barred(Issuer.objects.all())

    assert len(one) == 2
    assert len(many) == 3  # and the one that read them


def test_the_admin_says_which_issuers_are_revoked(browse, victor, carol, below):
    revoke(below.of_mid, carol)
    client = browse(victor)

    page = client.get(reverse("admin:issuers_issuer_change", args=[below.low.pk]))
    assert "stands below CN=Mid" in page.content.decode()
    listed = client.get("/admin/issuers/issuer/").content.decode()
    assert listed.count("revoked") >= 2
    root = reverse("admin:issuers_issuer_change", args=[below.mid.parent_id])
    assert "signs no more" not in client.get(root).content.decode()
