"""A pile of messages costs as much as one, and none is lost."""

import threading

import pytest

from foundation.coalesced import Coalesced


class Work:
    """Counts its runs; each waits until it is let go."""

    def __init__(self):
        self.runs = 0
        self.begun = threading.Semaphore(0)
        self.go = threading.Semaphore(0)

    def __call__(self):
        self.runs += 1
        self.begun.release()
        assert self.go.acquire(timeout=10)
        return 1


def in_thread(call):
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    return thread


def test_who_comes_while_all_are_at_it_is_answered_by_one_more_look():
    work = Work()
    once = Coalesced(work)
    first = in_thread(once)
    assert work.begun.acquire(timeout=10)
    assert [once() for _ in range(50)] == [0] * 50  # they leave at once
    work.go.release(2)
    first.join(10)
    assert not first.is_alive()
    assert work.runs == 2


def test_no_more_than_so_many_run_at_once():
    work = Work()
    twice = Coalesced(work, most=2)
    threads = [in_thread(twice) for _ in range(2)]
    assert work.begun.acquire(timeout=10)
    assert work.begun.acquire(timeout=10)
    assert twice() == 0
    assert work.runs == 2
    work.go.release(3)
    for thread in threads:
        thread.join(10)
    assert work.runs == 3


def test_a_sweep_answers_for_what_piled_up_behind_it():
    runs = []
    sweep = Coalesced(lambda: runs.append(1) or 1, rest_seconds=60)
    assert [sweep() for _ in range(100)] == [1] + [0] * 99
    assert len(runs) == 1


def test_without_a_rest_each_message_has_its_look():
    runs = []
    hint = Coalesced(lambda: runs.append(1) or 1)
    assert [hint() for _ in range(3)] == [1, 1, 1]


def test_a_look_that_fails_lets_the_next_one_in():
    def fails():
        raise LookupError

    once = Coalesced(fails)
    for _ in range(2):
        with pytest.raises(LookupError):
            once()


def test_nobody_looks_again_for_ever():
    once = Coalesced(lambda: once() + 1, longest_seconds=0)  # each run is asked for another one
    assert once() == 1
