"""Pages asked for as a browser does, one after another: how long, how many questions, how large.

The clock and the octets are those of HTTP, from the web server as it runs; the questions to the
database are counted in this process, which answers the same address once more.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client

from owners import services
from owners.models import Principal

MILLI = 1000.0
PATIENCE = 120.0  # seconds for one page
KILO = 1000


@dataclass(frozen=True, slots=True)
class Case:
    """An address, and the bare question that has an index and finds the same: SQL, parameters."""

    name: str
    path: str
    bare: str
    parameters: Sequence[Any] = ()


@dataclass(slots=True)
class Result:
    """What was seen of a case; times in milliseconds."""

    case: Case
    times: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    octets: int = 0
    status: int = 0
    questions: list[tuple[float, str]] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The page's time."""
        return statistics.median(self.times)

    @property
    def bare_median(self) -> float:
        """The bare question's time."""
        return statistics.median(self.bare)

    @property
    def in_database(self) -> float:
        """The time of all questions to the database together, once."""
        return sum(took for took, _ in self.questions)

    def line(self, spare: float) -> str:
        """Return it as a row; `spare` are the milliseconds beside three times the bare question."""
        goal = 3 * self.bare_median + spare
        verdict = "" if self.median <= goal else "  over"
        # Drawing a page takes the same whatever it shows.
        verdict += ", in the database" if self.in_database > goal else ""
        verdict += "" if self.status == 200 else f"  status {self.status}"  # noqa: PLR2004
        return (
            f"  {self.case.name:<46} {self.median:8.1f} {max(self.times):8.1f}"
            f" {self.bare_median:8.2f} {goal:8.1f} {len(self.questions):4}"
            f" {self.in_database:8.1f} {self.octets / KILO:7.1f}{verdict}"
        )


HEAD = (
    f"  {'':<46} {'p50 ms':>8} {'most ms':>8} {'bare ms':>8} {'goal ms':>8} {'sql':>4}"
    f" {'sql ms':>8} {'KB':>7}"
)


class Visitor:
    """Somebody who is signed in to the admin, and has a key for REST."""

    def __init__(self, port: int, username: str) -> None:
        principal = Principal.objects.get(username=username)
        self.client = Client(headers={"accept-encoding": "gzip"})
        self.client.force_login(principal, "django.contrib.auth.backends.ModelBackend")
        cookie = self.client.cookies[settings.SESSION_COOKIE_NAME].value
        _, key = services.issue_api_key(
            actor=principal, principal=principal, name=f"bench {time.time_ns()}", role_cap="admin"
        )
        self.headers = {
            "Cookie": f"{settings.SESSION_COOKIE_NAME}={cookie}",
            "Authorization": f"Bearer {key}",
            "Accept-Encoding": "gzip",
            "X-Forwarded-Proto": "https",
        }
        self.http = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)

    def ask(self, path: str) -> tuple[float, int, int]:
        """Return the milliseconds, the status, and the octets of the body as it was sent."""
        began = time.perf_counter()
        self.http.request("GET", path, headers=self.headers)
        response = self.http.getresponse()
        body = response.read()
        return (time.perf_counter() - began) * MILLI, response.status, len(body)

    def count(self, path: str) -> list[tuple[float, str]]:
        """Return the questions that the page asks the database, with their milliseconds."""
        with counted() as asked:
            self.client.get(
                path,
                headers={"authorization": self.headers["Authorization"]},
                secure=True,
            )
        return asked


def measure(visitor: Visitor, cases: Sequence[Case], rounds: int) -> Iterator[Result]:
    """Ask for each page `rounds` times, in turn with its bare question, after one that warms up."""
    for case in cases:
        result = Result(case)
        visitor.ask(case.path)
        for _ in range(rounds):
            took, result.status, result.octets = visitor.ask(case.path)
            result.times.append(took)
            result.bare.append(bare(case))
        result.questions = visitor.count(case.path)
        yield result


def bare(case: Case) -> float:
    """Ask the bare question; return the milliseconds."""
    with connection.cursor() as cursor:
        began = time.perf_counter()
        cursor.execute(case.bare, case.parameters)
        cursor.fetchall()
        return (time.perf_counter() - began) * MILLI


@contextmanager
def counted() -> Iterator[list[tuple[float, str]]]:
    """Collect what is asked of the database in this process: milliseconds and SQL."""
    asked: list[tuple[float, str]] = []

    def watch(execute: Callable[..., Any], sql: str, params: Any, many: Any, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            asked.append(((time.perf_counter() - began) * MILLI, sql))

    with connection.execute_wrapper(watch):
        yield asked
