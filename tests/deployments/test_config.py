"""A target's configuration is read strictly: every mistake is named at its field."""

import pytest

from deployments import policy
from deployments.connectors import TABLE, connector_class
from deployments.models import Target
from foundation.errors import Invalid
from tests.deployments.conftest import connector_for


def mistakes(kind, config, *, local=True):
    with pytest.raises(Invalid) as caught:
        connector_class(kind).configured(config, {}, allowed=policy.here() if local else None)
    return {(error["field"], error["code"]) for error in caught.value.errors}


@pytest.fixture
def allowed(site, program):
    return {"certificate_path": str(site / "cert.pem"), "reload": [program("reload", "exit 0")]}


def test_every_kind_has_a_connector():
    assert set(TABLE) == set(Target.Kind.values)
    assert all(connector_class(kind) for kind in TABLE)


def test_an_unknown_kind_is_refused():
    with pytest.raises(Invalid) as caught:
        connector_class("carrier-pigeon")

    assert caught.value.errors[0]["field"] == "kind"


def test_a_whole_configuration_is_read(site, allowed):
    connector = connector_for(
        "file",
        {
            **allowed,
            "chain_path": str(site / "chain.pem"),
            "key_path": str(site / "key.pem"),
            "fullchain": False,
            "mode": "0640",
            "owner": "0",
            "group": "root",
        },
    )

    assert connector.settings.mode == 0o640
    assert connector.settings.fullchain is False


@pytest.mark.parametrize(
    ("changed", "field", "code"),
    [
        ({"certificate_path": None}, "certificate_path", "required"),
        ({"certificate_path": 5}, "certificate_path", "invalid_path"),
        ({"certificate_path": "cert.pem"}, "certificate_path", "invalid_path"),
        ({"chain_path": "/srv/../etc/x"}, "chain_path", "invalid_path"),
        ({"key_path": "/etc/ssl/key.pem"}, "key_path", "path_not_allowed"),
        ({"fullchain": "yes"}, "fullchain", "invalid"),
        ({"mode": 420}, "mode", "invalid_mode"),
        ({"mode": "0666"}, "mode", "invalid_mode"),
        ({"mode": "0044"}, "mode", "invalid_mode"),
        ({"mode": "4755"}, "mode", "invalid_mode"),
        ({"owner": "nobody-of-that-name"}, "owner", "unknown_account"),
        ({"group": ["root"]}, "group", "invalid"),
        ({"reload": "nginx -s reload"}, "reload", "invalid_command"),
        ({"reload": ["/bin/sh", "-c", "id"]}, "reload", "command_not_allowed"),
        ({"test": ["/bin/true"]}, "test", "unknown_key"),
        ({"Certificate_path": "x"}, "Certificate_path", "unknown_key"),
    ],
)
def test_a_mistake_is_named_at_its_field(allowed, changed, field, code):
    assert (f"config.{field}", code) in mistakes("file", {**allowed, **changed})


def test_every_mistake_is_named_at_once(allowed):
    assert len(mistakes("file", {**allowed, "mode": "x", "owner": 7, "unknown": 1})) == 3


def test_two_files_cannot_have_one_path(allowed):
    both = {**allowed, "key_path": allowed["certificate_path"]}

    assert mistakes("file", both) == {("config.certificate_path", "duplicate_path")}


def test_what_an_agent_carries_elsewhere_is_not_this_servers_to_allow(settings):
    settings.TARGET_ROOTS = settings.TARGET_COMMANDS = []
    config = {
        "certificate_path": "/etc/nginx/cert.pem",
        "owner": "www-data-elsewhere",
        "reload": ["/usr/sbin/nginx", "-s", "reload"],
    }

    assert connector_class("nginx").configured(config, {}, allowed=None)
    assert mistakes("nginx", config)


def test_nginx_is_tested_and_reloaded_by_the_allowed_program(site, program):
    nginx = program("nginx", "exit 0")
    config = {"certificate_path": str(site / "cert.pem"), "config_path": "/etc/nginx/nginx.conf"}

    settings = connector_for("nginx", config).settings

    assert settings.test == (nginx, "-t", "-c", "/etc/nginx/nginx.conf")
    assert settings.reload == (nginx, "-c", "/etc/nginx/nginx.conf", "-s", "reload")


def test_nginx_without_an_allowed_program_needs_both_commands(site, program):
    other = program("systemctl", "exit 0")
    config = {"certificate_path": str(site / "cert.pem"), "reload": [other, "reload", "nginx"]}

    assert ("config.test", "command_not_allowed") in mistakes("nginx", config)
    assert connector_for("nginx", {**config, "test": [other, "status"]})


@pytest.mark.parametrize("key", ["test", "reload"])
def test_nginx_is_never_left_untested_or_unloaded(site, program, key):
    program("nginx", "exit 0")
    config = {"certificate_path": str(site / "cert.pem"), key: []}

    assert mistakes("nginx", config) == {(f"config.{key}", "invalid_command")}
