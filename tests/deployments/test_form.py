"""A target's form is what its connector describes: carol writes it, victor reads it in words."""

import re

import pytest
from django.urls import reverse

from audit.models import Event
from deployments import connectors
from deployments.connectors import TABLE, connector_class
from deployments.connectors.file import FileConnector
from deployments.forms import config_fields
from deployments.models import Target
from deployments.services.targets import secrets_of

ADD = "/admin/deployments/target/add/"


class Guarded(FileConnector):
    """A kind that has a password and a token."""

    SECRETS = ("password", "token")


@pytest.fixture
def guarded(monkeypatch):
    monkeypatch.setitem(connectors.TABLE, "file", f"{__name__}.Guarded")


@pytest.fixture
def given(site):
    return {
        "name": "web",
        "kind": "file",
        "enabled": "on",
        "config.certificate_path": str(site / "cert.pem"),
        "config.fullchain": "on",
    }


def page_of(target):
    return reverse("admin:deployments_target_change", args=[target.pk])


def field_of(client, name, address=ADD):
    return client.get(address).context["adminform"].form.fields[name]


def test_there_is_a_field_for_each_that_a_connector_describes(carol, browse, site):
    form = browse(carol).get(ADD).context["adminform"].form

    described = {f"config.{one.name}" for kind in TABLE for one in connector_class(kind).FIELDS}
    assert described == set(config_fields()) <= set(form.fields)
    assert "config" not in form.fields
    for name in described:
        assert form.fields[name].help_text


def test_the_form_says_which_places_and_programs_are_allowed(carol, browse, site, settings):
    settings.TARGET_COMMANDS = ["/usr/sbin/nginx"]
    client = browse(carol)

    path, reload = (field_of(client, f"config.{name}") for name in ("key_path", "reload"))
    assert f"Below {site} on this server" in path.help_text
    assert "One of /usr/sbin/nginx on this server" in reload.help_text

    settings.TARGET_ROOTS = []
    assert "CERTCTL_TARGET_ROOTS allows none" in field_of(client, "config.key_path").help_text


def test_carol_writes_a_program_one_argument_a_line(carol, browse, site, given, program):
    reload = program("reload", "exit 0")
    given |= {"config.reload": f"{reload}\n-s\nreload all", "config.mode": "0640"}

    assert browse(carol).post(ADD, given).status_code == 302

    assert Target.objects.get().config == {
        "certificate_path": str(site / "cert.pem"),
        "mode": "0640",
        "reload": [reload, "-s", "reload all"],
    }


def test_what_is_left_at_its_default_is_not_kept_and_what_is_not_is(carol, browse, given):
    del given["config.fullchain"]

    assert browse(carol).post(ADD, given).status_code == 302

    assert Target.objects.get().config["fullchain"] is False


def test_only_the_fields_of_the_chosen_kind_are_read(carol, browse, site, given):
    given["config.config_path"] = "/etc/nginx/nginx.conf"

    assert browse(carol).post(ADD, given).status_code == 302

    assert "config_path" not in Target.objects.get().config


def test_saving_what_is_shown_changes_nothing(carol, browse, target):
    client = browse(carol)
    form = client.get(f"{page_of(target)}?edit=1").context["adminform"].form
    shown = {name: form[name].value() for name in form.fields}
    posted = {name: value for name, value in shown.items() if value not in (None, "", False)}

    assert client.post(page_of(target), posted).status_code == 302

    assert Target.objects.get().config == target.config
    assert not Event.objects.filter(action="target.update").exists()


def test_secrets_go_in_and_stay_where_nothing_is_typed(carol, browse, given, guarded):
    client = browse(carol)
    given |= {"secrets.password": "hunter2", "secrets.token": "t0ken"}
    assert client.post(ADD, given).status_code == 302
    target = Target.objects.get()
    assert secrets_of(target) == {"password": "hunter2", "token": "t0ken"}

    page = client.get(page_of(target)).content.decode()
    page += client.get(f"{page_of(target)}?edit=1").content.decode()
    assert "hunter2" not in page
    assert "t0ken" not in page
    given |= {"secrets.password": "", "secrets.token": "", "name": "other"}
    assert client.post(page_of(target), given).status_code == 302

    target.refresh_from_db()
    assert target.name == "other"
    assert secrets_of(target) == {"password": "hunter2", "token": "t0ken"}
    assert "hunter2" not in str(list(Event.objects.values_list("data", flat=True)))


def test_a_secret_that_was_typed_does_not_come_back_with_the_mistakes(
    carol, browse, given, guarded
):
    given |= {"secrets.password": "hunter2", "config.mode": "x"}

    answer = browse(carol).post(ADD, given)

    assert answer.status_code == 200
    assert "hunter2" not in answer.content.decode()


def test_victor_reads_the_settings_in_words_and_no_secret(victor, browse, target, guarded):
    target.config |= {"reload": ["/bin/reload", "all"]}
    target.save()

    page = browse(victor).get(page_of(target)).content.decode()

    words = " ".join(re.sub(r"<[^>]*>", " ", page).split())
    assert f"Certificate path {target.config['certificate_path']} " in words
    assert "Reload /bin/reload all " in words
    assert "Fullchain yes " in words
    assert not re.search(r"\{(&quot;|\")certificate_path", page)
    assert 'name="config.' not in page
