"""The admin: the same rules and the same words as REST; machine rows cannot be edited."""

import pytest
from django.contrib import messages
from django.test import Client

from audit.models import Event
from deployments.models import Agent, Deployment, Target

URL = "/admin/deployments/"


@pytest.fixture
def browser(carol):
    client = Client()
    client.force_login(carol, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def form(site):
    return {
        "name": "admin-web",
        "kind": "file",
        "enabled": "on",
        "agent": "",
        "config.certificate_path": str(site / "cert.pem"),
        "config.fullchain": "on",
        "endpoint_host": "",
        "endpoint_port": "",
        "server_name": "",
    }


def test_a_target_is_made_through_the_service(browser, form, carol):
    answer = browser.post(f"{URL}target/add/", form)

    assert answer.status_code == 302, answer.context["errors"]
    event = Event.objects.get(action="target.create")
    assert (event.actor, event.door) == (carol, "admin")


def test_a_mistake_is_shown_in_the_words_of_the_service_at_its_field(browser, form):
    form |= {"config.certificate_path": "/etc/cert.pem", "config.mode": "rw-r--r--"}

    answer = browser.post(f"{URL}target/add/", form)

    errors = answer.context["adminform"].form.errors
    assert "CERTCTL_TARGET_ROOTS" in errors["config.certificate_path"][0]
    assert "octal" in errors["config.mode"][0]
    assert not Target.objects.exists()


def test_a_target_is_changed_through_the_service(browser, form, target):
    form |= {"name": target.name, "endpoint_host": "10.0.0.1", "endpoint_port": "443"}

    answer = browser.post(f"{URL}target/{target.pk}/change/", form)

    assert answer.status_code == 302
    event = Event.objects.get(action="target.update")
    assert event.data["changes"] == {
        "endpoint_host": {"before": "", "after": "10.0.0.1"},
        "endpoint_port": {"before": None, "after": 443},
    }


@pytest.mark.parametrize("how", ["add", "change"])
def test_whoever_saves_a_target_is_warned_of_files_that_are_anothers_too(
    browser, form, target, site, how
):
    """Saved all the same: it may be meant."""
    url = f"{URL}target/add/"
    if how == "change":
        config = {"certificate_path": str(site / "other.pem")}
        other = Target.objects.create(name=form["name"], kind="file", config=config)
        url = f"{URL}target/{other.pk}/change/"

    answer = browser.post(url, form, follow=True)

    (warning,) = [m for m in answer.context["messages"] if m.level == messages.WARNING]
    assert f"{site / 'cert.pem'} (certificate_path) is written by web too" in warning.message
    saved = Target.objects.get(name=form["name"])
    assert saved.config["certificate_path"] == str(site / "cert.pem")


def test_a_target_is_deleted_through_the_service(browser, target):
    answer = browser.post(
        f"{URL}target/{target.pk}/delete/", {"post": "yes", "confirm_name": target.name}
    )

    assert answer.status_code == 302
    assert Event.objects.filter(action="target.delete").exists()


def test_a_target_is_tested_from_the_list(browser, target):
    page = browser.post(
        f"{URL}target/", {"action": "test", "_selected_action": str(target.pk)}, follow=True
    )

    assert "nothing stands in the way" in page.content.decode()
    assert Event.objects.filter(action="target.test").exists()


def test_a_viewer_changes_nothing(victor, form, target):
    client = Client()
    client.force_login(victor, backend="django.contrib.auth.backends.ModelBackend")

    assert client.get(f"{URL}target/").status_code == 200
    assert client.post(f"{URL}target/add/", form).status_code == 403
    assert client.post(f"{URL}target/{target.pk}/change/", form).status_code == 403
    events = Event.objects.filter(action__startswith="target.").order_by("sequence")
    assert [event.action for event in events] == ["target.create.refuse", "target.update.refuse"]


@pytest.fixture
def deployment(certify, keep, target):
    version = keep(certify())
    return Deployment.objects.create(
        certificate=version.certificate, target=target, version=version, health="Mismatch"
    )


def test_the_health_of_a_deployment_is_a_badge(browser, deployment):
    page = browser.get(f"{URL}deployment/").content.decode()
    one = browser.get(f"{URL}deployment/{deployment.pk}/change/").content.decode()

    assert "Mismatch" in page
    assert f"v{deployment.version.number}" in page
    assert "Mismatch" in one
    assert deployment.version.fingerprint in one


@pytest.mark.parametrize("kind", ["deployment", "agent"])
def test_machine_rows_cannot_be_edited(browser, deployment, kind):
    row = deployment if kind == "deployment" else Agent.objects.create(name="host-1")
    one = f"{URL}{kind}/{row.pk}/"

    assert browser.get(f"{URL}{kind}/").status_code == 200
    assert browser.get(f"{one}change/").status_code == 200
    assert browser.post(f"{one}change/", {}).status_code == 403
    assert browser.post(f"{one}delete/", {"post": "yes"}).status_code == 403
    assert browser.get(f"{URL}{kind}/add/").status_code == 403


def test_the_list_of_deployments_asks_few_questions(
    browser, deployment, certify, keep, target, django_assert_max_num_queries
):
    for _ in range(4):
        version = keep(certify())
        Deployment.objects.create(certificate=version.certificate, target=target, version=version)

    # Two are what is kept of the list: its columns and its views.
    with django_assert_max_num_queries(16):
        browser.get(f"{URL}deployment/")


def test_a_viewer_tests_nothing(victor, target):
    client = Client()
    client.force_login(victor, backend="django.contrib.auth.backends.ModelBackend")

    client.post(f"{URL}target/", {"action": "test", "_selected_action": str(target.pk)})

    assert not Event.objects.filter(action="target.test").exists()
