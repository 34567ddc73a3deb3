"""Work that messages ask for, however many there are: a pile of them costs as much as one.

A message says "look again", never how much there is to do, so whoever is looking already answers
for those that come meanwhile. Messages carry no expiry: a worker whose clock is ahead would drop
them all, and one that is late would drop the sweeps that it is late with.
"""

import threading
import time
from collections.abc import Callable


class Coalesced:
    """A function that at most `most` threads of this process run at once.

    Who comes while all are at it leaves a mark and goes; one of them then looks once more, so that
    nothing that was committed before its message is missed. `rest_seconds` is how long a run
    answers for what comes after it: only for sweeps, whose work can wait that long. After
    `longest_seconds` nobody looks again, for the next message will come.
    """

    def __init__(
        self,
        work: Callable[[], int],
        *,
        most: int = 1,
        rest_seconds: float = 0.0,
        longest_seconds: float = 120.0,
    ) -> None:
        self._work, self._most = work, most
        self._rest, self._longest = rest_seconds, longest_seconds
        self._lock = threading.Lock()
        self._running = 0
        self._again = False
        self._ended = float("-inf")  # of time.monotonic: wall clocks may jump

    def __call__(self) -> int:
        """Do the work, or leave it to who is at it; return how much was done here."""
        if not self._enter():
            return 0
        began, done = time.monotonic(), 0
        try:
            done += self._work()
            while self._goes_on(began):
                done += self._work()
        except BaseException:
            with self._lock:
                self._leave()
            raise
        return done

    def _enter(self) -> bool:
        with self._lock:
            if self._running >= self._most:
                self._again = True
                return False
            if time.monotonic() - self._ended < self._rest:
                return False
            self._running += 1
            return True

    def _goes_on(self, began: float) -> bool:
        # Looking for a mark and leaving are one step: a mark is seen here, or its bringer got in.
        with self._lock:
            if self._again and time.monotonic() - began < self._longest:
                self._again = False
                return True
            self._leave()
            return False

    def _leave(self) -> None:
        self._running -= 1
        self._again = self._again and self._running > 0
        self._ended = time.monotonic()
