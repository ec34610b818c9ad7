"""Jobs worked off by threads: few, or as many as there may be where they take their time."""

import threading

import pytest

from tenants import threads
from tenants.threads import Crew

LONG = 60.0  # seconds, for what normally takes milliseconds


def taken(crew):
    results = []
    while crew.due:
        results += crew.results(LONG)
    return results


def test_every_job_is_done_once():
    crew = Crew(5)
    for number in range(200):
        crew.give(lambda number=number: number)

    assert sorted(taken(crew)) == list(range(200))


def test_a_result_may_lead_to_another_job():
    crew = Crew(2)
    crew.give(lambda: "first")

    first = crew.results(LONG)
    crew.give(lambda: "second")

    assert (first, taken(crew), crew.due) == (["first"], ["second"], 0)


def test_slow_jobs_are_done_side_by_side_by_as_many_as_there_may_be():
    together = threading.Barrier(7)
    crew = Crew(7)
    for _ in range(7):
        crew.give(lambda: together.wait(LONG))

    assert sorted(taken(crew)) == list(range(7))


def test_never_more_threads_than_there_may_be():
    at_work, seen, lock = [], [], threading.Lock()

    def job():
        with lock:
            at_work.append(1)
            seen.append(len(at_work))
        threading.Event().wait(2 * threads.PATIENCE)
        with lock:
            at_work.pop()

    crew = Crew(3)
    for _ in range(20):
        crew.give(job)

    assert len(taken(crew)) == 20
    assert max(seen) <= 3


def test_what_is_done_is_handed_over_while_others_take_their_time():
    may_end = threading.Event()
    crew = Crew(2)
    crew.give(lambda: may_end.wait(LONG))
    crew.give(lambda: "done")

    early = []
    while not early:
        early = crew.results(0.05)
    may_end.set()

    assert early == ["done"]
    assert taken(crew) == [True]


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_to_do_takes_no_time(count):
    crew = Crew(2)
    for _ in range(count):
        crew.give(lambda: "done")

    assert crew.results(LONG) == ["done"] * count
