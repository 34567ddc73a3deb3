"""Asking for a certificate in a real Chromium, at a desk and on a phone.

Alice asks; victor only reads. What the browser makes is read by openssl.
"""

import subprocess

import pytest

from jobs import runner
from jobs.models import Job
from jobs.states import Status
from tests.jobs.conftest import NAME

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.looks]
PASSWORD = "correct horse battery staple"
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 380, "height": 800}


@pytest.fixture
def signed_in(page, live_server):
    def go(principal, path, size=DESK):
        principal.set_password(PASSWORD)
        principal.save()
        page.set_viewport_size(size)
        page.goto(f"{live_server.url}/admin/login/?next=/admin/{path}")
        page.fill("input[name=username]", principal.username)
        page.fill("input[name=password]", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_url(f"**/admin/{path}")
        return page

    return go


@pytest.fixture
def asking(signed_in, alice, owner, local_ca, profile):
    """Open the page as alice, with what must be chosen chosen."""

    def go(size=DESK, **options):
        page = signed_in(alice, "certificates/certificate/add/", size)
        page.get_by_label("Profile").select_option(label="tls-server")
        page.get_by_label("Issuer").select_option(label="issuing")
        page.locator("[data-field=owner] .select2-selection").click()
        page.locator(".select2-search__field").last.fill("web")
        page.locator(".select2-results__option", has_text="web-shop").click()
        return page

    return go


def widest(page):
    return page.evaluate(
        "Math.max(document.documentElement.scrollWidth,"
        "...[...document.querySelectorAll('.ask-form *')]"
        ".map(element => element.getBoundingClientRect().right))"
    )


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_key_is_made_here_saved_and_never_sent(asking, size, tmp_path, openssl):
    sent = []
    page = asking(size)
    page.on("request", lambda request: sent.append(request.post_data or ""))
    page.get_by_label("Make the key in this browser").check()
    page.locator("#id_sans").fill(f"{NAME}\nalt.demo.internal")
    page.wait_for_selector("text=Somebody else decides on it")
    assert widest(page) <= size["width"]

    with page.expect_download() as saving:
        page.get_by_role("button", name="Save the key and request").click()
    page.wait_for_selector("text=An operator must decide")

    key, csr = tmp_path / "key.pem", tmp_path / "csr.pem"
    saving.value.save_as(key)
    job = Job.objects.get()
    csr.write_text(job.csr_pem)
    assert saving.value.suggested_filename == "web.demo.internal.key.pem"
    assert job.status == Status.AWAITING_APPROVAL
    assert job.certificate.sans == [f"dns:{NAME}", "dns:alt.demo.internal"]
    _same_key(openssl, key, csr)
    assert not any("PRIVATE" in body for body in sent)


@pytest.mark.parametrize(
    ("algorithm", "names"),
    [
        ("ecdsa-p384", "api.demo.internal"),
        ("rsa-2048", "api.demo.internal\n192.0.2.7\n2001:db8::7:1\nme@demo.internal\nspiffe://d/x"),
    ],
)
def test_openssl_verifies_what_is_made_of_each_kind(
    asking, profile, algorithm, names, tmp_path, openssl
):
    profile.allowed_sans = ["dns:*", "ip:0.0.0.0/0", "ip:::/0", "email:*", "uri:*"]
    profile.save()
    page = asking()
    page.get_by_label("Make the key in this browser").check()
    page.locator("#id_sans").fill(names)
    page.wait_for_selector("text=Somebody else decides on it")
    page.locator("#id_algorithm").select_option(algorithm)

    with page.expect_download() as saving:
        page.get_by_role("button", name="Save the key and request").click()
    page.wait_for_selector("text=An operator must decide")

    key, csr = tmp_path / "key.pem", tmp_path / "csr.pem"
    saving.value.save_as(key)
    csr.write_text(Job.objects.get().csr_pem)
    _same_key(openssl, key, csr)


def test_what_is_wrong_is_said_while_typing_and_all_of_it_on_sending(asking, profile):
    profile.justification_required = True
    profile.save()
    page = asking()
    page.get_by_label("Make the key in this browser").check()
    page.locator("#id_sans").fill("www.elsewhere.example")
    page.wait_for_selector("text=www.elsewhere.example is not allowed")
    assert page.locator("#id_justification_error").is_hidden()

    page.get_by_role("button", name="Save the key and request").click()
    page.wait_for_selector("text=tls-server wants to know why")

    assert page.locator("#id_sans_error").is_visible()
    assert not Job.objects.exists()


def test_a_csr_is_dropped_on_its_field(asking, csr_for):
    page = asking()
    page.evaluate(
        """csr => {
            const data = new DataTransfer();
            data.items.add(new File([csr], "web.csr"));
            const dropped = new DragEvent("drop", { dataTransfer: data, cancelable: true });
            document.getElementById("id_csr").dispatchEvent(dropped);
        }""",
        csr_for(NAME),
    )
    page.wait_for_selector("text=Somebody else decides on it")

    page.get_by_role("button", name="Request the certificate").click()
    page.wait_for_selector("text=An operator must decide")

    assert Job.objects.get().certificate.sans == [f"dns:{NAME}"]


def test_who_was_signed_out_meanwhile_loses_nothing(asking, csr_for, live_server):
    page = asking()
    page.locator("#id_csr").fill(csr_for(NAME))
    page.locator("#id_justification").fill("New machines.")
    page.wait_for_selector("text=Somebody else decides on it")
    page.context.clear_cookies()

    page.get_by_role("button", name="Request the certificate").click()
    page.wait_for_selector("text=You are signed out")
    assert page.locator("#id_justification").input_value() == "New machines."

    again = page.context.new_page()
    again.goto(f"{live_server.url}/admin/login/")
    again.fill("input[name=username]", "alice")
    again.fill("input[name=password]", PASSWORD)
    again.click("button[type=submit]")
    again.wait_for_selector(".cc-dashboard")
    page.get_by_role("button", name="Request the certificate").click()
    page.wait_for_selector("text=An operator must decide")

    assert Job.objects.get().justification == "New machines."


def test_a_page_that_is_not_secure_says_why_it_makes_no_key(page, asking):
    page.add_init_script("Object.defineProperty(window, 'isSecureContext', { value: false })")
    page = asking()

    assert page.get_by_label("Make the key in this browser").is_disabled()
    assert page.get_by_text("A key cannot be made here").is_visible()


def test_what_needs_no_approval_is_signed(asking, profile, csr_for):
    profile.approval_required_for = []
    profile.save()
    page = asking()
    page.get_by_label("CSR (required)").fill(csr_for(NAME))
    page.wait_for_selector("text=It is signed at once")
    page.get_by_role("button", name="Request the certificate").click()
    page.wait_for_selector("text=It is being signed")

    runner.run_pending()

    assert Job.objects.get().status == Status.COMPLETED


def test_nothing_on_the_page_is_refused_by_its_own_policy(page, asking):
    said = []
    page.on("console", lambda message: said.append(message.text))
    page = asking()
    page.get_by_label("Make the key in this browser").check()

    assert not [text for text in said if "Content Security Policy" in text]


def test_victor_is_not_let_in(signed_in, victor, live_server):
    page = signed_in(victor, "certificates/certificate/")
    assert not page.get_by_text("Request a certificate").count()

    answer = page.goto(f"{live_server.url}/admin/certificates/certificate/add/")

    assert answer.status == 403


def _same_key(openssl, key, csr):
    """Openssl verifies the request, and has the same public key from both."""
    seen = subprocess.run(
        [openssl, "req", "-in", csr, "-verify", "-noout", "-text"], capture_output=True, check=False
    )
    assert seen.returncode == 0, seen.stderr
    assert b"verify OK" in seen.stderr + seen.stdout
    of_key = subprocess.run(
        [openssl, "pkey", "-in", key, "-pubout"], capture_output=True, check=True
    )
    of_csr = subprocess.run(
        [openssl, "req", "-in", csr, "-pubkey", "-noout"], capture_output=True, check=True
    )
    assert of_key.stdout == of_csr.stdout
