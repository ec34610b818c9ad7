"""Runs of pytest beside others: what they wrote is shown, how they went is told, and none goes on without us."""

import sys

import pytest

from scripts.runs import Runs, running
from scripts.steps import Result

# Of all the plugins that are installed only the one whose option is used: a second for each start.
ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "xdist.plugin", "DJANGO_SETTINGS_MODULE": ""}


@pytest.mark.parametrize(
    ("body", "result", "told"),
    [
        ("assert True", Result.PASSED, "1 passed, 0 failed, 0 skipped"),
        ("assert 'seen' == 'wanted'", Result.FAILED, "0 passed, 1 failed, 0 skipped"),
        ("import pytest; pytest.skip('no browser')", Result.SKIPPED, "0 passed, 0 failed, 1 skipped"),
    ],
)
def test_a_run_beside_others_is_shown_and_counted_when_it_is_asked_for(tmp_path, capsys, body, result, told):
    (tmp_path / "test_it.py").write_text(f"def test_it():\n    {body}\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "results").mkdir()
    tests = Runs([], tmp_path / "results")

    with tests.beside(
        "in a browser", ALONE, "-c", str(tmp_path / "pytest.ini"), str(tmp_path / "test_it.py")
    ) as others:
        outcome = others()

    assert outcome.result is result
    assert tests.tally.line() == told
    shown = capsys.readouterr().out
    assert shown.startswith("\nin a browser\n")
    assert ("'seen' == 'wanted'" in shown) is (result is Result.FAILED)


def test_a_run_beside_others_in_which_nothing_is_found_fails(tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    tests = Runs([], tmp_path / "results")
    (tmp_path / "results").mkdir()

    with tests.beside("in a browser", ALONE, "-c", str(tmp_path / "pytest.ini"), str(tmp_path)) as others:
        assert others().result is Result.FAILED


def test_what_still_runs_when_we_are_interrupted_may_clear_up_and_ends(tmp_path):
    program = (
        "import pathlib, signal, sys, time\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "try:\n    print('here', flush=True)\n    time.sleep(60)\n"
        "except KeyboardInterrupt:\n    pathlib.Path(sys.argv[1]).write_text('cleared up')\n"
    )
    written, ended = tmp_path / "written", []

    def interrupted():
        with (
            written.open("wb") as output,
            running([sys.executable, "-c", program, str(tmp_path / "told")], {}, output.fileno()) as process,
        ):
            while not written.read_text():
                assert process.poll() is None
            ended.append(process)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert ended[0].returncode is not None
    assert (tmp_path / "told").read_text() == "cleared up"
