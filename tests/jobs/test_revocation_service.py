"""Who answers for revocation: asked of the issuer, whatever its kind."""

import pytest
from cryptography import x509

import certificates.crl
import certificates.live_ocsp
import certificates.ocsp
from audit.models import Event
from certificates import services
from certificates.models import Revocation
from certificates.policy import IssuedElsewhere
from foundation.errors import Conflict, Invalid
from issuers.services import update_issuer
from issuers.x509 import ocsp as x509_ocsp
from jobs import runner

pytestmark = pytest.mark.django_db


def test_a_local_ca_answers_and_one_elsewhere_does_not(local_ca, root_ca, remote_ca):
    assert root_ca.answers_for_revocation
    assert not remote_ca.answers_for_revocation


@pytest.fixture
def issued_elsewhere(remote_ca, desk, ask, free_profile):
    desk.at_once = True
    job = ask(free_profile)
    runner.run_pending()
    job.certificate.refresh_from_db()
    return job.certificate.current


def test_what_a_ca_elsewhere_signed_is_not_revoked_here(issued_elsewhere, bob):
    with pytest.raises(IssuedElsewhere):
        services.revoke(version_id=issued_elsewhere.pk, actor=bob, reason="superseded")

    assert not Revocation.objects.exists()


def test_no_crl_is_signed_for_a_ca_elsewhere(remote_ca, system):
    with pytest.raises(certificates.crl.NoRevocationService) as refused:
        certificates.crl.publish(issuer_id=remote_ca.pk, actor=system)

    assert isinstance(refused.value, Conflict)
    assert certificates.crl.publish_if_due(remote_ca.pk, actor=system) is None
    assert not Event.objects.filter(action="crl.publish", subject_id=str(remote_ca.pk)).exists()


def test_no_answer_is_signed_for_a_ca_elsewhere(issued_elsewhere, remote_ca):
    issuer = x509.load_pem_x509_certificate(remote_ca.certificate_pem.encode())
    asked = x509_ocsp.cert_id(issuer, int(issued_elsewhere.serial, 16), "sha256")

    assert certificates.ocsp.response_for(remote_ca.slug, asked) is None
    alone = x509_ocsp.Question(asked, b"n" * 32)
    assert certificates.live_ocsp.look_up(remote_ca.slug, alone) is None


def test_a_ca_elsewhere_delegates_nothing_here(remote_ca, carol):
    with pytest.raises(Invalid) as refused:
        update_issuer(actor=carol, issuer_id=remote_ca.pk, changes={"ocsp_delegated": True})

    assert refused.value.errors[0]["code"] == "issued_elsewhere"
    remote_ca.refresh_from_db()
    assert not remote_ca.ocsp_delegated
