"""What connectors say of themselves is what is read, documented and shown."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command

from deployments import services
from deployments.connectors import TABLE, connector_class
from deployments.connectors.fields import schema_of
from deployments.connectors.on_disk import commands, swap
from deployments.models import Target
from foundation.errors import Invalid

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("kind", TABLE)
def test_every_field_has_words_and_an_example_that_is_read(kind):
    fields = connector_class(kind).FIELDS
    config = {field.name: field.example for field in fields}

    assert all(field.help.endswith(".") for field in fields)
    assert connector_class(kind).configured(config, {}, allowed=None)


@pytest.mark.parametrize("kind", TABLE)
def test_what_is_required_is_asked_for_and_nothing_else(kind):
    fields = connector_class(kind).FIELDS
    required = {field.name: field.example for field in fields if field.required}

    assert connector_class(kind).configured(required, {}, allowed=None)
    with pytest.raises(Invalid) as caught:
        connector_class(kind).configured({}, {}, allowed=None)
    assert {error["field"] for error in caught.value.errors} == {
        f"config.{name}" for name in required
    }


def test_a_default_holds_where_nothing_is_said(site):
    connector = connector_class("file").configured(
        {"certificate_path": "/srv/cert.pem"}, {}, allowed=None
    )

    assert connector.settings.fullchain is True
    assert connector.settings.mode is None


@pytest.mark.parametrize(("key_path", "takes"), [("/srv/key.pem", True), ("", False)])
def test_a_connector_says_whether_its_target_keeps_the_key(key_path, takes):
    config = {"certificate_path": "/srv/cert.pem", "key_path": key_path}

    assert connector_class("file").configured(config, {}, allowed=None).takes_key is takes


def test_what_nobody_allows_is_not_done_even_where_it_was_not_asked(site, certify):
    config = {"certificate_path": str(site / "cert.pem")}
    connector = connector_class("file").configured(config, {}, allowed=None)

    with pytest.raises(Exception, match="CERTCTL_TARGET_ROOTS"):
        connector.deploy(certify().material(), before_swap=lambda: None)


@pytest.mark.parametrize(("kind", "programs"), [("file", 3), ("nginx", 4)])
def test_a_deployment_may_take_what_its_time_limits_add_up_to(kind, programs):
    longest = services.longest(Target(kind=kind))

    assert longest == timedelta(seconds=swap.LOCK_WAIT + programs * commands.TIMEOUT)
    # Five handshakes and the pauses between them.
    assert timedelta(seconds=51.6) == services.LONGEST_VALIDATION


def test_the_table_in_the_documentation_names_every_field():
    text = (DOCS / "deployment.md").read_text()
    header, _, *rows = re.search(r"^\| key \|.*?\n\n", text, re.MULTILINE | re.DOTALL)[0].split(
        "\n"
    )
    _, *kinds, _ = _cells(header)
    assert set(kinds) == set(TABLE)
    for place, kind in enumerate(kinds, start=1):
        documented = {cells[0].strip("`") for cells in map(_cells, rows) if cells and cells[place]}
        assert documented == {field.name for field in connector_class(kind).FIELDS}


def _cells(row):
    return [cell.strip() for cell in row.strip("|").split("|")] if row else []


def test_the_schema_of_the_api_is_made_from_them(tmp_path):
    call_command("spectacular", file=str(tmp_path / "schema.yaml"))

    text = (tmp_path / "schema.yaml").read_text()
    assert all(field.name in text for field in connector_class("nginx").FIELDS)
    assert schema_of(connector_class("file").FIELDS)["required"] == ["certificate_path"]
