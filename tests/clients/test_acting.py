"""Acts on certificates and jobs, plans, imports and exports, keys and targets, from a terminal."""

import json
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs7

from audit.models import Event
from certctl_cli import __version__
from certificates import tasks
from certificates.models import Certificate, Revocation
from deployments.models import Target
from jobs import runner, services
from jobs.models import Job
from owners.models import ApiKey
from revocation.models import Plan
from tests.fixtures import make_csr

pytestmark = pytest.mark.django_db(transaction=True)
NAME = "web.demo.internal"


@pytest.fixture
def issued(settings, live_server, alice, owner, local_ca, free_profile):
    """A certificate that names the live server's CRL and responder."""
    settings.PKI_BASE_URL = live_server.url
    services.request_issuance(
        actor=alice, owner=owner, issuer=local_ca, profile=free_profile,
        csr_pem=make_csr(NAME),
    )  # fmt: skip
    assert runner.run_pending() == 1
    tasks.refresh_crls()
    return Certificate.objects.get()


def test_a_renewal_is_asked_for_and_waited_for(issued, worker, shell_of, alice):
    Path("new.csr").write_text(make_csr(NAME))

    result = shell_of(alice)("renew", NAME, "--csr", "new.csr", "--wait", "-o", "json")

    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["status"] == "Completed"
    assert issued.versions.count() == 2


def test_what_is_asked_for_can_be_cancelled_by_the_certificates_name(
    shell_of, alice, owner, local_ca, profile
):
    job = services.request_issuance(
        actor=alice, owner=owner, issuer=local_ca, profile=profile, csr_pem=make_csr(NAME)
    ).job

    assert shell_of(alice)("cancel", NAME, "--reason", "typo").exit_code == 0

    job.refresh_from_db()
    assert job.status == "Cancelled"
    assert shell_of(alice)("cancel", NAME).exit_code == 4


def test_revoking_asks_for_the_name_and_says_what_it_does(issued, shell_of, carol, monkeypatch):
    monkeypatch.setattr("certctl_cli.output.somebody_is_there", lambda: True)
    shell = shell_of(carol)

    wrong = shell("revoke", NAME, "--reason", "superseded", input="web\n")
    assert wrong.exit_code == 1
    assert not Revocation.objects.exists()
    right = shell("revoke", NAME, "--reason", "superseded", "--note", "moved", input=f"{NAME}\n")

    assert right.exit_code == 0, right.output
    assert "cannot be taken back" in right.stderr
    revocation = Revocation.objects.get()
    assert (revocation.reason, revocation.note) == ("superseded", "moved")


def test_without_a_terminal_revoking_wants_a_word_for_it(issued, shell_of, carol):
    shell = shell_of(carol)

    assert shell("revoke", NAME).exit_code == 2
    assert not Revocation.objects.exists()
    assert shell("revoke", NAME, "--yes", "--reason", "certificateHold").exit_code == 0
    assert shell("revoke", NAME, "--yes", "--reason", "certificateHold").exit_code == 5
    assert shell("release", NAME, "--note", "found").exit_code == 0
    assert not Revocation.objects.exists()


def test_a_plan_is_made_shown_and_confirmed(issued, shell_of, carol):
    shell = shell_of(carol)

    made = shell("plan", "make", "--issuer", "issuing", "--reason", "superseded", "-o", "json")
    assert made.exit_code == 0, made.output
    plan = json.loads(made.stdout)
    assert (plan["count"], plan["status"]) == (1, "Previewed")
    assert shell("plan", "show", plan["id"]).exit_code == 0
    assert shell("plan", "confirm", plan["id"], "--digest", "0" * 64).exit_code == 5
    assert shell("plan", "confirm", plan["id"]).exit_code == 2  # no terminal
    confirmed = shell("plan", "confirm", plan["id"], "--digest", plan["digest"])

    assert confirmed.exit_code == 0, confirmed.output
    assert Plan.objects.get().status != "Previewed"
    watched = shell("plan", "watch", plan["id"], "--timeout", "0")
    assert watched.exit_code in {0, 6}
    assert shell("plan", "report", plan["id"]).exit_code == 0
    assert shell("plan", "stop", plan["id"], "--note", "enough").exit_code in {0, 5}


def test_whoever_may_not_plan_is_refused(issued, shell_of, alice):
    assert shell_of(alice)("plan", "make", "--issuer", "issuing").exit_code == 3


@pytest.mark.parametrize("form", ["pem", "der", "pkcs7"])
def test_files_and_folders_are_imported_and_what_is_known_is_left(
    form, shell_of, alice, owner, local_ca, free_profile, root_ca
):
    leaf = x509.load_pem_x509_certificate(local_ca.certificate_pem.encode())
    above = x509.load_pem_x509_certificate(root_ca.certificate_pem.encode())
    content = {
        "pem": (local_ca.certificate_pem + root_ca.certificate_pem).encode(),
        "der": leaf.public_bytes(serialization.Encoding.DER),
        "pkcs7": pkcs7.serialize_certificates([above, leaf], serialization.Encoding.DER),
    }[form]
    folder = Path("certs")
    folder.mkdir()
    (folder / "one.p7b").write_bytes(content)
    (folder / "not.pem").write_text("nothing")
    about = ("--owner", owner.name, "--issuer", local_ca.slug, "--profile", free_profile.slug)

    tried = shell_of(alice)("import", "certs", *about, "--dry-run", "-o", "json")

    assert tried.exit_code == 0, tried.output
    assert [one["outcome"] for one in json.loads(tried.stdout)] == ["would be sent"]
    assert "Left: certs/not.pem" in tried.stderr


def test_a_certificate_is_imported_once(issued, shell_of, alice, owner, local_ca, free_profile):
    shell = shell_of(alice)
    assert shell("export", NAME, "--file", "web.pem").exit_code == 0
    about = ("--owner", owner.name, "--issuer", local_ca.slug, "--profile", free_profile.slug)

    again = shell("import", "web.pem", *about, "-o", "json")

    assert again.exit_code == 0, again.output
    assert [one["outcome"] for one in json.loads(again.stdout)] == ["known"]
    assert Certificate.objects.count() == 1


def test_a_private_key_is_neither_read_nor_sent(
    issued, shell_of, alice, owner, local_ca, free_profile
):
    Path("both.pem").write_text("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n")

    result = shell_of(alice)(
        "import", "both.pem", "--owner", owner.name, "--issuer", local_ca.slug,
        "--profile", free_profile.slug,
    )  # fmt: skip

    assert result.exit_code == 2
    assert "never sent" in result.stderr
    assert not Event.objects.filter(action__startswith="certificate.import").exists()


def test_an_export_is_read_by_openssl_and_overwrites_nothing(issued, shell_of, alice):
    shell = shell_of(alice)

    assert shell("export", NAME, "--as", "der", "--file", "web.der").exit_code == 0
    subprocess.run(["openssl", "x509", "-inform", "DER", "-in", "web.der", "-noout"], check=True)
    assert shell("export", NAME, "--file", "web.der").exit_code == 5
    asked = shell(
        "export", NAME, "--as", "pkcs12", "--password", "--file", "web.p12",
        input="correct horse\ncorrect horse\n",
    )  # fmt: skip
    assert asked.exit_code == 0, asked.output
    subprocess.run(
        ["openssl", "pkcs12", "-in", "web.p12", "-nokeys", "-passin", "pass:correct horse"],
        check=True, capture_output=True,
    )  # fmt: skip


def test_a_good_certificate_is_found_good_and_a_revoked_one_is_not(issued, shell_of, carol, system):
    shell = shell_of(carol)

    good = shell("ca", "check", NAME, "-o", "json")
    assert good.exit_code == 0, good.output
    assert {one["name"]: one["ok"] for one in json.loads(good.stdout)} == {
        "dates": True, "chain": True, "CRL": True, "OCSP": True,
    }  # fmt: skip
    assert shell("revoke", NAME, "--yes", "--reason", "superseded").exit_code == 0
    bad = shell("ca", "check", NAME, "-o", "json")

    assert bad.exit_code == 1
    told = {one["name"]: one for one in json.loads(bad.stdout)}
    assert told["OCSP"]["ok"] is False
    assert "revoked" in told["OCSP"]["detail"]


def test_a_certificate_under_no_trusted_root_is_not_good(issued, shell_of, alice, root_ca):
    Path("other.pem").write_text(issued.current.pem)

    result = shell_of(alice)("ca", "check", NAME, "--root-file", "other.pem", "-o", "json")

    told = {one["name"]: one["ok"] for one in json.loads(result.stdout)}
    assert told["chain"] is True  # what is named as trusted is trusted itself
    Path("root.pem").write_text(root_ca.certificate_pem)
    assert shell_of(alice)("ca", "check", NAME, "--root-file", "root.pem").exit_code == 0


def test_the_trail_is_exported_and_verified_and_a_change_shows(issued, shell_of, carol):
    shell = shell_of(carol)
    exported = shell("audit", "export")
    assert exported.exit_code == 0, exported.output
    Path("trail.jsonl").write_text(exported.stdout)

    good = shell("audit", "verify", "trail.jsonl")
    assert good.exit_code == 0, good.output
    assert "the chain holds" in good.stderr
    lines = exported.stdout.splitlines()
    for broken in (
        [*lines[:2], *lines[3:]],
        [lines[0].replace('"system"', '"nobody"', 1), *lines[1:]],
        [lines[1], lines[0], *lines[2:]],
    ):
        Path("broken.jsonl").write_text("\n".join(broken))
        assert shell("audit", "verify", "broken.jsonl", "--offline").exit_code == 1


def test_a_trail_that_was_forged_whole_shows_by_the_servers(issued, shell_of, carol):
    from certctl_cli import chain  # noqa: PLC0415

    shell = shell_of(carol)
    events = [json.loads(line) for line in shell("audit", "export").stdout.splitlines()]
    previous = chain.GENESIS
    for event in events:
        event |= {"actor_name": "mallory", "previous_hash": previous}
        previous = event["hash"] = chain.digest(event)
    Path("forged.jsonl").write_text("\n".join(json.dumps(event) for event in events))

    assert shell("audit", "verify", "forged.jsonl", "--offline").exit_code == 0
    result = shell("audit", "verify", "forged.jsonl")

    assert result.exit_code == 1
    assert "another hash" in result.stderr


def test_the_event_says_which_program_of_ours_asked(issued, shell_of, carol):
    shell = shell_of(carol)
    assert shell("revoke", NAME, "--yes", "--reason", "superseded").exit_code == 0

    (event,) = Event.objects.filter(action="certificate.revoke")
    assert (event.door, event.data["client"]) == ("rest", f"certctl-cli/{__version__}")


def test_what_another_program_calls_itself_stands_in_no_event(issued, client_of, carol):
    for name in ("curl/8", "certctl-cli/<b>", "certctl-cli/1." + "9" * 40, "x certctl-cli/1.0"):
        client = client_of(carol)
        client.post(
            f"/api/v1/certificates/{issued.pk}/revoke/", {"reason": "no"}, HTTP_USER_AGENT=name
        )

    events = Event.objects.filter(action="certificate.revoke.refuse")
    assert events.count() == 4
    assert not [event for event in events if "client" in event.data]


def test_the_trails_filters_are_those_of_the_api(issued, shell_of, carol):
    shown = shell_of(carol)("audit", "list", "--action", "certificate.register", "-o", "json")

    assert {one["action"] for one in json.loads(shown.stdout)} == {"certificate.register"}


def test_a_key_is_made_into_a_file_of_its_own_and_disabled(carol, alice, shell_of):
    shell = shell_of(carol)

    made = shell(
        "keys", "create", "ci", "--principal", "alice", "--role", "viewer", "--file", "ci.key"
    )

    assert made.exit_code == 0, made.output
    key = Path("ci.key").read_text().strip()
    assert stat.S_IMODE(Path("ci.key").stat().st_mode) == 0o600
    assert key not in made.output
    assert shell("list", "jobs", CERTCTL_API_KEY=key).exit_code == 0
    assert shell("keys", "disable", "ci").exit_code == 0
    assert ApiKey.objects.get(name="ci").disabled_at
    refused = shell("list", "jobs", CERTCTL_API_KEY=key)
    assert refused.exit_code == 3
    assert "certctl login" in refused.stderr


def test_a_target_is_made_tested_and_removed(carol, shell_of, settings, tmp_path):
    settings.TARGET_ROOTS = [str(tmp_path)]
    Path("config.json").write_text(json.dumps({"certificate_path": f"{tmp_path}/web.pem"}))
    shell = shell_of(carol)

    made = shell("target", "make", "web-1", "--kind", "file", "--config", "config.json")
    assert made.exit_code == 0, made.output
    assert shell("target", "test", "web-1").exit_code in {0, 1}
    assert shell("target", "show", "web-1").exit_code == 0
    assert shell("target", "remove", "web-1", input="web-2\n").exit_code == 1
    assert shell("target", "remove", "web-1", input="web-1\n").exit_code == 0
    assert not Target.objects.exists()


def test_what_is_asked_of_a_job_that_is_not_failed_is_told(issued, shell_of, alice):
    assert shell_of(alice)("retry", NAME).exit_code == 4
    assert shell_of(alice)("wait", str(Job.objects.get().pk)).exit_code == 0
