"""The page for who is on call: its alerts can be used as they stand."""

import re
from pathlib import Path

import pytest
from prometheus_client import Metric
from ruamel.yaml import YAML

from config.operations import metrics
from config.operations.counts import BOUNDS, HISTOGRAMS, Counts
from config.operations.housekeeping import keep_counts
from config.operations.models import Heartbeat

PAGE = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()
BLOCKS = [YAML(typ="safe").load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
RULES = [rule for block in BLOCKS for group in block.get("groups", ()) for rule in group["rules"]]
NAME = re.compile(r"latchkey_\w+")


@pytest.fixture
def families(db) -> dict[str, Metric]:
    Heartbeat.objects.beat(Heartbeat.Part.TICK)
    process = Counts()
    for histogram in HISTOGRAMS:
        process.observe(histogram, 0.1, "zoom")
    keep_counts(process)
    return {metric.name: metric for metric in metrics.work_out(lambda: [("zoom", "active", 1)])}


def named(metric):
    """The names that a metric has on /metrics."""
    endings = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(metric.type, [""])
    return {metric.name + ending for ending in endings}


def test_there_is_an_alert_for_each_part():
    assert {"LatchkeyDown", "LatchkeyNoWorker", "LatchkeyNoTicks", "LatchkeyBacklog"} <= {one["alert"] for one in RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_names_metrics_that_exist(rule, families):
    exist = set().union(*(named(metric) for metric in families.values()))
    used = set(NAME.findall(rule["expr"]))

    assert used or rule["expr"].startswith("up{")
    assert used <= exist
    assert rule["annotations"]["summary"]
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["expr"].count("(") == rule["expr"].count(")")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_labels_that_exist(rule):
    labels = {*re.findall(r"(\w+)=~?\"", rule["expr"]), *re.findall(r"\$labels\.(\w+)", str(rule["annotations"]))}
    by = {name for group in re.findall(r"by \(([^)]*)\)", rule["expr"]) for name in group.replace(",", " ").split()}

    assert labels | by <= {"connector", "outcome", "result", "status", "part", "le", "job"}


def test_every_metric_is_explained(families):
    shown = {name for line in PAGE.splitlines() if line.startswith("| `latchkey") for name in NAME.findall(line)}

    assert shown == {
        name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")
        for metric in families.values()
        for name in named(metric)
    }
    assert BOUNDS[-1] == "+Inf"
