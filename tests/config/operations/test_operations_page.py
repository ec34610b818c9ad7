"""The page for who is on call: it explains every metric, and each part has its alert."""

import re

from config.operations.counts import BOUNDS
from tests.config.operations.test_alerts import PAGE, RULES, labels

__all__ = ["labels"]

NAME = re.compile(r"latchkey_\w+")


def test_there_is_an_alert_for_each_part():
    parts = {"Down", "NoWorker", "NoTicks", "Backlog", "WebhooksLate", "MailFails"}

    assert {f"Latchkey{part}" for part in parts} <= {rule["alert"] for rule in RULES}


def test_every_metric_is_explained_with_its_labels(labels):
    rows = [line.split("|") for line in PAGE.splitlines() if line.startswith("| `latchkey")]
    explained = {NAME.search(row[1]).group(): set(re.findall(r"`(\w+)`", row[2])) for row in rows}

    assert explained == {
        re.sub(r"_seconds_(bucket|sum|count)$", "_seconds", name): found - {"le"} for name, found in labels.items()
    }
    assert BOUNDS[-1] == "+Inf"
