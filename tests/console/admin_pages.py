"""Every page of the admin, from its own map of addresses: what is added is found by itself."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse
from django.utils import timezone

from agents.services import create_token
from certificates import crl
from certificates.models import Alert, OCSPResponse, Revocation, SerialRevocation
from deployments.models import Agent, Deployment, Target
from issuers.services import request_ca
from jobs.states import Status
from notifications.models import Message
from owners.models import ApiKey
from tests.factories import CertificateFactory, JobFactory, RenewalPolicyFactory, VersionFactory

ROOM = "the admin itself"  # pages that belong to no app
# What is no page: answers to scripts, and addresses that lead on to another.
NO_PAGES = {"logout", "autocomplete", "jsi18n", "view_on_site", "app_list", None}
# Names with nothing to break at, as people have them.
LONG = "a-load-balancer-with-a-very-long-name-that-nothing-breaks.frankfurt.demo.internal"


def groups() -> list[str]:
    """Return the apps that have pages, and ROOM."""
    return [ROOM, *sorted({model._meta.app_label for model in admin.site._registry})]


def rows_of(model: type[Model]) -> list[Model]:
    """Return a few rows of `model`, among which each of its pages has one to be about."""
    return list(model._default_manager.order_by("pk")[:8])


def addresses(group: str) -> Iterator[list[str]]:
    """Yield each page of `group` as the addresses at which it may be: one a row."""
    for _, places in named_addresses(group):
        yield places


def named_addresses(group: str) -> Iterator[tuple[str | None, list[str]]]:
    """Yield each page of `group` with its name in the map, as `addresses` does."""
    for route, name in _named():
        model = _model_of(route)
        if name in NO_PAGES or (model._meta.app_label if model else ROOM) != group:
            continue
        if "<" not in route:
            yield name, [reverse(f"admin:{name}")]
        elif model is not None:
            rows = rows_of(model)
            assert rows, f"No row of {model.__name__}: {name} was not looked at."
            places = [_at(name, row) for row in rows]
            yield name, [place for place in places if place]


def html_at(client: Client, places: list[str]) -> str | None:
    """Return the first of `places` that answers with a whole page there; None for a download."""
    for place in places:
        answer = client.get(place)
        is_page = answer.headers.get("Content-Type", "").startswith("text/html")
        if answer.status_code == 200 and is_page and "<html" in answer.text:
            return place
    return None


def populate(carol, local_ca, rows, system) -> None:
    """Make the rows that `rows` of tests/certctl/conftest.py lacks, with long names among them."""
    now = timezone.now()
    certificate, version = rows["certificates"], rows["versions"]
    crl.publish(issuer_id=local_ca.pk, actor=system)
    long_name: Any = CertificateFactory(
        name=LONG,
        common_name=LONG[:64],
        issuer=local_ca,
        profile=certificate.profile,
        sans=[f"dns:{LONG}"] * 12,
    )
    held: Any = VersionFactory(certificate=long_name, pem=local_ca.certificate_pem)
    Revocation.objects.create(
        version=held, reason="certificateHold", revoked_at=now, revoked_by=carol, note="lost?"
    )
    type(long_name).objects.filter(pk=long_name.pk).update(status="Revoked")
    SerialRevocation.objects.create(
        issuer=local_ca, serial="2a", reason="superseded", revoked_at=now, recorded_by=carol
    )
    OCSPResponse.objects.create(
        version=version,
        issuer=local_ca,
        hash_algorithm="sha256",
        status="good",
        this_update=now,
        next_update=now + timedelta(hours=1),
        der=b"\x30\x00",
    )
    for one in (certificate, long_name):
        Alert.objects.create(
            kind=Alert.Kind.VALIDATION_FAILED, certificate=one, since=now, detail=f"{LONG} serves."
        )
    request_ca(actor=carol, slug="to-be-signed", name=LONG, common_name="Corporate issuing 2")
    Agent.objects.create(name="agent-1", clock_offset=90)
    create_token(actor=carol, name=LONG[:100], networks=["192.0.2.0/24"])
    target = Target.objects.create(
        name=LONG, kind="file", endpoint_host="edge.example", endpoint_port=443
    )
    Deployment.objects.create(
        certificate=certificate, target=target, version=version, deployed_at=now
    )
    failed = {"status": Status.FAILED, "last_error": f"{LONG} did not answer.", "completed_at": now}
    JobFactory(certificate=long_name, requested_by=carol, **failed)
    JobFactory(certificate=certificate, requested_by=carol, kind="Deployment", target=target)
    RenewalPolicyFactory(name=LONG[:64])
    Message.objects.create(
        kind=Message.Kind.choices[0][0], recipient=carol, subject=LONG, body=f"{LONG} waits."
    )
    assert ApiKey.objects.exists()
    ContentType.objects.clear_cache()


def _named() -> Iterator[tuple[str, str | None]]:
    tops = [one for one in get_resolver().url_patterns if getattr(one, "namespace", "") == "admin"]
    yield from _walk(tops)


def _walk(patterns, prefix="") -> Iterator[tuple[str, str | None]]:
    for one in patterns:
        route = f"{prefix}{one.pattern}"
        if hasattr(one, "url_patterns"):
            yield from _walk(one.url_patterns, route)
        else:
            yield route, one.name


def _model_of(route: str) -> type[Model] | None:
    models = {
        f"admin/{one._meta.app_label}/{one._meta.model_name}/": one for one in admin.site._registry
    }
    start = re.match(r"admin/\w+/\w+/", route)
    return models.get(start[0]) if start else None


def _at(name: str | None, row: Model) -> str | None:
    try:
        return reverse(f"admin:{name}", args=[row.pk])
    except NoReverseMatch:
        return None
