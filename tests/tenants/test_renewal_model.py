"""Random sequences of reads, ticks, failures, secret changes and crashes, held against what must always be true.

The ordinary run tries the same few walks each time. `RENEWAL_MODEL_EXAMPLES=5000` tries so many new ones.
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.tenants.renewal_machine import RenewalMachine
from tests.tenants.renewal_scene import CLIENTS, SECRETS

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

EXAMPLES = int(os.environ.get("RENEWAL_MODEL_EXAMPLES", "0"))
STEPS = 30
NAMES = [name for name, *_ in CLIENTS]


def set_moods(machine, mood):
    for host in machine.world.hosts:
        machine.a_host_is_in_trouble(host, mood)


def let_them_know(machine, secret):
    for name in NAMES:
        machine.a_provider_knows_these_secrets(name, {secret})


def let_them_talk(machine, nonsense):
    for name in NAMES:
        machine.a_provider_changes_its_ways(name, 3600, nonsense)


# What the providers do while a worker asks that is then stopped until its lease is another's, and what they do then.
ANSWERS = {
    "a token": (lambda machine: None, lambda machine: None),
    "a refusal": (
        lambda machine: let_them_know(machine, SECRETS[1]),
        lambda machine: let_them_know(machine, SECRETS[0]),
    ),
    "an outage": (lambda machine: set_moods(machine, "down"), lambda machine: set_moods(machine, "well")),
    "nonsense": (lambda machine: let_them_talk(machine, True), lambda machine: let_them_talk(machine, False)),
}


@pytest.fixture
def machine():
    machine = RenewalMachine()
    yield machine
    machine.teardown()


def overtakings(machine, answers, *, asks, is_busy):
    """How often it happened within four hours, in which each instance is due several times."""
    happened = 0
    for _ in range(6):
        machine.time_passes(2400)
        ANSWERS[answers][0](machine)
        happened += machine.overtaking(asks=asks, is_busy=is_busy, first=lambda: ANSWERS[answers][1](machine))
    return happened


@pytest.mark.parametrize("is_busy", [True, False], ids=["that still asks", "that is done"])
@pytest.mark.parametrize("answers", ANSWERS)
def test_what_a_worker_was_told_counts_no_more_once_another_has_its_lease(machine, answers, is_busy):
    assert overtakings(machine, answers, asks=True, is_busy=is_busy)


def test_a_worker_cannot_give_back_what_is_anothers_by_now(machine):
    assert overtakings(machine, "a token", asks=False, is_busy=True)


def test_whatever_happens_renewal_keeps_its_promises():
    run_state_machine_as_test(
        RenewalMachine,
        settings=settings(
            max_examples=EXAMPLES or 20,
            stateful_step_count=STEPS,
            derandomize=not EXAMPLES,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            # Making a walk that failed shorter takes minutes: that is for a search by hand.
            phases=list(Phase) if EXAMPLES else [Phase.generate],
        ),
    )
