"""What alice is told when she asks, before anything is signed; nothing is refused for it."""

from certificates import services as certificate_services
from certificates.models import Reason
from jobs import runner, services
from tests.factories import CertificateFactory


def renewed(actor, certificate, **options):
    return services.request_renewal(actor=actor, certificate_id=certificate.pk, **options).warnings


def test_alice_is_warned_that_a_renewal_brings_back_what_bob_revoked(alice, bob, issued):
    certificate_services.revoke(
        version_id=issued.current_id, actor=bob, reason=Reason.SUPERSEDED, note=""
    )
    issued.refresh_from_db()

    (warning,) = renewed(alice, issued)

    assert "revoked (superseded)" in warning


def test_alice_is_warned_of_another_certificate_of_the_name(alice, issued, owner):
    CertificateFactory(name=issued.name, owner=owner)

    (warning,) = renewed(alice, issued)

    assert warning == f"There is another certificate of the name {issued.name}."


def test_alice_is_warned_that_her_csr_was_signed_before(alice, issued):
    (warning,) = renewed(alice, issued, csr_pem=issued.current.csr_pem)

    assert "same CSR" in warning


def test_alice_is_told_nothing_where_there_is_nothing_to_tell(alice, issued, csr_for):
    assert renewed(alice, issued, csr_pem=csr_for(issued.common_name)) == ()
    assert runner.run_pending() == 1
