"""Nothing is written over that nobody could bring back, and who shares a file is told."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from audit.models import Event
from deployments import policy, services
from deployments.models import Agent, Target
from foundation.errors import ConnectorError

pytestmark = pytest.mark.django_db


def failure(call, *args, **kwargs):
    with pytest.raises(ConnectorError) as caught:
        call(*args, **kwargs)
    assert caught.value.permanent
    return caught.value.detail


def pkcs12_of(made):
    return pkcs12.serialize_key_and_certificates(
        b"web", made.key, made.certificate, None, serialization.NoEncryption()
    )


CONTENTS = {
    "key after certificate": lambda made: made.served_pem.encode() + made.key_pem,
    "key before certificate": lambda made: made.key_pem + made.served_pem.encode(),
    "key alone": lambda made: made.key_pem,
    "parameters": lambda made: (
        made.served_pem.encode()
        + b"-----BEGIN DH PARAMETERS-----\nMAYCAQUCAQI=\n-----END DH PARAMETERS-----\n"
    ),
    "PKCS#12": pkcs12_of,
    "something else": lambda made: b'{"certificates": []}',
}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
@pytest.mark.parametrize("field", ["certificate_path", "chain_path"])
def test_a_file_that_holds_more_than_certificates_is_not_written_over(
    site, certify, deploy_files, field, content
):
    path, before = site / "combined.pem", content(certify())
    path.write_bytes(before)

    detail = failure(deploy_files, certify().material(), **{field: str(path)})

    assert str(path) in detail
    assert field in detail
    assert path.read_bytes() == before


def test_it_is_said_what_is_there_and_what_to_configure(site, certify, deploy_files):
    made = certify()
    (site / "cert.pem").write_bytes(made.served_pem.encode() + made.key_pem)

    detail = failure(deploy_files, made.material())

    assert "PRIVATE KEY" in detail
    assert "key_path" in detail


@pytest.mark.parametrize("content", [b"", b"\n"])
def test_a_file_that_holds_nothing_is_written_over(site, certify, deploy_files, content):
    (site / "cert.pem").write_bytes(content)

    assert deploy_files(certify().material()).changed


@pytest.mark.parametrize(
    "content",
    [
        lambda made: made.served_pem.encode() + made.key_pem,
        lambda made: made.key_pem + made.key_pem,
        lambda made: made.served_pem.encode(),
        lambda made: made.leaf_pem.encode(),
        lambda _: b"a keystore of some kind",
    ],
)
def test_a_key_is_not_written_over_what_is_more_than_one_key(site, certify, deploy_files, content):
    made, path = certify(), site / "key.pem"
    path.write_bytes(content(made))

    detail = failure(deploy_files, certify().material(with_key=True), key_path=str(path))

    assert "key_path" in detail
    assert path.read_bytes() == content(made)


def test_a_key_file_as_openssl_writes_it_is_written_over(site, certify, deploy_files):
    parameters = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    (site / "key.pem").write_bytes(parameters + certify().key_pem)

    assert deploy_files(certify().material(with_key=True), key_path=str(site / "key.pem")).changed


def test_a_combined_file_may_be_where_the_key_is_only_read(site, certify, deploy_files):
    made = certify()
    (site / "both.pem").write_bytes(made.key_pem + made.served_pem.encode())

    assert deploy_files(made.material(), key_path=str(site / "both.pem")).changed


def test_a_test_of_the_target_says_so_too(target, carol, site, certify):
    made = certify()
    (site / "cert.pem").write_bytes(made.served_pem.encode() + made.key_pem)

    checks = {c.name: c for c in services.check_target(actor=carol, target=target)}

    assert not checks["certificate_path"].ok
    assert "PRIVATE KEY" in checks["certificate_path"].detail


# --- Two targets ----------------------------------------------------------------------------


@pytest.fixture
def create(carol):
    def make(name, agent=None, **config):
        return services.create_target(
            actor=carol, name=name, kind="file", agent=agent, config=config
        )

    return make


def test_whoever_makes_a_second_target_of_one_file_is_told(create, site, target):
    second = create("second", certificate_path=str(site / "cert.pem"))

    (warning,) = services.warnings_of(second)
    assert "web" in warning
    assert str(site / "cert.pem") in warning


def test_a_file_is_the_same_under_two_names(create, site, target):
    (site / "cert.pem").write_text("")
    (site / "link.pem").symlink_to(site / "cert.pem")

    assert services.warnings_of(create("second", certificate_path=str(site / "link.pem")))


def test_other_files_and_other_machines_are_nobodys_concern(create, site, target):
    elsewhere = Agent.objects.create(name="host-1")

    assert not services.warnings_of(create("second", certificate_path=str(site / "other.pem")))
    there = create("third", agent=elsewhere, certificate_path=str(site / "cert.pem"))
    assert not services.warnings_of(there)
    again = create("fourth", agent=elsewhere, certificate_path=str(site / "cert.pem"))
    assert services.warnings_of(again)


@pytest.mark.parametrize("field", ["certificate_path", "chain_path"])
def test_no_certificate_goes_where_another_target_keeps_its_key(create, site, field):
    create("first", certificate_path=str(site / "a.pem"), key_path=str(site / "key.pem"))
    config = {"certificate_path": str(site / "b.pem"), field: str(site / "key.pem")}

    with pytest.raises(policy.InvalidTarget) as caught:
        create("second", **config)

    (error,) = caught.value.errors
    assert (error["field"], error["code"]) == (f"config.{field}", "path_in_use")
    assert not Target.objects.filter(name="second").exists()


def test_a_change_is_held_to_the_same_but_no_change_of_something_else(create, carol, site):
    create("first", certificate_path=str(site / "a.pem"))
    second = create("second", certificate_path=str(site / "b.pem"))
    both = {"certificate_path": str(site / "b.pem"), "key_path": str(site / "a.pem")}

    with pytest.raises(policy.InvalidTarget):
        services.update_target(actor=carol, target_id=second.pk, changes={"config": both})
    Target.objects.filter(pk=second.pk).update(config=both)  # as before there was this rule

    services.update_target(actor=carol, target_id=second.pk, changes={"enabled": False})

    assert not Target.objects.get(pk=second.pk).enabled


def test_rest_tells_whoever_makes_or_reads_one(client_of, carol, site, target):
    body = {"name": "b", "kind": "file", "config": target.config}
    client = client_of(carol)

    made = client.post("/api/v1/targets/", body).json()
    read = client.get(f"/api/v1/targets/{made['id']}/").json()
    row = client.get("/api/v1/targets/").json()["results"][0]

    assert "web" in made["warnings"][0]
    assert read["warnings"] == made["warnings"]
    assert "warnings" not in row
    assert Event.objects.filter(action="target.create").count() == 1
