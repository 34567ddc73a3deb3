"""A machine whose clock is wrong does not date what it signs."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection

from foundation.clock import TOLERANCE, Clock

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


@pytest.fixture(autouse=True)
def _trusted(settings):
    settings.TRUST_DATABASE_CLOCK = True


def real():
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


@pytest.mark.parametrize("wrong", [timedelta(hours=1), timedelta(seconds=-40), timedelta(days=365)])
def test_the_database_decides_where_the_two_differ(wrong, caplog):
    clock = Clock()
    with time_machine.travel(real() + wrong, tick=True):
        assert abs(clock.now() - real()) < TOLERANCE
        assert abs(clock.ahead() - wrong) < TOLERANCE
    assert "clock is" in caplog.text
    assert "database's, which decides" in caplog.text


def test_a_small_difference_is_nobodys_fault(caplog):
    moment = real() + timedelta(seconds=2)
    with time_machine.travel(moment, tick=False):
        assert abs(Clock().now() - moment) < timedelta(milliseconds=1)
    assert caplog.text == ""


def test_a_clock_that_jumps_between_two_readings_shows(django_assert_num_queries):
    clock = Clock()
    clock.now()
    with (
        django_assert_num_queries(0),
        time_machine.travel(real_now() + timedelta(hours=2), tick=True),
    ):
        assert abs(clock.ahead() - timedelta(hours=2)) < TOLERANCE


def real_now():
    return datetime.now(UTC)  # noqa: TID251 - the machine's own


def test_the_log_says_it_once_a_minute(caplog):
    clock = Clock()
    with time_machine.travel(real() + timedelta(hours=1), tick=True):
        for _ in range(5):
            clock.now()
    assert len(caplog.records) == 1
