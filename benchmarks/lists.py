"""Lists of the admin and of REST among a million rows: first page, narrowed, sorted, deep.

The anchor is the bare question of the same run: fifty whole rows in the order of an index.
"""

from collections.abc import Iterator
from urllib.parse import quote

from benchmarks.asking import HEAD, Case, Visitor, measure
from benchmarks.fill import RARE_ENVIRONMENT, RARE_OWNER, RARE_TAG

SPARE = 20.0  # milliseconds beside three times the bare question
MOST_KILOBYTES = 60.0
NEWEST = "SELECT * FROM {table} ORDER BY created_at DESC, id LIMIT 50"
TRAIL = "SELECT * FROM audit_event ORDER BY sequence DESC LIMIT 50"
LAST = "page=last"
PAGE = 50  # rows
DEEPEST = 200  # pages that a list of the admin has at most
NARROWED = {
    "certificates/certificate": (
        "status=Active", "status=Pending", "status=Failed&status=Expired", "ends=7", "ends=90",
        "owner=Owner 0", "owner=Owner 59", f"owner={RARE_OWNER}", "team=Team 1", "team=Rare team",
        "team=none", "tag=web", f"tag={RARE_TAG}", "issuer=demo-issuing", "issuer=bench-2",
        "profile=tls-server", "environment=production", f"environment={RARE_ENVIRONMENT}",
        "policy=none", "revoked=yes", "revoked=no", "unproven=yes", "unproven=no",
        "end_from=2026-01-01&end_to=2027-06-30",
        "status=Active&owner=Owner 3&environment=production", f"tag={RARE_TAG}&status=Failed",
        "tag=web&tag=api&issuer=demo-issuing&unproven=yes", "ends=30&team=Team 1&revoked=no",
        "q=shop", "q=shop&status=Active&o=expires",
    ),
    "certificates/version": (
        "ends=7", "revoked=yes", "revoked=no", "current=yes", "current=no", "owner=Owner 0",
        f"owner={RARE_OWNER}", "issuer=demo-issuing", "issuer=bench-2", "key_algorithm=ecdsa-p256",
        "key_algorithm=rsa-2048", "q=shop",
    ),
    "jobs/job": (
        "status=AwaitingApproval", "status=Failed", "status=Running", "kind=Deployment",
        "kind=Renewal", "owner=Owner 0", f"owner={RARE_OWNER}", "issuer=bench-2",
        "profile=tls-server", "target=front-1", "target=none", "requester=alice",
        "requester=carol", "status=Failed&owner=Owner 1", "q=shop",
    ),
    "audit/event": (
        "actor_name=alice", "actor_name=nobody", "action=job.complete", "action=job.cancel",
        "door=rest", "door=admin", "at_from=2026-01-01", "q=number", "q=alice", "q=12345",
    ),
}  # fmt: skip
SORTED = {
    "certificates/certificate": (
        "name", "show_status", "expires", "owner", "issuer", "profile", "environment", "team",
        "renewal_policy", "common_name", "created_at", "updated_at",
    ),
    "certificates/version": (
        "certificate", "number", "serial", "issuer", "not_after", "fingerprint", "key_algorithm",
        "subject", "not_before",
    ),
    "jobs/job": (
        "show_certificate", "kind", "show_status", "target", "requested_by", "show_attempts",
        "created_at",
    ),
    "audit/event": ("show_when", "show_sentence", "show_door", "came_from"),
}  # fmt: skip
REST = {
    "certificates": (
        "", "cursor=", "page=2", "status=Expired", "tag=web", f"tag={RARE_TAG}",
        f"owner={RARE_OWNER}", "team=Team 1", "issuer=bench-2", "expires_before=2026-12-01T00:00Z",
        "search=shop", "san=shop", "sort=name", "sort=-current__not_after", "sort=owner__name",
        "page=200", LAST, "cursor=&sort=current__not_after", "cursor=&status=Active",
        "cursor=&tag=web",
    ),
    "versions": ("", "cursor=", "revoked=true", "superseded=true", "sort=not_after", LAST),
    "jobs": (
        "", "cursor=", "status=AwaitingApproval", "status=Failed", "kind=Deployment", "search=shop",
        LAST,
    ),
    "audit": ("", "cursor=", "action=job.complete", "search=alice", LAST),
}  # fmt: skip


def measure_lists(port: int, *, count: int, rounds: int, only: str = "") -> Iterator[str]:
    """Measure all lists, or those cases whose name holds `only`; give the lines of the tables.

    `count` is how many rows each list has at least.
    """
    visitor = Visitor(port, "carol")
    chosen = [case for case in cases(count) if only in case.name]
    results = []
    yield HEAD
    for result in measure(visitor, chosen, rounds):
        results.append(result)
        yield result.line(SPARE)
    pages = [one for one in results if one.case.path.startswith("/admin/")]
    largest = max((one.octets for one in pages), default=0) / 1000
    slowest = max(results, key=lambda one: one.median / one.bare_median)
    late = [one for one in results if one.in_database > 3 * one.bare_median + SPARE]
    yield f"  {len(late)} of {len(results)} over the goal in the database alone"
    yield f"  largest page of the admin: {largest:.1f} KB (goal {MOST_KILOBYTES:.0f})"
    yield (
        f"  slowest against its bare question: {slowest.case.name},"
        f" {slowest.median / slowest.bare_median:.0f} x"
    )


def cases(count: int) -> Iterator[Case]:
    """Return what is asked for in lists of `count` rows."""
    last = max(1, count // PAGE)
    deep = min(DEEPEST, last)
    for name, narrowed in NARROWED.items():
        sorts = SORTED[name]
        turned = [f"o={way}{column}" for column in sorts for way in ("", "-")]
        asked = ("", *narrowed, *turned, f"p={min(2, deep)}", f"p={deep}", f"p={deep}&o={sorts[2]}")
        for query in asked:
            yield Case(f"{name}?{query}", f"/admin/{name}/?{_quoted(query)}", _bare(name))
    tables = {"certificates": "certificates/certificate", "versions": "certificates/version"}
    tables |= {"jobs": "jobs/job", "audit": "audit/event"}
    for name, queries in REST.items():
        for query in queries:
            numbers = {LAST: f"page={last}", "page=2": f"page={min(2, last)}"}
            said = numbers.get(query, query.replace("page=200", f"page={deep}"))
            path = f"/api/v1/{name}/?{_quoted(said)}"
            yield Case(f"REST {name}?{said}", path, _bare(tables[name]))


def _bare(name: str) -> str:
    return TRAIL if name == "audit/event" else NEWEST.format(table=name.replace("/", "_"))


def _quoted(query: str) -> str:
    return quote(query, safe="=&-_.")
