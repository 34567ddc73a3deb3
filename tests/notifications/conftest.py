"""Fixtures for e-mail: alice asks, bob decides, carol administers, and there is a mail server."""

from datetime import timedelta

import pytest

from jobs import services
from notifications.models import Message, Round

BASE = "https://certctl.example"


@pytest.fixture
def mail_on(settings):
    """Have e-mail be on: what is sent stands in `mail.outbox`."""
    settings.EMAIL_HOST = "mail.example"
    settings.ADMIN_BASE_URL = BASE
    settings.DEFAULT_FROM_EMAIL = "certctl <certctl@certctl.example>"
    return settings


@pytest.fixture
def ask(alice, owner, local_ca, csr_for):
    """Ask for a certificate as alice: `ask(profile, name)`; the job is returned."""

    def make(profile, *names, actor=alice, **options):
        names = names or ("web.demo.internal",)
        return services.request_issuance(
            actor=actor,
            owner=options.pop("owner", owner),
            issuer=local_ca,
            profile=profile,
            csr_pem=csr_for(*names),
            **options,
        ).job

    return make


@pytest.fixture
def awaiting(mail_on, ask, profile):
    """An issuance that alice asked for and that waits for a decision."""
    return ask(profile)


@pytest.fixture
def later():
    """Have time pass for the outbox: what stands in it was then."""

    def go(**by):
        back = timedelta(**by)
        for turn in Round.objects.exclude(at=None):
            Round.objects.update(at=turn.at - back)
        for message in Message.objects.all():
            Message.objects.filter(pk=message.pk).update(
                created_at=message.created_at - back, due_at=message.due_at - back
            )

    return go
