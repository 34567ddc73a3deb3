"""The last test of a target's connection stays on its page.

Carol administers and tests; victor reads what came of it and may not test.
"""

import pytest
from django.urls import reverse

from audit.models import Event
from deployments import services
from deployments.models import Target

pytestmark = pytest.mark.django_db


def page_of(target, name="change"):
    return reverse(f"admin:deployments_target_{name}", args=[target.pk])


def test_what_a_test_found_stays_with_who_asked_and_when(browse, carol, victor, target):
    assert "Nobody has tested it yet." in browse(carol).get(page_of(target)).content.decode()
    client = browse(carol)
    assert client.get(page_of(target, "test_one")).status_code == 200
    assert Target.objects.get().tested_at is None

    client.post(page_of(target, "test_one"), {"confirmed": "yes"})

    kept = Target.objects.get()
    assert (kept.tested_by, kept.test_passed) == (carol, True)
    assert kept.tested_at is not None
    assert "endpoint: No endpoint is known" in kept.test_words
    shown = browse(victor).get(page_of(target)).content.decode()
    assert "Nothing stands in the way. Asked for by carol." in shown
    assert Event.objects.get(action="target.test").data["ok"] is True


def test_the_next_one_takes_its_place(carol, target):
    services.check_target(actor=carol, target=target)
    Target.objects.update(kind="file", config={"certificate_path": "/etc/elsewhere.pem"})

    services.check_target(actor=carol, target=Target.objects.get())

    kept = Target.objects.get()
    assert kept.test_passed is False
    assert "CERTCTL_TARGET_ROOTS" in kept.test_words


def test_who_may_not_change_targets_does_not_test_them(browse, victor, target):
    client = browse(victor)

    assert client.post(page_of(target, "test_one"), {"confirmed": "yes"}).status_code == 403
    assert page_of(target, "test_one") not in client.get(page_of(target)).content.decode()
    assert Target.objects.get().tested_at is None
