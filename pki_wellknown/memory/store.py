"""What is remembered, in bounds, and until when it holds.

The database is the truth. An answer is put in by who has just read it there, is taken out when the
log of changes names its serial, and is said only while somebody has looked into that log within
the promised time: a process that has lost the database, or was stopped, says `good` no longer.
"""

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from pki_wellknown.memory.answer import Answer

# The issuer's slug as it was asked, and the question's DER or the bare serial.
Question = tuple[str, bytes | int]


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Somebody looked for changes: at `asked_at` by our clock, before the database was asked.

    `offset` is what makes seconds since 1970 of our clock (`memory.clock`). `changes` counts all
    times that something was forgotten: what was read before the last of them may be older.
    """

    asked_at: float
    offset: float
    changes: int


@dataclass(slots=True)
class Counts:
    """What is counted since the process began."""

    hits: int = 0
    misses: int = 0
    forgotten: int = 0


class Memory:
    """Answers by question, `most` at most: the one that was asked for longest ago goes first.

    `promised_seconds` is the longest that a confirmation counts.
    """

    def __init__(self, *, most: int, promised_seconds: float) -> None:
        self.most, self.promised_seconds = most, promised_seconds
        self.counts = Counts()
        self.confirmation: Confirmation | None = None
        self._changes = 0
        self._lock = threading.Lock()
        self._answers: OrderedDict[Question, Answer] = OrderedDict()
        self._questions: defaultdict[UUID, dict[str, set[Question]]] = defaultdict(dict)
        self._asked: set[int] = set()

    def __len__(self) -> int:
        return len(self._answers)

    def say(self, question: Question, elapsed: float) -> tuple[Answer, float] | None:
        """Return an answer that may be given at `elapsed`, and that time in seconds since 1970.

        Without the lock, which many threads would wait for: each step is one that the interpreter
        does not divide. The confirmation is read first, so that an answer which is forgotten
        meanwhile is weighed by one that is older than the change.
        """
        confirmation = self.confirmation
        answer = self._answers.get(question)
        if answer is not None and confirmation is not None:
            now = elapsed + confirmation.offset
            age = elapsed - confirmation.asked_at
            if answer.may_be_said(now, is_confirmed=0 <= age <= self.promised_seconds):
                try:  # noqa: SIM105 - what costs nothing, unlike `suppress`
                    self._answers.move_to_end(question)
                except KeyError:  # it was taken out just now
                    pass
                self.counts.hits += 1
                return answer, now
        self.counts.misses += 1
        return None

    def put(self, question: Question, answer: Answer, seen: Confirmation | None) -> None:
        """Remember what was read after `seen` was the newest confirmation.

        Not where something was forgotten since: the database may have been read before that.
        """
        with self._lock:
            if len(self._asked) < self.most:
                self._asked.add(answer.row_id)
            if seen is None or seen.changes != self._changes or self.most < 1:
                return
            self._take_out(question)
            self._answers[question] = answer
            self._questions[answer.issuer_id].setdefault(answer.serial, set()).add(question)
            if len(self._answers) > self.most:
                self._take_out(next(iter(self._answers)))

    def confirm(
        self,
        *,
        asked_at: float,
        offset: float,
        serials: Iterable[tuple[UUID, str]] = (),
        issuers: Collection[UUID] = (),
        everything: bool = False,
    ) -> None:
        """Forget what was changed, then count as confirmed at `asked_at`."""
        with self._lock:
            before = self._changes
            if everything:
                self._answers.clear()
                self._questions.clear()
                self._changes += 1
            for issuer in issuers:
                for questions in list(self._questions[issuer].values()):
                    self._forget(questions)
                self._changes += 1
            for issuer, serial in serials:
                self._forget(self._questions[issuer].get(serial, set()))
                self._changes += 1
            self.counts.forgotten += self._changes - before
            self.confirmation = Confirmation(asked_at, offset, self._changes)

    def asked(self) -> set[int]:
        """Return the rows that were asked for since the last time, by their keys."""
        with self._lock:
            asked, self._asked = self._asked, set()
        return asked

    def _forget(self, questions: set[Question]) -> None:
        for question in list(questions):
            self._take_out(question)

    def _take_out(self, question: Question) -> None:
        answer = self._answers.pop(question, None)
        if answer is None:
            return
        serials = self._questions[answer.issuer_id]
        serials[answer.serial].discard(question)
        if not serials[answer.serial]:
            del serials[answer.serial]
