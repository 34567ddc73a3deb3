"""Targets are written with their audit; deployments record what was done and seen."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import ProtectedError
from django.utils import timezone

from audit.models import Event
from audit.services import Busy
from certificates.models import Revocation
from deployments import policy, services
from deployments.connectors import addresses, handshake
from deployments.connectors.file import FileConnector
from deployments.models import Agent, Deployment, Target
from deployments.services import Outcome, Seen, targets
from foundation.errors import CertctlError, ConnectorError, Invalid
from foundation.sealed import Context, Sealed
from issuers.server_keys import SERVER_KEY
from owners.services import NameTaken
from tests.factories import CertificateFactory, PrincipalFactory
from tests.races import aside, beside, meanwhile, together, until_blocked

pytestmark = pytest.mark.django_db


@pytest.fixture
def config(site):
    return {"certificate_path": str(site / "cert.pem")}


@pytest.fixture
def create(carol, config):
    def make(**fields):
        fields = {"name": "web", "kind": "file", "config": config, **fields}
        return services.create_target(actor=carol, **fields)

    return make


def permanent(call, *args, **kwargs):
    with pytest.raises(ConnectorError) as caught:
        call(*args, **kwargs)
    assert caught.value.permanent
    return caught.value


# --- Targets --------------------------------------------------------------------------------


def test_a_target_is_made(create, carol, config):
    target = create(endpoint_host="web.demo.internal", endpoint_port=443)

    event = Event.objects.get(action="target.create")
    assert target.has_endpoint
    assert (event.actor, event.subject_id) == (carol, str(target.pk))
    assert event.data["changes"]["config"] == {"before": None, "after": config}
    assert event.data["changes"]["endpoint_port"] == {"before": None, "after": 443}


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"name": " "}, "name", "required"),
        ({"kind": "pigeon"}, "kind", "unknown_kind"),
        ({"config": {}}, "config.certificate_path", "required"),
        ({"config": {"certificate_path": "/etc/cert.pem"}}, "config.certificate_path", None),
        ({"config": ["x"]}, "config", "invalid"),
        ({"endpoint_host": "web.demo.internal"}, "endpoint_port", "required"),
        ({"endpoint_port": 443}, "endpoint_host", "required"),
        ({"endpoint_host": "10.0.0.1", "endpoint_port": 70000}, "endpoint_port", "invalid"),
        ({"endpoint_host": "127.0.0.1", "endpoint_port": 1}, "endpoint_host", None),
        ({"endpoint_host": "169.254.169.254", "endpoint_port": 1}, "endpoint_host", None),
        ({"endpoint_host": "127.1", "endpoint_port": 1}, "endpoint_host", "invalid"),
        ({"endpoint_host": "0x7f000001", "endpoint_port": 1}, "endpoint_host", "invalid"),
        ({"endpoint_host": "http://web", "endpoint_port": 1}, "endpoint_host", "invalid"),
        ({"endpoint_host": "a..b", "endpoint_port": 1}, "endpoint_host", "invalid"),
        ({"server_name": "10.0.0.1"}, "server_name", "invalid"),
        ({"server_name": "-"}, "server_name", "invalid"),
        ({"secrets": {"password": "x"}}, "secrets.password", "unknown_key"),
    ],
)
def test_a_mistake_in_a_target_is_named_at_its_field(create, fields, field, code):
    with pytest.raises(policy.InvalidTarget) as caught:
        create(**fields)

    found = {error["field"]: error["code"] for error in caught.value.errors}
    assert field in found
    assert code in {None, found[field]}
    assert not Target.objects.exists()


@pytest.mark.parametrize("host", ["x", "db1", "cafe1.example", "web.demo.internal", "2001:db8::1"])
def test_these_are_hosts(create, host):
    assert create(endpoint_host=host, endpoint_port=443).has_endpoint


def test_a_name_is_given_once(create):
    create()

    with pytest.raises(NameTaken):
        create()


def test_a_change_is_recorded_with_before_and_after(create, carol, config):
    target = create()
    new = {**config, "fullchain": False}

    services.update_target(
        actor=carol, target_id=target.pk, changes={"config": new, "name": "web", "enabled": False}
    )

    event = Event.objects.get(action="target.update")
    assert event.data["changes"] == {
        "config": {"before": config, "after": new},
        "enabled": {"before": True, "after": False},
    }


def test_no_change_leaves_no_event(create, carol):
    services.update_target(actor=carol, target_id=create().pk, changes={"name": "web"})

    assert not Event.objects.filter(action="target.update").exists()


def test_a_change_is_checked_as_a_whole(create, carol):
    target = create(endpoint_host="web", endpoint_port=443)

    with pytest.raises(policy.InvalidTarget):
        services.update_target(actor=carol, target_id=target.pk, changes={"endpoint_port": None})
    with pytest.raises(Invalid):
        services.update_target(actor=carol, target_id=target.pk, changes={"secrets": b"x"})

    target.refresh_from_db()
    assert target.endpoint_port == 443


def test_what_is_refused_is_in_the_trail_whoever_calls(create, carol):
    target = create()
    services.bind(actor=carol, certificate=CertificateFactory(), target=target)

    for refused in (
        lambda: create(config={}),
        lambda: services.update_target(actor=carol, target_id=target.pk, changes={"name": " "}),
        lambda: services.delete_target(actor=carol, target_id=target.pk),
    ):
        with pytest.raises(CertctlError):
            refused()

    refusals = Event.objects.filter(action__endswith=".refuse").order_by("sequence")
    assert [(e.action, e.subject_id) for e in refusals] == [
        ("target.create.refuse", ""),
        ("target.update.refuse", str(target.pk)),
        ("target.delete.refuse", str(target.pk)),
    ]


@pytest.fixture
def with_secret(monkeypatch):
    """Let the file connector have a secret, as those of later kinds do."""
    monkeypatch.setattr(FileConnector, "SECRETS", ("password",))


def test_secrets_are_encrypted_and_in_no_event(create, carol, with_secret):
    target = create(secrets={"password": "hunter2"})
    services.update_target(
        actor=carol, target_id=target.pk, changes={}, secrets={"password": "hunter3"}
    )
    target.refresh_from_db()

    assert b"hunter" not in target.secrets._token
    assert targets.secrets_of(target) == {"password": "hunter3"}
    assert "hunter" not in str(list(Event.objects.values_list("data", flat=True)))
    assert Event.objects.get(action="target.update").data["changes"] == {
        "secrets": {"before": "kept back", "after": "set: password"}
    }


def test_secrets_stay_where_they_are_not_mentioned(create, carol, with_secret):
    target = create(secrets={"password": "hunter2"})

    services.update_target(actor=carol, target_id=target.pk, changes={"name": "other"})

    target.refresh_from_db()
    assert targets.secrets_of(target) == {"password": "hunter2"}


def test_the_secrets_of_one_target_do_not_open_at_another(create, with_secret):
    one, two = create(secrets={"password": "x"}), create(name="two")
    two.secrets = one.secrets

    assert permanent(targets.secrets_of, two)


def test_a_target_that_nothing_refers_to_is_deleted(create, carol):
    target = create()

    services.delete_target(actor=carol, target_id=target.pk)

    event = Event.objects.get(action="target.delete")
    assert not Target.objects.exists()
    assert event.subject_id == str(target.pk)
    assert event.data["changes"]["name"] == {"before": "web", "after": None}


def test_a_target_in_use_stays(create, carol):
    target = create()
    services.bind(actor=carol, certificate=CertificateFactory(), target=target)

    with pytest.raises(services.TargetInUse):
        services.delete_target(actor=carol, target_id=target.pk)

    assert Target.objects.filter(pk=target.pk).exists()
    assert not Event.objects.filter(action="target.delete").exists()


# --- Binding and deploying ------------------------------------------------------------------


def test_binding_twice_is_binding_once(target, alice):
    certificate = CertificateFactory()

    first = services.bind(actor=alice, certificate=certificate, target=target)
    second = services.bind(actor=alice, certificate=certificate, target=target)

    assert first == second
    assert Event.objects.filter(action="deployment.bind").count() == 1


def test_nothing_new_is_bound_to_a_disabled_target(target, alice):
    certificate = CertificateFactory()
    services.bind(actor=alice, certificate=certificate, target=target)
    target.enabled = False

    assert services.bind(actor=alice, certificate=certificate, target=target)
    with pytest.raises(services.TargetDisabled):
        services.bind(actor=alice, certificate=CertificateFactory(), target=target)


def deploy(*, version, target):
    """Deploy what is bound, as everything is that a job deploys."""
    Deployment.objects.get_or_create(certificate=version.certificate, target=target)
    return services.deploy(version=version, target=target)


def test_a_version_is_deployed(target, certify, keep, site):
    made = certify()

    outcome = deploy(version=keep(made), target=target)

    assert outcome.changed
    assert (site / "cert.pem").read_text() == made.served_pem


def test_a_key_that_the_server_made_goes_with_it(target, certify, keep, site):
    made = certify()
    version = keep(made, encrypted_key=SERVER_KEY.seal(made.key_pem))
    target.config["key_path"] = str(site / "key.pem")

    deploy(version=version, target=target)

    assert (site / "key.pem").read_bytes() == made.key_pem


def test_a_key_is_not_even_decrypted_where_it_is_not_wanted(target, certify, keep):
    version = keep(certify(), encrypted_key=Sealed(b"cannot be decrypted"))

    assert deploy(version=version, target=target).changed


def test_a_key_that_cannot_be_decrypted_is_a_permanent_error(target, certify, keep, site):
    made = certify()
    version = keep(made, encrypted_key=Context("elsewhere").seal(made.key_pem))
    target.config["key_path"] = str(site / "key.pem")

    assert permanent(deploy, version=version, target=target)


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_revoked_version_is_not_deployed(target, certify, keep, carol, site, when, monkeypatch):
    version = keep(certify())

    def revoke(*args):
        Revocation.objects.create(version=version, revoked_at=timezone.now(), revoked_by=carol)

    if when == "before":
        revoke()
    else:
        monkeypatch.setattr(FileConnector, "_check_key", revoke)

    assert "revoked" in permanent(deploy, version=version, target=target).detail
    assert not (site / "cert.pem").exists()


def test_an_expired_version_is_not_deployed(target, certify, keep, site):
    version = keep(certify(lifetime=timedelta(days=-1)))

    assert "expired" in permanent(deploy, version=version, target=target).detail
    assert not (site / "cert.pem").exists()


def test_a_worker_that_was_held_up_puts_no_old_version_over_a_new_one(
    target, certify, keep, site, monkeypatch
):
    old, new = keep(certify()), certify()
    check_key = FileConnector._check_key

    def held_up(*args):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(FileConnector, "_check_key", check_key)
            keep(new, certificate=old.certificate)
        return check_key(*args)

    monkeypatch.setattr(FileConnector, "_check_key", held_up)

    with pytest.raises(ConnectorError) as caught:
        deploy(version=old, target=target)

    assert not caught.value.permanent
    assert not (site / "cert.pem").exists()


def test_a_disabled_target_gets_nothing(target, certify, keep):
    target.enabled = False

    assert permanent(deploy, version=keep(certify()), target=target)


def test_an_agents_target_is_not_the_servers(target, certify, keep, site):
    target.agent = Agent.objects.create(name="host-1")

    error = permanent(deploy, version=keep(certify()), target=target)

    # Not for its path, which nothing here allows and which would be refused as well.
    assert error.detail == "An agent carries certificates there."
    assert not (site / "cert.pem").exists()


def test_a_root_that_was_taken_away_stops_deployments(target, certify, keep, settings, site):
    settings.TARGET_ROOTS = []

    error = permanent(deploy, version=keep(certify()), target=target)

    assert "certificate_path" in error.detail
    assert not (site / "cert.pem").exists()


# --- Recording ------------------------------------------------------------------------------


@pytest.fixture
def record(target, system):
    def make(version, *, changed=True):
        return services.record_deployed(
            certificate=version.certificate,
            target=target,
            version=version,
            outcome=Outcome(changed, version.fingerprint),
            actor=system,
        )

    return make


@pytest.fixture
def see(target, system):
    def make(version, seen):
        return services.record_seen(
            certificate=version.certificate, target=target, seen=seen, actor=system
        )

    return make


def test_a_deployment_is_recorded(record, certify, keep):
    version = keep(certify())

    deployment = record(version)

    event = Event.objects.get(action="deployment.deploy")
    assert (deployment.version, deployment.health) == (version, "Unknown")
    assert deployment.deployed_at is not None
    assert (event.data["before"], event.data["after"]) == (None, 1)


def test_a_result_that_comes_late_does_not_move_back(record, certify, keep):
    one = keep(certify())
    two = keep(certify(), certificate=one.certificate)
    record(two)

    assert record(one).version == two


def test_a_version_of_another_certificate_is_refused(target, system, certify, keep):
    with pytest.raises(Invalid):
        services.record_deployed(
            certificate=CertificateFactory(),
            target=target,
            version=keep(certify()),
            outcome=Outcome(True, ""),
            actor=system,
        )


def test_what_was_seen_before_says_nothing_of_the_new_version(record, see, certify, keep):
    one = keep(certify())
    record(one)
    see(one, Seen(one.fingerprint, matches=True, expected=one.fingerprint))

    deployment = record(keep(certify(), certificate=one.certificate))

    assert (deployment.health, deployment.served_fingerprint) == ("Unknown", "")
    assert deployment.checked_at is None


def test_what_was_seen_stays_where_nothing_changed(record, see, certify, keep):
    one = keep(certify())
    record(one)
    see(one, Seen(one.fingerprint, matches=True, expected=one.fingerprint))

    assert record(one, changed=False).health == "Healthy"


def test_a_certificate_that_was_displaced_shows_as_drifted(record, certify, keep):
    first, second = keep(certify()), keep(certify())
    displaced = record(first)

    record(second)

    displaced.refresh_from_db()
    assert displaced.health == "Mismatch"
    assert displaced.served_fingerprint == second.fingerprint


@pytest.mark.parametrize(
    ("fingerprint", "matches", "health", "result"),
    [
        ("own", True, "Healthy", "success"),
        ("f" * 64, False, "Mismatch", "failed"),
        (None, False, "Down", "failed"),
    ],
)
def test_what_a_handshake_saw_is_the_health(
    record, see, certify, keep, fingerprint, matches, health, result
):
    version = keep(certify())
    record(version)
    seen = Seen(version.fingerprint if matches else fingerprint, matches=matches, detail="so")

    deployment = see(version, seen)

    event = Event.objects.get(action="deployment.validate")
    assert (deployment.health, seen.result) == (health, result)
    assert deployment.served_fingerprint == (seen.fingerprint or "")
    assert (event.data["before"], event.data["after"]) == ("Unknown", health)


def test_what_was_compared_with_an_older_version_is_dropped(record, see, certify, keep):
    one = keep(certify())
    record(one)
    record(keep(certify(), certificate=one.certificate))

    deployment = see(one, Seen("f" * 64, matches=False, expected=one.fingerprint))

    assert deployment.health == "Unknown"


def test_nothing_is_recorded_where_nothing_is_deployed(see, certify, keep, target, alice):
    version = keep(certify())
    services.bind(actor=alice, certificate=version.certificate, target=target)

    assert see(version, Seen(None, matches=False)) is None


# --- Looking --------------------------------------------------------------------------------


@pytest.fixture
def watched(target, tls_server):
    target.endpoint_host, target.endpoint_port = "127.0.0.1", tls_server.port
    target.save()
    return target


def test_the_deployed_version_is_recognised(watched, tls_server, certify, keep):
    made = certify()
    tls_server.serve(made)

    seen = services.validate(target=watched, version=keep(made))

    assert (seen.result, seen.fingerprint) == ("success", made.fingerprint)
    assert tls_server.names == ["web.demo.internal"]


def test_another_certificate_is_a_mismatch(watched, tls_server, certify, keep, monkeypatch):
    monkeypatch.setattr("deployments.services.work._BETWEEN", 0)
    other = certify()
    tls_server.serve(other)

    seen = services.validate(target=watched, version=keep(certify()))

    assert (seen.result, seen.health) == ("failed", Deployment.Health.MISMATCH)
    assert other.fingerprint in seen.detail


def test_a_server_that_is_just_reloading_is_given_a_moment(watched, tls_server, certify, keep):
    old, new = certify(), certify()
    tls_server.serve(old)
    looked = []
    watch = tls_server._context

    def context():
        looked.append(1)
        if len(looked) == 3:
            tls_server.serve(new)
        return watch()

    tls_server._context = context

    assert services.validate(target=watched, version=keep(new)).matches


def test_nobody_there_is_down(watched, tls_server, certify, keep):
    tls_server.stop()

    seen = services.validate(target=watched, version=keep(certify()))

    assert (seen.result, seen.health) == ("failed", Deployment.Health.DOWN)


def test_without_an_endpoint_there_is_nothing_to_look_at(target, certify, keep):
    assert permanent(services.validate, target=target, version=keep(certify()))


def test_the_targets_own_name_is_asked_for(watched, tls_server, certify, keep):
    made = certify()
    tls_server.serve(made)
    watched.server_name = "other.demo.internal"

    services.validate(target=watched, version=keep(made))

    assert tls_server.names == ["other.demo.internal"]


@pytest.mark.parametrize(
    ("sans", "asked"),
    [
        (["dns:*.demo.internal"], "www.demo.internal"),
        (["ip:10.0.0.1", "dns:b.demo.internal"], "b.demo.internal"),
        (["ip:10.0.0.1"], None),
    ],
)
def test_a_name_of_the_certificate_is_asked_for(watched, tls_server, certify, keep, sans, asked):
    made = certify()
    tls_server.serve(made)

    services.validate(target=watched, version=keep(made, sans=sans))

    assert tls_server.names == [asked]


def test_a_handshake_with_ourselves_is_refused(watched, certify, keep, settings):
    settings.ALLOW_LOOPBACK_TARGETS = False

    assert permanent(services.validate, target=watched, version=keep(certify()))


# --- Testing a target -----------------------------------------------------------------------


def checks_of(target, actor):
    return {c.name: c for c in services.check_target(actor=actor, target=target)}


def test_a_target_is_tested_without_changing_anything(watched, tls_server, certify, carol, site):
    made = certify()
    tls_server.serve(made)

    checks = checks_of(watched, carol)

    assert all(check.ok for check in checks.values())
    assert made.fingerprint in checks["endpoint"].detail
    assert list(site.iterdir()) == []
    assert Event.objects.get(action="target.test").data["ok"] is True


def test_a_test_names_what_stands_in_the_way(target, carol, site, program):
    (site / "key.pem").mkdir()
    target.config = {
        "certificate_path": str(site / "missing" / "cert.pem"),
        "key_path": str(site / "key.pem"),
        "reload": [program("reload", f"touch {site}/started")],
    }
    (site.parent / "programs" / "reload").unlink()

    checks = checks_of(target, carol)

    assert not checks["certificate_path"].ok
    assert not checks["key_path"].ok
    assert not checks["reload"].ok
    assert not (site / "started").exists()


def test_a_test_says_when_the_configuration_is_not_allowed_any_more(target, carol, settings):
    settings.TARGET_ROOTS = []

    assert not checks_of(target, carol)["config"].ok


def test_a_test_goes_nowhere_that_a_handshake_must_not(target, carol, monkeypatch):
    target.endpoint_host, target.endpoint_port = "127.0.0.1", 22

    assert "this server itself" in checks_of(target, carol)["endpoint"].detail
    assert addresses.refusal("127.0.0.1", loopback=False)
    assert handshake.TIMEOUT == 10


# --- Races ----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_change_does_not_undo_another(target):
    actor = PrincipalFactory()

    def disable():
        services.update_target(actor=actor, target_id=target.pk, changes={"enabled": False})

    with ThreadPoolExecutor(1) as worker:
        with transaction.atomic():
            held = Target.objects.select_for_update(no_key=True).get(pk=target.pk)
            waiting = beside(worker, disable)
            until_blocked(waiting)
            held.name = "renamed"
            held.save()
        waiting.result(timeout=30)

    target.refresh_from_db()
    assert (target.name, target.enabled) == ("renamed", False)


@pytest.mark.django_db(transaction=True)
def test_many_who_bind_at_once_bind_once(target):
    actor, certificate = PrincipalFactory(), CertificateFactory()

    results = together(
        *[lambda: services.bind(actor=actor, certificate=certificate, target=target)] * 6
    )

    assert len({result.pk for result in results}) == 1
    assert Event.objects.filter(action="deployment.bind").count() == 1


@pytest.mark.django_db(transaction=True)
def test_results_that_come_at_once_end_with_the_newest(target, certify, keep, system):
    one = keep(certify())
    two = keep(certify(), certificate=one.certificate)
    other = keep(certify())

    def record(version):
        return lambda: services.record_deployed(
            certificate=version.certificate,
            target=target,
            version=version,
            outcome=Outcome(True, version.fingerprint),
            actor=system,
        )

    for _ in range(3):
        results = together(*map(record, (one, two, other, one, two, other)))
        assert all(isinstance(result, Deployment) for result in results), results

    assert Deployment.objects.get(certificate=one.certificate).version == two


@pytest.mark.django_db(transaction=True)
def test_of_two_certificates_that_come_to_one_target_the_later_displaces_the_other(
    record, certify, keep
):
    one, two = keep(certify()), keep(certify())
    record(one)
    record(two)  # both rows are there, and both have been served

    meanwhile(lambda: record(one), lambda: record(two))

    health = {row.certificate: row.health for row in Deployment.objects.all()}
    assert health == {one.certificate: "Mismatch", two.certificate: "Unknown"}


@pytest.mark.django_db(transaction=True)
def test_what_was_seen_of_a_version_that_is_replaced_meanwhile_is_dropped(
    record, see, certify, keep
):
    one = keep(certify())
    two = keep(certify(), certificate=one.certificate)
    record(one)
    seen = Seen(one.fingerprint, matches=True, expected=one.fingerprint)

    meanwhile(lambda: record(two), lambda: see(one, seen))

    deployment = Deployment.objects.get()
    assert (deployment.version, deployment.health) == (two, "Unknown")
    assert deployment.served_fingerprint == ""


@pytest.mark.django_db(transaction=True)
def test_a_target_is_not_deleted_from_under_a_binding(site):
    actor, certificate = PrincipalFactory(), CertificateFactory()
    for number in range(4):
        target = Target.objects.create(
            name=f"t{number}", kind="file", config={"certificate_path": str(site / "cert.pem")}
        )

        together(
            lambda t=target: services.bind(actor=actor, certificate=certificate, target=t),
            lambda t=target: services.delete_target(actor=actor, target_id=t.pk),
        )

        exists = Target.objects.filter(pk=target.pk).exists()
        assert Deployment.objects.filter(target_id=target.pk).exists() is exists


def test_the_database_refuses_what_the_service_would(target, alice):
    services.bind(actor=alice, certificate=CertificateFactory(), target=target)

    with pytest.raises(ProtectedError):
        target.delete()


# --- Doors and bounds -----------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_deleting_a_target_waits_for_nobody_who_holds_it(target):
    actor = PrincipalFactory()

    with transaction.atomic():
        Target.objects.select_for_update(no_key=True).get(pk=target.pk)
        with pytest.raises(Busy):
            aside(lambda: services.delete_target(actor=actor, target_id=target.pk))

    assert Target.objects.filter(pk=target.pk).exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_deployment_is_written_while_somebody_changes_its_target(target):
    actor, certificate = PrincipalFactory(), CertificateFactory()

    with transaction.atomic():
        services.update_target(actor=actor, target_id=target.pk, changes={"enabled": False})
        aside(lambda: Deployment.objects.create(certificate=certificate, target=target))

    assert Deployment.objects.get().target == target


def test_nothing_but_its_fields_can_be_changed_of_a_target(target, carol):
    with pytest.raises(Invalid) as caught:
        services.update_target(
            actor=carol, target_id=target.pk, changes={"created_at": timezone.now()}
        )

    assert caught.value.errors[0]["code"] == "unknown"


def test_a_host_name_has_253_characters_at_most():
    longest = ".".join(["a" * 63] * 3 + ["b" * 61])

    assert policy.is_host(longest)
    assert not policy.is_host(f"{longest}b")
    assert not policy.is_host("")


def test_a_secret_has_16_kib_at_most(create, monkeypatch):
    monkeypatch.setattr(FileConnector, "SECRETS", ("password",))

    assert create(secrets={"password": "x" * 16384}).secrets
    with pytest.raises(policy.InvalidTarget) as caught:
        create(name="other", secrets={"password": "x" * 16385})
    assert caught.value.errors[0]["field"] == "secrets.password"
