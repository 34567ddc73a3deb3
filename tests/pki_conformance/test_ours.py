"""Our own installation passes, asked over real http; and what the command itself says.

Carol revokes; whoever runs the command is nobody in particular.
"""

import json
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from django.core.management import CommandError, call_command

import jobs.services
from certificates import crl, services
from issuers.services import update_issuer
from issuers.x509 import certs
from jobs import runner
from tests.certificates.conftest import issue  # noqa: F401 - a fixture
from tests.pki_conformance.broken import Responder, serving
from tests.servers import free_port

ROOT = Path(__file__).resolve().parents[2]
# What is an option with us, or is not there in these installations.
MAY_BE_LEFT_OUT = {
    "crl.number-grows",
    "crl.idp",
    "crl.freshest",
    "crl.entries.hold",
    *(
        f"delta.{name}"
        for name in ("served", "indicator", "base", "issuer", "scope", "freshest", "in-force")
    ),
    "crl.entries.invalidity",
    "ocsp.signer.issued",
    "ocsp.signer.purpose",
    "ocsp.signer.no-check",
    "ocsp.signer.valid",
    "ocsp.reason",
    "ocsp.nonce.echo",
    "ocsp.nonce.cache",
}


def run(*arguments):
    """Run the command; return its exit code and what it printed."""
    out = StringIO()
    try:
        call_command("pki_conformance", *arguments, stdout=out)
    except SystemExit as ends:
        return ends.code, out.getvalue()
    return 0, out.getvalue()


def verdicts(text):
    return {one["rule"]: (one["verdict"], one["why"]) for one in json.loads(text)["rules"]}


@pytest.fixture
def file(tmp_path):
    """Write a certificate into a file, PEM or DER; return its path."""

    def write(name, certificate, encoding=Encoding.PEM):
        (tmp_path / name).write_bytes(certificate.public_bytes(encoding))
        return str(tmp_path / name)

    return write


@pytest.fixture
def prefix(live_server, settings, request):
    settings.PKI_PREFIX = f"{live_server.url}{getattr(request, 'param', '/.well-known/pki')}"
    return settings.PKI_PREFIX


@pytest.fixture
def ours(prefix, local_ca, request, carol, system, file):
    """Arguments that name an installation of ours, with certificates of every fate."""
    make = request.getfixturevalue("issue")
    good, *bad = (make(f"{name}.demo.internal") for name in ("a", "b", "c", "d"))
    for version, reason in zip(
        bad, ("keyCompromise", "unspecified", "certificateHold"), strict=True
    ):
        services.revoke(version_id=version.pk, reason=reason, actor=carol)
    crl.publish(issuer_id=local_ca.pk, actor=system)
    return [
        prefix,
        "--issuer=issuing",
        f"--good={file('good.pem', certs.load(good.pem))}",
        *(
            f"--revoked={file(f'{version.pk}.der', certs.load(version.pem), Encoding.DER)}"
            for version in bad
        ),
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.takes(10)
@pytest.mark.parametrize("prefix", ["/.well-known/pki", "/trust"], indirect=True)
def test_our_own_installation_passes_every_rule_that_applies(ours, local_ca, file):
    code, text = run(*ours, f"--ca={file('ca.pem', local_ca.certificate)}", "--json")

    came = verdicts(text)
    assert {name: why for name, (verdict, why) in came.items() if verdict == "fail"} == {}
    assert code == 0
    left_out = {name for name, (verdict, _) in came.items() if verdict == "not applicable"}
    assert left_out <= MAY_BE_LEFT_OUT


@pytest.mark.django_db(transaction=True)
@pytest.mark.takes(15)
@pytest.mark.parametrize("prefix", ["/.well-known/pki", "/trust/pki"], indirect=True)
@pytest.mark.parametrize("option", ["crl_shards", "crl_deltas", "ocsp_delegated"])
def test_our_options_pass_every_rule_too(prefix, option, local_ca, carol, system, request, file):
    changes = {option: 3 if option == "crl_shards" else True}
    update_issuer(actor=carol, issuer_id=local_ca.pk, changes=changes)
    local_ca.refresh_from_db()
    crl.publish(issuer_id=local_ca.pk, actor=system)
    if option == "ocsp_delegated":
        assert jobs.services.tend_responders(actor=system) == 1
        runner.run_pending()
    ours = request.getfixturevalue("ours")

    code, text = run(*ours, f"--ca={file('ca.pem', local_ca.certificate)}", "--json")

    came = verdicts(text)
    assert {name: why for name, (verdict, why) in came.items() if verdict == "fail"} == {}
    assert code == 0
    looked = {"crl_deltas": "delta.base", "ocsp_delegated": "ocsp.signer.no-check"}
    if option in looked:
        assert came[looked[option]][0] == "pass"


@pytest.mark.django_db(transaction=True)
@pytest.mark.takes(10)
@pytest.mark.parametrize("prefix", ["/.well-known/pki", "/trust/pki"], indirect=True)
def test_a_shard_of_ours_passes_where_certificates_name_it(
    prefix, local_ca, carol, system, request, file
):
    update_issuer(actor=carol, issuer_id=local_ca.pk, changes={"crl_shards": 2})
    local_ca.refresh_from_db()
    version = request.getfixturevalue("issue")()
    assert version.shard in {0, 1}
    services.revoke(version_id=version.pk, reason="superseded", actor=carol)
    crl.publish(issuer_id=local_ca.pk, actor=system)

    code, text = run(
        prefix,
        "--issuer=issuing",
        f"--crl-url={prefix}/crl/issuing/{version.shard}",
        f"--revoked={file('revoked.pem', certs.load(version.pem))}",
        "--json",
    )

    came = verdicts(text)
    assert {name: why for name, (verdict, why) in came.items() if verdict == "fail"} == {}
    assert (code, came["crl.idp"][0]) == (0, "pass")


@pytest.mark.django_db(transaction=True)
@pytest.mark.takes(5)
def test_a_later_crl_of_ours_has_a_greater_number(ours, local_ca, system, tmp_path):
    earlier = tmp_path / "earlier.crl"
    earlier.write_bytes(bytes(crl.current("issuing").der))
    crl.publish(issuer_id=local_ca.pk, actor=system)

    _, text = run(*ours, f"--previous-crl={earlier}", "--json")

    assert verdicts(text)["crl.number-grows"] == ("pass", "")


@pytest.mark.django_db(transaction=True)
@pytest.mark.takes(5)
def test_a_hold_of_ours_fails_where_the_baseline_requirements_are_held_against(ours):
    code, text = run(*ours, "--public")

    assert code == 1
    assert "FAIL  crl.entries.hold" in text


@pytest.mark.django_db(transaction=True)
@pytest.mark.takes(5)
def test_a_fresh_ca_of_ours_passes_what_can_be_asked(prefix, local_ca, system):
    crl.publish(issuer_id=local_ca.pk, actor=system)

    code, text = run(prefix, "--issuer=issuing")

    assert code == 0
    assert "n/a   ocsp.answers" in text


# --- Another installation, and the program itself ----------------------------------------------


@pytest.fixture
def theirs(file):
    responder = Responder()
    with serving(responder) as prefix:
        yield (
            responder,
            [
                f"--ca-url={prefix}/ca/x",
                f"--crl-url={prefix}/crl/x",
                f"--ocsp-url={prefix}/ocsp/x",
                f"--good={file('theirs.pem', responder.good)}",
            ],
        )


def test_another_installation_is_named_by_its_addresses(theirs):
    _, addresses = theirs

    code, text = run(*addresses)

    assert code == 0
    assert "FAIL" not in text
    assert "0 fail" in text.splitlines()[-1]
    assert "RFC 5280 §5.1.2.3" in text


def test_a_broken_one_is_told_of_and_exits_1(theirs):
    responder, addresses = theirs
    responder.hooks["crl"] = lambda fields: fields["extensions"].pop("2.5.29.20")

    code, text = run(*addresses)
    as_json = verdicts(run(*addresses, "--json")[1])

    assert code == 1
    assert [line for line in text.splitlines() if line.startswith("FAIL")] == [
        line for line in text.splitlines() if "crl.number " in line
    ]
    assert as_json["crl.number"] == ("fail", "it is missing")


def test_it_runs_without_django_and_without_any_setting(theirs):
    _, addresses = theirs

    done = subprocess.run(
        [sys.executable, "-m", "pki_wellknown.conformance", *addresses],
        cwd=ROOT,
        env={"PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "pass  ca.status" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Give the CA certificate"),
        (["http://127.0.0.1:9/pki"], "go together"),
        (["--ca-url=http://127.0.0.1:9/ca"], "--crl-url"),
        (["--ca-url=http://127.0.0.1:9/ca", "--crl-url=ftp://x/crl"], "no http URL"),
    ],
)
def test_what_cannot_be_run_exits_2(arguments, words):
    with pytest.raises(CommandError, match=words) as refused:
        run(*arguments)

    assert refused.value.returncode == 2


def test_nobody_there_exits_2():
    with pytest.raises(CommandError) as refused:
        run(f"http://127.0.0.1:{free_port()}/pki", "--issuer=x")

    assert refused.value.returncode == 2


def test_an_endless_answer_is_not_read_to_its_end(theirs):
    from pki_wellknown.conformance.fetching import CannotAsk, Http  # noqa: PLC0415

    _, (_, address, *_) = theirs

    with pytest.raises(CannotAsk, match="more than 100 bytes"):
        Http(max_body=100).ask("GET", address.partition("=")[2])
