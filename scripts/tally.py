"""Tests counted over several runs of pytest, and why some were skipped."""

from collections import Counter
from pathlib import Path
from xml.etree import ElementTree


class Tally:
    def __init__(self) -> None:
        self.passed = self.failed = self.skipped = 0
        self.reasons: Counter[str] = Counter()

    def add(self, results: Path) -> int:
        """Count one run's JUnit file; how many tests really ran."""
        if not results.exists():
            return 0
        before = self.passed + self.failed
        for case in ElementTree.parse(results).iter("testcase"):  # noqa: S314 - pytest's own file
            self._count(case)
        return self.passed + self.failed - before

    def line(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"

    def _count(self, case: ElementTree.Element) -> None:
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            self.failed += 1
        elif skip is not None:
            self.skipped += 1
            self.reasons[skip.get("message", "").removeprefix("Skipped: ")] += 1
        else:
            self.passed += 1
