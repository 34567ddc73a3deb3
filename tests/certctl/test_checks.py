"""An installation that cannot be right does not start."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command

from certctl.checks import mail_is_private, settings_are_possible

ROOT = Path(__file__).resolve().parents[2]


def ids():
    return [message.id for message in settings_are_possible()]


def test_the_tests_own_settings_are_possible():
    assert ids() == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("TIME_ZONE", "Europe/Berlin", "certctl.E001"),
        ("KEY_ENCRYPTION_KEYS", [], "certctl.E002"),
        ("KEY_ENCRYPTION_KEYS", ["c2hvcnQ="], "certctl.E003"),
        ("KEY_ENCRYPTION_KEYS", ["not base64!"], "certctl.E003"),
        ("ALLOW_SERVER_KEYS", True, "certctl.W001"),
        ("CRL_LIFETIME", timedelta(days=11), "certctl.E004"),
        ("CRL_REFRESH", timedelta(days=7), "certctl.E005"),
        ("BULK_REVOKE_LIMIT", -1, "certctl.E020"),
        ("BULK_PLAN_LIFETIME", timedelta(0), "certctl.E020"),
        ("OCSP_LIFETIME", timedelta(hours=7), "certctl.E006"),
        ("OCSP_LIFETIME", timedelta(days=11), "certctl.E006"),
        ("CELERY_TASK_ALWAYS_EAGER", True, "certctl.E007"),
        ("TLS_FRONTS", ["nginx"], "certctl.E008"),
        ("TLS_FRONTS", ["192.0.2.7/24"], "certctl.E008"),
        ("TLS_FRONTS", ["192.0.2.7", "0.0.0.0/0"], "certctl.E009"),
        ("TLS_FRONTS", ["::/0"], "certctl.E009"),
        ("TLS_FRONTS", ["192.0.2.7"], "certctl.W002"),
        ("TLS_FRONT_FORM", "traefik", "certctl.E010"),
        ("ENROLLMENT_RATE", "often", "certctl.E011"),
        ("OCSP_LIVE_RATE", "0/min", "certctl.E013"),
        ("OCSP_LIVE_TOTAL_RATE", "often", "certctl.E013"),
        ("OCSP_PROMISE", timedelta(seconds=1.9), "certctl.E016"),
        ("OCSP_PROMISE", timedelta(seconds=61), "certctl.E016"),
        ("OCSP_MEMORY", -1, "certctl.E017"),
    ],
)
def test_an_impossible_setting_is_named(settings, name, value, expected):
    setattr(settings, name, value)

    assert expected in ids()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CRL_LIFETIME", timedelta(days=10)),
        ("OCSP_LIFETIME", timedelta(hours=8)),
        ("OCSP_LIFETIME", timedelta(days=10)),
    ],
)
def test_a_bound_itself_is_possible(settings, name, value):
    setattr(settings, name, value)

    assert ids() == []


def test_server_keys_are_warned_of_but_in_the_demo(settings):
    settings.ALLOW_SERVER_KEYS = settings.DEMO = True

    assert ids() == []


def test_a_key_that_is_printed_is_one_that_may_be_set(settings, capsys):
    call_command("generate_key")

    settings.KEY_ENCRYPTION_KEYS = [capsys.readouterr().out.strip()]
    assert ids() == []


def start(folder, *command, without):
    environment = {name: value for name, value in os.environ.items() if name != without} | {
        "CERTCTL_VAR_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder}/x.sqlite3",
        "REDIS_URL": "redis://127.0.0.1:9/0",  # nobody listens: we must stop before that matters
        "DJANGO_SETTINGS_MODULE": "certctl.settings",
        "PYTHONWARNINGS": "default",
    }
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.takes(2)
@pytest.mark.parametrize(
    "command",
    [
        ("manage.py", "check"),
        ("-c", "import certctl.wsgi"),
        ("-m", "celery", "-A", "certctl", "worker", "--pool", "solo"),
        ("-m", "celery", "-A", "certctl", "beat", "--pidfile", ""),
    ],
    ids=["manage", "wsgi", "worker", "beat"],
)
@pytest.mark.parametrize("secret", ["SECRET_KEY", "CERTCTL_KEY_ENCRYPTION_KEYS"])
def test_a_missing_secret_stops_the_start(tmp_path, command, secret):
    done = start(tmp_path, *command, without=secret)

    assert done.returncode != 0
    assert secret in done.stderr


def test_mail_that_is_off_is_nothing_to_check(settings):
    assert settings.EMAIL_HOST == ""
    assert mail_is_private() == []
    assert ids() == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, ["certctl.E021"]),
        ({"ADMIN_BASE_URL": "certctl.example"}, ["certctl.E021"]),
        ({"ADMIN_BASE_URL": "javascript://x"}, ["certctl.E021"]),
        ({"ADMIN_BASE_URL": "https://certctl.example"}, []),
        ({"ADMIN_BASE_URL": "https://a.example", "EMAIL_USE_SSL": True}, ["certctl.E022"]),
        ({"ADMIN_BASE_URL": "https://a.example", "NOTIFY_EVERY": timedelta(0)}, ["certctl.E023"]),
        ({"ADMIN_BASE_URL": "https://a.example", "EMAIL_TIMEOUT": 0}, ["certctl.E023"]),
    ],
)
def test_mail_needs_an_address_for_its_links_and_one_way_of_tls(settings, values, expected):
    settings.EMAIL_HOST = "mail.example"
    for name, value in values.items():
        setattr(settings, name, value)

    assert ids() == expected


def test_mail_in_clear_is_warned_about(settings):
    settings.EMAIL_HOST, settings.EMAIL_USE_TLS = "mail.example", False

    assert [message.id for message in mail_is_private()] == ["certctl.W004"]
