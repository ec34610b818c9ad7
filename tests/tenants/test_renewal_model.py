"""Random sequences of reads, ticks, failures, secret changes and crashes, held against what must always be true.

The ordinary run tries the same few walks each time. `RENEWAL_MODEL_EXAMPLES=5000` tries so many new ones.
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.tenants.renewal_machine import RenewalMachine

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

EXAMPLES = int(os.environ.get("RENEWAL_MODEL_EXAMPLES", "0"))
STEPS = 30


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
