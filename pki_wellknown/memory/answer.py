"""One answer as bytes that are ready to go out."""

from uuid import UUID

from certificates import ocsp
from certificates.models import OCSPResponse
from pki_wellknown import answers

Headers = list[tuple[str, str]]


class Answer:
    """A signed answer, with what says how long it may be repeated; times in seconds since 1970."""

    __slots__ = (
        "_full_until", "_headers", "begins", "der", "ends", "etag", "fresh_until", "is_final",
        "issuer_id", "modified", "row_id", "serial",
    )  # fmt: skip

    def __init__(self, row: OCSPResponse) -> None:
        self.der = bytes(row.der)
        self.issuer_id: UUID = row.issuer_id
        self.serial: str = row.serial
        self.row_id: int = row.pk
        self.begins = row.this_update.timestamp()
        self.ends = row.next_update.timestamp()
        self.fresh_until = ocsp.refresh_at(row).timestamp()
        # Revoked for good: nothing that happens later makes it wrong.
        self.is_final = row.is_final
        self.etag, self.modified = answers.quoted(row.etag), answers.date(self.begins)
        # Until then max-age is the greatest, at which most answers are given.
        self._full_until = min(self.fresh_until, self.ends - 1) - answers.MAX_AGE_SECONDS
        # max-age, and the headers with it: of an answer, and of 304. Replaced as one.
        self._headers: tuple[int, Headers, Headers] = (-1, [], [])

    def may_be_said(self, now: float, *, is_confirmed: bool) -> bool:
        """Whether this is still what the database would have us say.

        `is_confirmed`: no change to it was seen, by who has looked within the promised time. What
        is past half its life is signed anew, which the database is for: only where nobody can be
        asked does a final answer go on to its end.
        """
        if not self.begins <= now < self.ends:
            return False
        if is_confirmed:
            return now < self.fresh_until
        return self.is_final

    def headers_at(self, now: float, *, unchanged: bool = False) -> Headers:
        """Return the view's headers, without those of one request: of the answer, or of 304."""
        if now <= self._full_until:
            age = answers.MAX_AGE_SECONDS
        else:
            left = min(self.fresh_until - now, self.ends - now - 1, answers.MAX_AGE_SECONDS)
            age = max(0, int(left))
        ready = self._headers
        if ready[0] != age:
            ready = self._headers = self._made(age)
        return ready[2] if unchanged else ready[1]

    def _made(self, age: int) -> tuple[int, Headers, Headers]:
        kept = [("ETag", self.etag), ("Last-Modified", self.modified)]
        caching = ("Cache-Control", answers.cache_control(age))
        expires = ("Expires", answers.date(self.ends))
        whole = [
            ("Content-Type", answers.OCSP),
            ("Content-Length", str(len(self.der))),
            caching,
            ("X-Content-Type-Options", "nosniff"),
            *kept,
            expires,
            answers.POLICY_HEADER,
        ]
        return age, whole, [caching, kept[0], expires, kept[1], answers.POLICY_HEADER]
