"""`list`, `get` and `show`: every list, every form, names where they are unambiguous."""

import csv
import io
import json

import pytest
import yaml

from certctl_cli.resources import RESOURCES
from jobs import runner, services
from owners.models import Owner
from tests.factories import CertificateFactory
from tools import client_table

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def issued(alice, owner, local_ca, free_profile, csr_for):
    job = services.request_issuance(
        actor=alice, owner=owner, issuer=local_ca, profile=free_profile,
        csr_pem=csr_for("web.demo.internal"),
    ).job  # fmt: skip
    assert runner.run_pending() == 1
    return job.certificate


def test_what_the_client_knows_of_the_api_is_the_apis_own_description():
    made = client_table.table(yaml.safe_load(client_table.SCHEMA.read_text()))

    assert json.loads(client_table.TABLE.read_text()) == made
    assert set(RESOURCES) == set(made)
    for resource in RESOURCES.values():
        fields = made[resource.plural]["fields"]
        used = {name.partition(".")[0] for name in (*resource.columns, *resource.names)}
        assert used <= set(fields), resource.plural
        asked = {*made[resource.plural]["filters"], "search" if resource.is_searched else "", ""}
        assert resource.asks in asked, resource.plural


@pytest.mark.parametrize("plural", sorted(RESOURCES))
def test_an_administrator_lists_everything(plural, carol, issued, shell_of):
    result = shell_of(carol)("list", plural, "-o", "json")

    assert result.exit_code == 0, result.output
    assert isinstance(json.loads(result.stdout), list)


def test_every_form_says_the_same(alice, issued, shell_of):
    shell = shell_of(alice)

    as_json = json.loads(shell("list", "certificates", "-o", "json").stdout)
    as_yaml = yaml.safe_load(shell("list", "certificates", "-o", "yaml").stdout)
    as_csv = list(csv.DictReader(io.StringIO(shell("list", "certificates", "-o", "csv").stdout)))
    as_names = shell("list", "certificates", "-o", "name").stdout
    as_table = shell("list", "certificates").stdout

    assert as_json == as_yaml
    assert [row["name"] for row in as_json] == [row["name"] for row in as_csv]
    assert as_names == "web.demo.internal\n"
    assert as_table.splitlines()[0].split()[:2] == ["NAME", "STATUS"]
    assert "web.demo.internal" in as_table
    assert "Active" in as_table
    assert max(len(line) for line in as_table.splitlines()) <= 200


def test_the_apis_filters_narrow_and_its_errors_are_told(alice, issued, shell_of):
    shell = shell_of(alice)

    assert "web.demo" in shell("list", "certificates", "--status", "Active").stdout
    none = shell("list", "certificates", "--status", "Expired", "--status", "Failed")
    wrong = shell("list", "certificates", "--expires-before", "tomorrow")
    unknown = shell("list", "certificates", "--status", "Activ")
    columns = shell("list", "certificates", "--columns", "nam")

    assert (none.exit_code, none.stdout) == (0, "")
    assert "no certificates like that" in none.stderr
    assert wrong.exit_code == 2
    assert "expires_before" in wrong.stderr
    assert unknown.exit_code == 2
    assert "did you mean name?" in columns.stderr


def test_all_pages_are_walked_and_most_ends_early(alice, owner, shell_of, monkeypatch):
    CertificateFactory.create_batch(5, owner=owner)
    monkeypatch.setattr("certctl_cli.api.PAGE", 2)
    shell = shell_of(alice)

    assert len(json.loads(shell("list", "certificates", "-o", "json").stdout)) == 5
    assert len(json.loads(shell("get", "certificates", "--most", "3", "-o", "json").stdout)) == 3


def test_a_thing_is_shown_by_name_or_id(alice, issued, shell_of):
    shell = shell_of(alice)

    by_name = shell("show", "certificate", "web.demo.internal", "-o", "json")
    by_id = shell("get", "certificates", str(issued.pk), "-o", "json")

    assert by_name.exit_code == by_id.exit_code == 0, by_name.output
    assert json.loads(by_name.stdout) == json.loads(by_id.stdout)


def test_a_name_that_is_not_there_is_told_with_the_nearest(alice, issued, shell_of):
    result = shell_of(alice)("show", "certificate", "wep.demo.internal")

    assert result.exit_code == 4
    assert "Did you mean web.demo.internal?" in result.stderr


def test_a_name_that_two_have_is_not_guessed(alice, owner, shell_of):
    first, second = CertificateFactory.create_batch(2, name="twice", owner=owner)

    result = shell_of(alice)("show", "certificate", "twice")

    assert result.exit_code == 2
    assert str(first.pk) in result.stderr
    assert str(second.pk) in result.stderr


def test_a_kind_that_is_not_known_is_told_with_the_nearest(alice, shell_of):
    assert "Did you mean certificate" in shell_of(alice)("show", "certifcate", "x").stderr


def test_what_may_not_be_read_is_refused(alice, shell_of):
    result = shell_of(alice)("list", "keys")

    assert result.exit_code == 3
    assert "missing_permission" in result.stderr


def test_names_with_escape_codes_are_shown_harmless(alice, shell_of):
    Owner.objects.create(name="red\x1b[31m\u202eevil")
    shell = shell_of(alice)

    for form in ("table", "json", "yaml", "csv", "name"):
        shown = shell("list", "owners", "-o", form).stdout
        assert "\x1b" not in shown, form
        assert "\u202e" not in shown, form
    assert r"red\x1b[31m\u202eevil" in shell("list", "owners").stdout


def test_a_formula_is_disarmed_in_csv(alice, shell_of):
    Owner.objects.create(name="=cmd()")

    assert "'=cmd()" in shell_of(alice)("list", "owners", "-o", "csv").stdout
