"""A whole platform whose parts are killed, stopped or starved: no token is lost, none asked for twice, nothing sticks.

The ordinary run kills a few parts; `FAULT_ROUNDS=50` kills as many as that.
"""

import os
import random
import time

import pytest

from tests.faults.platform import LEASE, TICK, platform
from tests.services.process import CannotStart

pytestmark = pytest.mark.faults

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "3"))
DOWN_FOR = 4.0 if ROUNDS <= 3 else 15.0  # seconds
INSTANCES = 20
SHORT = 5  # seconds that tokens live where an outage is to outlast them
PARTS = ("worker-1", "worker-2", "beat-1", "reader", "web")
WRITTEN_WITHIN = 3.0  # seconds from a mint to its place in the database; who is killed meanwhile loses it


@pytest.fixture
def lives():
    """For how many seconds tokens live at first."""
    return 12


@pytest.fixture
def running(tmp_path, lives):
    try:
        with platform(tmp_path, INSTANCES, lives) as made:
            yield made
    except CannotStart as reason:
        pytest.skip(str(reason))


def account(running, capsys, **figures):
    """Every mint is accounted for: stored, or lost by who was killed just then."""
    running.come_to_an_end()
    issued, stored = running.mints()
    lost = []
    for name, times in issued.items():
        left = list(times)
        for at in stored[name]:
            nearest = min(left, key=lambda one: abs(one - at), default=None)
            assert nearest is not None, f"{name} has a token that nobody issued"
            assert abs(nearest - at) < WRITTEN_WITHIN, f"{name} has a token that nobody issued"
            left.remove(nearest)
        lost += left
    for at in lost:
        assert any(at - 0.5 <= killed <= at + WRITTEN_WITHIN for killed in running.kills), f"a token of {at} was lost"
    book = running.book()
    assert book["together"] == 0
    seen, kept = sum(map(len, issued.values())), sum(map(len, stored.values()))
    assert seen == kept + len(lost)
    figures |= {"mints seen": seen, "stored": kept, "lost by kills": len(lost), "reads": len(running.reads())}
    with capsys.disabled():
        print("\n" + ", ".join(f"{name}: {figure}" for name, figure in figures.items()))


def judge_reads(running):
    """No reader was handed what was dead, or anything but an answer with a reason."""
    dies = {mint["token"]: mint["dies"] for mint in running.book()["mints"]}
    reads = running.reads()
    served = [read for read in reads if "token" in read]
    assert {read["token"] for read in served} <= set(dies)
    assert all(read["asked"] < dies[read["token"]] for read in served), "a token was served that had died before"
    return len(served)


def test_whoever_is_killed_no_token_is_lost_and_nothing_sticks(running, capsys):
    seed = int(os.environ.get("FAULT_SEED", "0")) or random.randrange(10**6)  # noqa: S311
    chance = random.Random(seed)  # noqa: S311
    running.start_worker("worker-1", skew=60)
    running.start_worker("worker-2", skew=-60)
    running.start_beat("beat-1")
    running.start_beat("beat-2")
    running.start_reader("reader", skew=-60)
    running.start_web()
    wait_until(lambda: running.read_web() == 200 and running.reads())
    wait_until(lambda: len(running.book()["mints"]) >= 2 * INSTANCES)
    longest = 0.0

    for _ in range(ROUNDS):
        time.sleep(chance.uniform(0.0, 3.0))
        part = chance.choice(PARTS)
        running.kill(part)
        killed = time.monotonic()
        owners = running.owners()
        running.restart(part)
        running.recovers(owners)
        longest = max(longest, time.monotonic() - killed)

    assert judge_reads(running)
    account(running, capsys, seed=seed, rounds=ROUNDS, kills=ROUNDS, longest=f"{longest:.1f} s")


@pytest.mark.parametrize("lives", [SHORT])
def test_whatever_fails_around_it_the_platform_recovers(running, capsys):
    running.start_worker("worker-1", skew=60)
    running.start_beat("beat-1")
    running.start_web()
    took = {}

    # A clock that is a minute ahead is no reason to take ticks for expired.
    wait_until(lambda: len(running.book()["mints"]) >= 2 * INSTANCES)

    wait_until(lambda: running.read_web() == 200)
    read, unread = running.ids[: INSTANCES // 2], set(running.ids[INSTANCES // 2 :])
    running.start_reader("reader", ids=read)
    wait_until(running.reads)
    running.broker.stop()
    wait_until(lambda: unread <= running.dead())  # nobody sends ticks
    stopped = time.monotonic()
    wait_until(lambda: is_served_since(stopped, running))  # but readers see to what they need
    running.broker.start()
    took["broker gone"] = running.renews_everything()

    running.kills.append(time.time())  # whoever is asking just now can't write what it gets
    running.database.stop()
    assert running.read_web() == 503  # callers may wait for it
    wait_until(lambda: all(mint["dies"] < time.monotonic() for mint in running.book()["mints"]))
    time.sleep(TICK)
    running.tell(lives=12)
    running.kills.append(time.time())
    running.database.start()
    took["database restarted"] = running.recovers()
    wait_until(lambda: running.read_web() == 200)

    running.tell(mood="slow")
    time.sleep(LEASE)
    running.tell(mood="well")
    took["slow answers"] = running.recovers()

    running.tell(mood="down")
    wait_until(lambda: any("failing" in found for found in running.ails()))
    asked = len(running.book()["requests"])
    time.sleep(DOWN_FOR)
    asked = len(running.book()["requests"]) - asked
    reasons = running.rows("SELECT status_reason FROM tenants_instance WHERE status = 'failing'")
    running.tell(mood="well")
    took["endpoint down"] = running.recovers()

    assert asked <= INSTANCES, "a dead endpoint is probed, not asked by everyone again and again"
    assert all(row["status_reason"] for row in reasons)
    assert judge_reads(running)
    account(running, capsys, **{name: f"{seconds:.1f} s" for name, seconds in took.items()})


@pytest.mark.parametrize("lives", [SHORT])
@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_a_broker_that_is_lost_in_mid_task_takes_no_worker_with_it(running, capsys, pool):
    running.start_worker("worker-1", pool=pool)
    running.start_beat("beat-1")
    running.tell(takes=0.8)
    longest = 0.0

    for _ in range(2):
        wait_until(lambda: somebody_asks(running))
        running.broker.stop()
        time.sleep(1.0)
        running.broker.start()
        longest = max(longest, running.renews_everything())
    running.tell_broker("REPLICAOF", "127.0.0.1", "1")  # as in a failover; it writes nothing any more
    time.sleep(2.0)
    running.tell_broker("REPLICAOF", "NO", "ONE")
    longest = max(longest, running.renews_everything())

    assert running.runs("worker-1")
    account(running, capsys, pool=pool, brokers=3, longest=f"{longest:.1f} s")


def somebody_asks(running):
    """Whether a request for a token came in just now, which is answered only in a while."""
    return any(time.time() - at < 0.3 for at, _ in running.book()["requests"])


def is_served_since(when, running):
    """Whether somebody was handed a token that was bought after that."""
    bought = {mint["token"] for mint in running.book()["mints"] if mint["dies"] - mint["lives"] > when}
    return any(read.get("token") in bought for read in running.reads())


def wait_until(condition, within=60.0):
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < within
        time.sleep(0.1)
