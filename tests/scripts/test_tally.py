import pytest

from scripts.runs import Runs
from scripts.steps import Outcome, Result
from scripts.tally import Tally
from scripts.testing import conclude

RESULTS = """<testsuites><testsuite>
<testcase name="a"/><testcase name="b"/>
<testcase name="c"><failure message="no"/></testcase>
<testcase name="d"><error message="no"/></testcase>
<testcase name="e"><skipped message="no browser"/></testcase>
</testsuite></testsuites>"""


@pytest.fixture
def results(tmp_path):
    (tmp_path / "results.xml").write_text(RESULTS)
    return tmp_path / "results.xml"


def test_counts_add_up_over_all_runs(results):
    tally = Tally()

    ran = [tally.add(results), tally.add(results)]

    assert ran == [4, 4]
    assert tally.line() == "4 passed, 4 failed, 2 skipped"
    assert tally.reasons == {"no browser": 2}


def test_the_totals_stand_alone_on_the_last_line(results, capsys):
    tally = Tally()
    tally.add(results)

    code = conclude([], tally, 1.0)

    assert code == 1
    assert capsys.readouterr().out.splitlines()[-1] == "2 passed, 2 failed, 1 skipped"


def test_a_failed_step_fails_the_whole(results, capsys):
    tally = Tally()
    tally.passed = 1

    assert conclude([Outcome("types", Result.FAILED)], tally, 1.0) == 1
    assert conclude([Outcome("types", Result.PASSED)], tally, 1.0) == 0
    assert "Failed: types" in capsys.readouterr().out


def test_a_skipped_step_is_told_with_its_reason_and_remedy(capsys):
    tally = Tally()
    tally.passed = 1

    conclude([Outcome("tests on Redis", Result.SKIPPED, reason="no Redis", remedy="Install Redis.")], tally, 1.0)

    shown = capsys.readouterr().out
    assert "no Redis" in shown
    assert "Install Redis." in shown


def test_no_test_at_all_is_a_failure(capsys):
    assert conclude([], Tally(), 1.0) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "ran", "result"),
    [
        ([], 0, 3, Result.PASSED),
        ([], 1, 3, Result.FAILED),
        ([], 0, 0, Result.FAILED),
        ([], 5, 0, Result.FAILED),
        (["-k", "nothing"], 5, 0, Result.SKIPPED),
        ([], 4, 0, Result.FAILED),
    ],
)
def test_a_run_without_a_test_is_a_failure(tmp_path, arguments, code, ran, result):
    assert Runs(arguments, tmp_path)._judge("tests", code, ran, 1.0).result is result


def test_the_totals_say_what_was_not_run_at_all(capsys):
    tally = Tally()
    tally.passed = 5

    code = conclude([Outcome("on PostgreSQL", Result.SKIPPED, reason="none is here", remedy="Install it.")], tally, 1)

    said = capsys.readouterr().out
    assert code == 0
    assert "none is here" in said
    assert "Install it." in said
    assert said.endswith("\nNot run: on PostgreSQL\n\n5 passed, 0 failed, 0 skipped\n")
