"""`request`: the key stays here, the chain is written, and waiting ends as the job does."""

import json
import stat
import subprocess
from pathlib import Path

import pytest

from certificates.models import Certificate
from jobs.models import Job
from owners import services as owner_services
from tests.fixtures import make_csr
from tests.processes import until

pytestmark = pytest.mark.django_db(transaction=True)
NAME = "web.demo.internal"


@pytest.fixture
def asked(shell_of, alice, owner, local_ca):
    """Ask as alice, with what is usual here."""
    shell = shell_of(alice)

    def ask(*words, profile="tls-free", **options):
        where = ("--profile", profile, "--owner", owner.name, "--issuer", local_ca.slug)
        return shell("request", *words, *where, **options)

    return ask


@pytest.fixture
def waiting(shell_of, alice, owner, local_ca, profile):
    """Ask as alice for what wants approval, and wait in a process of its own."""
    ending = shell_of(alice).apart(
        "request", NAME, "--profile", "tls-server", "--owner", owner.name,
        "--issuer", local_ca.slug, "--wait",
    )  # fmt: skip
    assert until(Job.objects.filter(status="AwaitingApproval").exists)
    return ending


def public_key(*words):
    return subprocess.run(["openssl", *words], capture_output=True, check=True).stdout


def test_a_certificate_is_requested_waited_for_and_verified_by_openssl(
    asked, free_profile, worker, shell_of, alice
):
    result = asked(NAME, "www.demo.internal", "--wait")

    assert result.exit_code == 0, result.output
    key, pem, chain = (Path(f"{NAME}{end}") for end in (".key", ".pem", ".chain.pem"))
    assert result.stdout.split() == [str(key), str(pem), str(chain)]
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert shell_of(alice)("ca", "fetch", "issuing", "--root", "--file", "root.pem").exit_code == 0
    told = subprocess.run(
        ["openssl", "verify", "-CAfile", "root.pem", "-untrusted", chain, pem],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    of_key = public_key("pkey", "-in", key, "-pubout")
    assert of_key == public_key("x509", "-in", pem, "-pubkey", "-noout")


def test_the_key_is_never_sent(asked, free_profile, home):
    assert asked(NAME).exit_code == 0

    key = Path(f"{NAME}.key").read_text()
    csr = Job.objects.get().csr_pem
    assert "PRIVATE KEY" not in csr
    assert key.splitlines()[1] not in csr


def test_a_file_that_is_there_is_not_overwritten_and_nothing_is_asked(asked, free_profile):
    Path(f"{NAME}.key").write_text("mine")

    result = asked(NAME)

    assert result.exit_code == 5
    assert Path(f"{NAME}.key").read_text() == "mine"
    assert not Certificate.objects.exists()


def test_a_csr_of_ones_own_is_taken(asked, free_profile):
    Path("my.csr").write_text(make_csr(NAME))

    result = asked("--csr", "my.csr", "-o", "json")

    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["status"] == "Pending"
    assert not list(Path().glob("*.key"))


def test_what_the_profile_forbids_is_told_in_its_words(asked, free_profile):
    result = asked("web.elsewhere.example")

    assert result.exit_code == 2
    assert "csr_rejected" in result.stderr
    assert not Certificate.objects.exists()
    assert not list(Path().iterdir())  # nor is its key kept, which nothing will ever be signed for


def test_waiting_for_a_decision_ends_with_its_own_status(asked, profile):
    result = asked(NAME, "--wait", "--timeout", "0.5", profile="tls-server")

    assert result.exit_code == 6
    assert "AwaitingApproval" in result.stderr
    assert f"certctl wait {Job.objects.get().pk}" in result.stderr


def test_an_approval_lets_it_go_on(waiting, worker, shell_of, bob):
    shell = shell_of(bob)
    digest = json.loads(shell("show", "job", str(Job.objects.get().pk), "-o", "json").stdout)[
        "digest"
    ]

    decided = shell("approve", NAME, "--digest", digest, "--reason", "known host")

    assert decided.exit_code == 0, decided.output
    result = waiting()
    assert result.returncode == 0, result.stderr
    assert Path(f"{NAME}.pem").exists()


def test_a_rejection_ends_it_with_its_reason(waiting, shell_of, bob):
    shell_of(bob)("reject", NAME, "--reason", "wrong owner", "--yes")

    result = waiting()
    assert result.returncode == 3
    assert "bob rejected it: wrong owner" in result.stderr


def test_whoever_is_disabled_while_waiting_is_told_so(waiting, alice, carol):
    owner_services.update_principal(
        actor=carol, principal_id=alice.pk, changes={"is_active": False}
    )

    result = waiting()
    assert result.returncode == 3
    assert "goes on without you" in result.stderr


def test_one_who_asked_may_not_approve(asked, profile, shell_of, alice):
    job = json.loads(asked(NAME, "-o", "json", profile="tls-server").stdout)

    result = shell_of(alice)("approve", job["id"], "--digest", job["digest"])

    assert result.exit_code == 3
    assert "self_approval" in result.stderr or "somebody else" in result.stderr
    assert Job.objects.get().status == "AwaitingApproval"


def test_a_stale_digest_is_a_conflict(asked, profile, shell_of, bob):
    job = json.loads(asked(NAME, "-o", "json", profile="tls-server").stdout)

    result = shell_of(bob)("approve", job["id"], "--digest", "0" * 64)

    assert result.exit_code == 5
    assert Job.objects.get().status == "AwaitingApproval"


def test_without_a_terminal_nothing_is_decided_by_itself(asked, profile, shell_of, bob):
    job = json.loads(asked(NAME, "-o", "json", profile="tls-server").stdout)

    for words in (("approve", job["id"]), ("reject", job["id"], "--reason", "no")):
        assert shell_of(bob)(*words).exit_code == 2
    assert Job.objects.get().status == "AwaitingApproval"


def test_a_person_sees_the_review_and_is_asked(asked, profile, shell_of, bob, monkeypatch):
    monkeypatch.setattr("certctl_cli.output.somebody_is_there", lambda: True)
    assert asked(NAME, "--justification", "new shop", profile="tls-server").exit_code == 0

    no = shell_of(bob)("approve", NAME, input="n\n")
    assert no.exit_code == 1
    assert Job.objects.get().status == "AwaitingApproval"
    yes = shell_of(bob)("approve", NAME, input="y\n")

    assert yes.exit_code == 0, yes.output
    for part in ("new shop", NAME, "alice", "digest"):
        assert part in yes.stderr
    assert Job.objects.get().status == "Pending"


def test_what_is_usual_need_not_be_said(
    shell_of, alice, owner, local_ca, free_profile, live_server
):
    shell = shell_of(alice)
    login = shell("login", live_server.url, CERTCTL_URL="")
    assert login.exit_code == 0, login.output
    for what, value in (("owner", owner.name), ("issuer", local_ca.slug)):
        assert shell("context", "set", what, value).exit_code == 0

    result = shell("request", NAME, CERTCTL_URL="")

    assert result.exit_code == 0, result.output
    assert "The profile is tls-free: there is no other." in result.stderr


def test_what_must_be_said_is_listed(shell_of, alice, owner, local_ca, free_profile, profile):
    result = shell_of(alice)("request", NAME, "--owner", owner.name)

    assert result.exit_code == 2
    assert "tls-free, tls-server" in result.stderr
    assert not list(Path().glob("*.key"))
