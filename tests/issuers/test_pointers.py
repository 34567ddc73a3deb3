"""The prefix of what relying parties fetch: who sets it, what it may be, and where it shows.

Carol administers; bob is an operator, who changes no issuer.
"""

from datetime import timedelta
from io import StringIO

import pytest
from cryptography import x509
from django.core.management import call_command
from django.urls import reverse

from audit.models import Event
from certctl import urls
from certctl.checks import addresses_lead_here, settings_are_possible
from certctl.management.commands import serve
from certificates.services import make_ca
from issuers import pointers, services
from issuers.models import Issuer
from issuers.x509 import certs
from tests.issuers.test_admin import NEW_CA
from tests.issuers.test_api import ISSUERS, NEW

ALIAS = "http://pki.example.com/trust"


def addresses_in(certificate):
    """Return the CDP, and the AIA's OCSP and caIssuers."""
    extensions = certificate.extensions
    (cdp,) = extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    access = extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    by_method = {one.access_method._name: one.access_location.value for one in access}
    return cdp.full_name[0].value, by_method["OCSP"], by_method["caIssuers"]


def pointed(prefix, slug="issuing"):
    return tuple(f"{prefix}/{kind}/{slug}" for kind in ("crl", "ocsp", "ca"))


@pytest.fixture
def sign(free_profile, csr_for):
    """Have the CA sign a new certificate; return that."""

    def signed():
        signed = services.sign(
            issuer=Issuer.objects.get(slug="issuing"),
            profile=free_profile,
            csr_pem=csr_for("web.demo.internal"),
            common_name="web.demo.internal",
            sans=["dns:web.demo.internal"],
            lifetime=timedelta(days=40),
        )
        return certs.load(signed.certificate_pem)

    return signed


def test_without_any_setting_certificates_point_to_the_well_known_path(sign, local_ca):
    assert addresses_in(sign()) == pointed("http://pki.test/.well-known/pki")


def test_the_setting_replaces_the_whole_prefix(sign, local_ca, settings):
    settings.PKI_PREFIX = ALIAS

    assert addresses_in(sign()) == pointed(ALIAS)


def test_an_issuers_own_prefix_goes_before_the_setting(sign, local_ca, carol, settings):
    settings.PKI_PREFIX = ALIAS
    own = "http://crl.example.org"

    services.update_issuer(actor=carol, issuer_id=local_ca.pk, changes={"pki_prefix": own})

    local_ca.refresh_from_db()
    assert addresses_in(sign()) == pointed(own)
    event = Event.objects.get(action="issuer.update")
    assert event.data["changes"]["pki_prefix"] == {"before": "", "after": own}


def test_what_a_parent_signs_has_the_parents_prefix(carol, root_ca):
    services.update_issuer(actor=carol, issuer_id=root_ca.pk, changes={"pki_prefix": ALIAS})
    root_ca.refresh_from_db()

    made = make_ca(
        actor=carol,
        ca=services.NewCA(
            slug="below",
            common_name="Below",
            lifetime=timedelta(days=30),
            parent=root_ca,
            pki_prefix="http://below.example.com",
        ),
    )

    assert addresses_in(made.certificate) == pointed(ALIAS, "root")
    assert made.pki_prefix == "http://below.example.com"


@pytest.mark.parametrize(
    "prefix",
    [
        ALIAS,
        "http://pki.example.com",
        "http://PKI.example.com:8080/a/b.c/~d",
        "http://192.0.2.7/.well-known/pki",
        "http://[2001:db8::7]:80/x",
        f"http://{'a' * 60}.{'b' * 60}/" + "c" * (pointers.MAX_PREFIX - 129),
    ],
)
def test_what_a_prefix_may_be(prefix):
    assert pointers.problem_of(prefix) is None


@pytest.mark.parametrize(
    ("prefix", "words"),
    [
        ("https://pki.example.com/x", "Use http:"),
        ("ldap://pki.example.com/x", "http://"),
        ("pki.example.com/x", "http://"),
        ("HTTP://pki.example.com/x", "http://"),
        ("http:///x", "host"),
        ("http://user@pki.example.com/x", "host"),
        ("http://-pki.example.com/x", "host"),
        ("http://pki..example.com/x", "host"),
        ("http://[::g]/x", "host"),
        ("http://[::1/x", "host"),
        ("http://pki.example.com:/x", "host"),
        ("http://pki.example.com:0/x", "host"),
        ("http://pki.example.com:65536/x", "host"),
        ("http://pki.example.com/x?y=1", "query"),
        ("http://pki.example.com?y", "query"),
        ("http://pki.example.com/x#y", "fragment"),
        ("http://pki.example.com/", "slash"),
        ("http://pki.example.com/x/", "slash"),
        ("http://pki.example.com/a//b", "single slashes"),
        ("http://pki.example.com/a/../b", "single slashes"),
        ("http://pki.example.com/a%20b", "single slashes"),
        ("http://pki.example.com/crl", "crl, ocsp or ca"),
        ("http://pki.example.com/x/ocsp/y", "crl, ocsp or ca"),
        ("http://pki.example.com/api/v1", "something else"),
        ("http://pki.example.com/.well-known/est", "something else"),
        ("http://pki.example.com/ü", "ASCII"),
        ("http://pki.example.com/a b", "ASCII"),
        ("http://pki.example.com/\n", "ASCII"),
        ("http://pki.example.com/" + "c" * pointers.MAX_PREFIX, "200 characters"),
    ],
)
def test_what_a_prefix_may_not_be(prefix, words):
    assert words in pointers.problem_of(prefix)


def test_the_other_doors_are_all_known_to_the_rule():
    first = {str(one.pattern).partition("/")[0] for one in urls.urlpatterns} - {"", ".well-known"}

    assert first <= pointers.RESERVED


def test_an_administrator_sets_it_over_rest_and_an_operator_does_not(
    client_of, bob, carol, local_ca
):
    url = f"{ISSUERS}{local_ca.pk}/"

    assert client_of(bob).patch(url, {"pki_prefix": ALIAS}).status_code == 403
    wrong = client_of(carol).patch(url, {"pki_prefix": f"{ALIAS}/"})
    right = client_of(carol).patch(url, {"pki_prefix": ALIAS})

    assert wrong.status_code == 400
    assert [one["field"] for one in wrong.json()["errors"]] == ["pki_prefix"]
    assert right.status_code == 200
    assert right.json()["pki_prefix"] == ALIAS
    assert right.json()["crl_url"] == f"{ALIAS}/crl/issuing"
    assert right.json()["warnings"] == []


def test_a_new_issuer_may_have_one_from_the_start(client_of, carol):
    refused = client_of(carol).post(ISSUERS, {**NEW, "pki_prefix": "https://x.example.com"})
    made = client_of(carol).post(ISSUERS, {**NEW, "pki_prefix": ALIAS})

    assert refused.status_code == 400
    assert made.status_code == 201
    assert Issuer.objects.get(slug="made").pki_prefix == ALIAS


def test_the_admin_has_it_too(browse, carol, local_ca):
    page = reverse("admin:issuers_issuer_change", args=[local_ca.pk])
    form = {"name": "x", "enabled": "on", "successor": ""}

    wrong = browse(carol).post(page, {**form, "pki_prefix": "https://pki.example.com"})
    right = browse(carol).post(page, {**form, "pki_prefix": ALIAS})

    assert "Use http:" in wrong.content.decode()
    assert right.status_code == 302
    local_ca.refresh_from_db()
    assert local_ca.pki_prefix == ALIAS


@pytest.mark.parametrize(
    ("prefix", "leads_nowhere"),
    [
        ("http://127.0.0.1:8000/x", True),
        ("http://127.8.9.1", True),
        ("http://[::1]:8000", True),
        ("http://0.0.0.0/x", True),
        ("http://localhost:8000", True),
        ("http://pki.localhost", True),
        ("http://192.0.2.7", False),
        ("http://localhost.example.com", False),
    ],
)
def test_an_address_that_leads_relying_parties_to_themselves_is_known(prefix, leads_nowhere):
    assert pointers.is_loopback(prefix) is leads_nowhere


# --- Warned before anything is signed ------------------------------------------------------------


@pytest.fixture
def loopback(settings):
    settings.PKI_BASE_URL = "http://127.0.0.1:8000"


WORDS = "leads every relying party to itself"


def test_the_demo_is_not_warned(loopback, settings):
    assert WORDS in pointers.warning_of(pointers.default_prefix())
    settings.DEMO = True
    assert pointers.warning_of(pointers.default_prefix()) is None


def test_the_deployment_check_warns(loopback, settings):
    assert [message.id for message in addresses_lead_here()] == ["certctl.W003"]
    settings.PKI_PREFIX = ALIAS
    assert addresses_lead_here() == []


def test_an_impossible_prefix_stops_the_start(settings):
    settings.PKI_PREFIX = "https://pki.example.com"

    (message,) = settings_are_possible()

    assert message.id == "certctl.E012"
    assert message.msg.startswith("CERTCTL_PKI_PREFIX ")


def test_rest_says_it_of_a_new_issuer(loopback, client_of, carol):
    made = client_of(carol).post(ISSUERS, NEW)

    assert WORDS in made.json()["warnings"][0]


@pytest.mark.parametrize("place", ["add", "change", "dashboard"])
def test_the_admin_says_it(loopback, browse, carol, local_ca, place, settings):
    pages = {
        "add": reverse("admin:issuers_issuer_add"),
        "change": reverse("admin:issuers_issuer_change", args=[local_ca.pk]),
        "dashboard": reverse("admin:index"),
    }

    assert WORDS in browse(carol).get(pages[place]).content.decode()
    settings.PKI_BASE_URL = "http://pki.example.com"
    assert WORDS not in browse(carol).get(pages[place]).content.decode()


def test_the_dashboard_says_it_of_an_issuers_own(browse, carol, local_ca):
    Issuer.objects.update(pki_prefix="http://localhost/x")

    assert (
        "http://localhost/x, which leads"
        in browse(carol).get(reverse("admin:index")).content.decode()
    )


def test_a_form_that_was_refused_still_shows_the_warning_once(loopback, browse, carol):
    answer = browse(carol).post(reverse("admin:issuers_issuer_add"), {**NEW_CA, "slug": "Upper"})

    assert answer.content.decode().count(WORDS) <= 1


def test_the_command_says_it(loopback, db):
    out = StringIO()

    call_command("create_ca", "made", common_name="Made", stdout=StringIO(), stderr=out)

    assert WORDS in out.getvalue()


class Idle:
    """Stands for the processes that `serve` watches."""

    def watch(self):
        pass

    stop = watch


def test_serve_says_it(db, loopback, monkeypatch, settings):
    def up(command, options):
        command.base_url = "http://127.0.0.1:8000"
        return Idle()

    monkeypatch.setattr(serve.Command, "up", up)
    warned, silent = StringIO(), StringIO()

    call_command("serve", stdout=StringIO(), stderr=warned)
    settings.PKI_PREFIX = ALIAS
    call_command("serve", stdout=StringIO(), stderr=silent)

    assert WORDS in warned.getvalue()
    assert silent.getvalue() == ""
