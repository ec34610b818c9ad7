"""The benchmark runs from end to end; its figures are not looked at."""

import os
import signal
import subprocess
import sys

import pytest

from scripts.benchmark import documents
from scripts.benchmark.picture import drawn
from scripts.benchmark.stopwatch import Cost, Measured, Way, side_by_side
from scripts.benchmark.table import Row, Section, markdown, text
from scripts.steps import ROOT

SECTION = Section(
    "Renewal over http, the endpoint takes 0 ms",
    "What it means.",
    [Row("bare", "700 µs", 1.0), Row("our <own>", "350 µs", 2.0, "≥ 4", is_met=False)],
)


def test_everything_is_measured_once_in_little():
    done = subprocess.run(
        [sys.executable, "-m", "scripts.benchmark.command", "--tiny", "--plans"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": "", "CELERY_BROKER_URL": ""},
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    if "Nothing can be measured" in done.stderr:
        pytest.skip(done.stderr.strip())

    assert done.returncode == 0, done.stderr[-3000:]
    for title in ("Counts", "Renewal over https", "over the HTTP API", "Memory", "Due scan and claim", "Index Scan"):
        assert title in done.stdout


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_who_ends_it_half_way_finds_nothing_left_and_no_traceback(tmp_path, signum):
    command = [sys.executable, "-m", "scripts.benchmark.command", "--tiny"]
    environment = {**os.environ, "DATABASE_URL": "", "CELERY_BROKER_URL": "", "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as bench:
        first = bench.stdout.readline()

        bench.send_signal(signum)

        _, said = bench.communicate(timeout=60)
    if "Nothing can be measured" in said:
        pytest.skip(said.strip())
    assert first.startswith("…")
    assert bench.returncode != 0
    assert "Traceback" not in said
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("latchkey-")] == []


def test_documents_that_cannot_be_written_are_told_of_before(tmp_path):
    assert documents.unwritable(tmp_path) == tmp_path / "images" / "benchmarks.svg"

    (tmp_path / "images").mkdir()

    assert documents.unwritable(tmp_path) is None


@pytest.mark.parametrize("instances", ["0", "-5", "many"])
def test_a_day_of_no_instances_is_refused(instances):
    done = subprocess.run(
        [sys.executable, "-m", "scripts.benchmark.command", f"--day={instances}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "is no number of instances" in done.stderr


def test_ratios_are_of_the_same_round():
    measured = Measured({"a": [Cost(2, 4), Cost(20, 40), Cost(6, 6)], "base": [Cost(1, 1), Cost(10, 10), Cost(2, 2)]})

    assert measured.ratio("a", "base") == Cost(2, 4)


def test_each_round_begins_with_another_way_after_a_warm_up():
    ran = []
    ways = [Way(name, lambda times, name=name: ran.append((name, times)), 3) for name in "ab"]

    side_by_side(ways, rounds=2, warm_up=1)

    assert ran == [("a", 1), ("b", 1), ("a", 3), ("b", 3), ("b", 3), ("a", 3)]


@pytest.mark.parametrize("write", [text, markdown])
def test_the_table_says_what_was_missed(write):
    written = write([SECTION], ["2 cores"])

    assert "2 cores" in written
    assert "MISSED" in written
    assert "≥ 4" in written


def test_the_picture_is_whole_xml_with_a_bar_for_each_row():
    picture = drawn([SECTION], "2 cores")

    assert picture.count('rx="2"') == 2
    assert "our &lt;own&gt;" in picture
    assert picture.rstrip().endswith("</svg>")
