"""An issuer names the one that follows it; devices that trust one come to trust the other."""

from datetime import timedelta

import pytest

from audit.models import Event
from foundation.errors import Invalid
from issuers import services
from issuers.models import Issuer
from issuers.x509 import certs
from tests.ca import make_ca, named, openssl, pem_of

pytestmark = pytest.mark.django_db
YEARS = timedelta(days=3650)


@pytest.fixture
def make_root(carol):
    """Make a root of ours as carol."""

    def make(slug, **options):
        ca = services.NewCA(
            slug=slug, common_name=options.pop("name", "Demo Root"), lifetime=YEARS, **options
        )
        return services.create_local_ca(actor=carol, ca=ca)

    return make


@pytest.fixture
def roots(make_root):
    return make_root("old"), make_root("new")


def link_of(issuer, field):
    return certs.load(getattr(issuer, field))


def test_two_roots_of_ours_sign_each_other(roots, carol, tmp_path):
    old, new = roots

    issuer = services.name_successor(actor=carol, issuer_id=old.pk, successor=new)

    old_with_new = link_of(issuer, "old_with_new_pem")
    new_with_old = link_of(issuer, "new_with_old_pem")
    assert old_with_new.public_key() == old.certificate.public_key()
    assert new_with_old.public_key() == new.certificate.public_key()
    for link, signer in ((old_with_new, new), (new_with_old, old)):
        (tmp_path / "signer.pem").write_text(signer.certificate_pem)
        (tmp_path / "link.pem").write_text(certs.pem(link))
        said = openssl(
            *("verify", "-x509_strict", "-CAfile", tmp_path / "signer.pem"),
            tmp_path / "link.pem",
        )
        assert "OK" in said
    event = Event.objects.get(action="issuer.name_successor")
    assert event.data["changes"]["successor"]["after"]


def test_said_again_nothing_is_signed_anew(roots, carol):
    old, new = roots
    first = services.name_successor(actor=carol, issuer_id=old.pk, successor=new)

    again = services.name_successor(actor=carol, issuer_id=old.pk, successor=new)

    assert again.old_with_new_pem == first.old_with_new_pem
    assert Event.objects.filter(action="issuer.name_successor").count() == 1


def test_no_circle_is_made(roots, carol):
    old, new = roots
    services.name_successor(actor=carol, issuer_id=old.pk, successor=new)

    for issuer, successor in ((old, old), (new, old)):
        with pytest.raises(Invalid):
            services.name_successor(actor=carol, issuer_id=issuer.pk, successor=successor)


def test_a_ca_that_may_have_none_below_it_signs_no_other(roots, make_root, carol):
    below = make_root("below", name="Demo Issuing", parent=roots[0])

    issuer = services.name_successor(actor=carol, issuer_id=below.pk, successor=roots[1])

    assert issuer.successor == roots[1]
    assert issuer.new_with_old_pem == ""


def test_what_is_brought_must_be_what_it_is_called(roots, carol):
    old, new = roots
    stranger = make_ca(subject=named("Demo Root"))

    for pem in (pem_of(stranger.certificate), old.certificate_pem, "garbage"):
        with pytest.raises(Invalid):
            services.name_successor(
                actor=carol, issuer_id=old.pk, successor=new, old_with_new_pem=pem
            )
    assert Issuer.objects.get(pk=old.pk).successor is None


def test_what_is_brought_is_kept(roots, carol):
    old, new = roots
    made = services.name_successor(actor=carol, issuer_id=old.pk, successor=new)
    text = made.old_with_new_pem
    services.name_successor(actor=carol, issuer_id=old.pk, successor=None)
    assert Issuer.objects.get(pk=old.pk).old_with_new_pem == ""

    issuer = services.name_successor(
        actor=carol, issuer_id=old.pk, successor=new, old_with_new_pem=text
    )

    assert issuer.old_with_new_pem == text


def test_an_administrator_names_it_over_rest_and_an_operator_does_not(
    roots, carol, alice, client_of
):
    old, new = roots
    path = f"/api/v1/issuers/{old.pk}/successor/"

    assert client_of(alice).post(path, {"successor": "new"}).status_code == 403
    answer = client_of(carol).post(path, {"successor": "new"})

    assert answer.status_code == 200
    assert answer.json()["successor"] == str(new.pk)
    assert answer.json()["new_with_old_pem"].startswith("-----BEGIN CERTIFICATE")


def test_an_administrator_names_it_in_the_admin(roots, carol, browse):
    old, new = roots
    page = f"/admin/issuers/issuer/{old.pk}/change/"

    answer = browse(carol).post(page, {"name": old.name, "enabled": "on", "successor": str(new.pk)})

    assert answer.status_code == 302
    assert Issuer.objects.get(pk=old.pk).successor == new


def test_what_carries_trust_is_given_out_as_long_as_it_is_valid(roots, carol):
    old, new = roots
    issuer = services.name_successor(actor=carol, issuer_id=old.pk, successor=new)
    ends = link_of(issuer, "new_with_old_pem").not_valid_after_utc

    assert len(services.ca_certificates(issuer, now=ends)) == 4
    assert len(services.ca_certificates(issuer, now=ends + timedelta(seconds=1))) == 2
