"""How each kind of process waits for the database: never without a bound, on either database."""

from dataclasses import dataclass
from typing import Any

SQLITE_BUSY_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Waits:
    """The longest that PostgreSQL lets a session wait, in seconds; 0 means without a bound.

    `idle` ends a session that stopped inside a transaction, and with it the locks it holds: one
    paused process must not stop the others. `lock` is for a lock of somebody else, `statement` for
    one statement.
    """

    lock: int
    statement: int
    idle: int


WAITS = {
    "web": Waits(lock=4, statement=15, idle=10),
    # It builds CRLs under a row lock, and its statements touch many rows.
    "worker": Waits(lock=20, statement=300, idle=30),
    # A migration or an export may take its time; a forgotten shell may not.
    "command": Waits(lock=60, statement=0, idle=60),
}


def bound(config: dict[str, Any], *, process: str, connections: int, keep_seconds: int) -> None:
    """Complete Django's settings of one database for a process of kind `process` (see WAITS).

    `connections` is how many a web process holds at most: its threads share a pool, so that a
    thread without a request holds none. Other processes keep theirs for `keep_seconds`.
    """
    options = config.setdefault("OPTIONS", {})
    if config["ENGINE"].endswith("sqlite3"):
        # IMMEDIATE takes the write lock at BEGIN, so a transaction never fails half-way for want of
        # it, and since writers then follow one another, claims stay exclusive without row locks.
        options.update(
            transaction_mode="IMMEDIATE",
            timeout=SQLITE_BUSY_SECONDS,
            init_command="PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
            " PRAGMA foreign_keys=ON;",
        )
        return
    waits = WAITS[process]
    options.update(
        connect_timeout=5,
        # A database host that is gone without a word is noticed within half a minute.
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
        tcp_user_timeout=30_000,
        application_name=f"certctl {process}",
        # What is asked often (foundation.statements) PostgreSQL plans once in a session. Not where
        # a pooler lends sessions by the transaction: ?prepare_threshold= in DATABASE_URL.
        prepare_threshold=options.get("prepare_threshold", 5),
        options=" ".join(
            f"-c {name}={seconds}s"
            for name, seconds in (
                ("lock_timeout", waits.lock),
                ("statement_timeout", waits.statement),
                ("idle_in_transaction_session_timeout", waits.idle),
            )
        ),
    )
    config["CONN_HEALTH_CHECKS"] = True
    if process == "web":
        options["pool"] = {"min_size": 1, "max_size": connections, "timeout": waits.lock}
        config["CONN_MAX_AGE"] = 0
    else:
        config["CONN_MAX_AGE"] = keep_seconds
