"""The alert rules of the page for who is on call, read by a parser of PromQL: they can be loaded as they stand."""

import re
from datetime import timedelta
from pathlib import Path

import promql_parser
import pytest
from promql_parser import AggregateExpr, MatchOp, VectorSelector
from ruamel.yaml import YAML

from config.operations import metrics
from config.operations.counts import COUNTERS, HISTOGRAMS, Counts
from config.operations.housekeeping import keep_counts
from config.operations.models import Heartbeat
from connectors.oauth2 import errors
from tenants.models import Instance

PAGE = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()
BLOCKS = [YAML(typ="safe").load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
GROUPS = [group for block in BLOCKS for group in block.get("groups", ())]
RULES = [rule for group in GROUPS for rule in group["rules"]]
DURATION = re.compile(r"(\d+[smhd])+")

CODES = {
    kind.code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.LatchkeyError)
}
# Of labels that can only have some values, by metric.
VALUES = {
    ("latchkey_renewals_total", "outcome"): CODES | {"renewed", "secret_unreadable"},
    ("latchkey_budgeted_mints_total", "result"): {"made", "refused"},
    ("latchkey_api_requests_total", "status"): {str(status) for status in range(200, 600)},
    ("latchkey_instances", "status"): set(Instance.Status.values),
    ("latchkey_heartbeat_age_seconds", "part"): set(Heartbeat.Part.values),
    ("latchkey_webhook_endpoints", "state"): {"enabled", "troubled", "disabled"},
} | {
    (f"{metric.name}_total", label): {values[place] for values in metric.known}
    for metric in COUNTERS
    if metric.known
    for place, label in enumerate(metric.labels)
}

each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])


@pytest.fixture
def labels(db) -> dict[str, set[str]]:
    """The names of labels, by the name under which a series stands on /metrics."""
    process = Counts()
    for counter in COUNTERS:
        process.count(counter, *counter.labels)
    for histogram in HISTOGRAMS:
        process.observe(histogram, [0.1], *histogram.labels)
    keep_counts(process)
    Heartbeat.objects.beat(Heartbeat.Part.TICK)
    families = metrics.work_out(lambda: [("zoom", "active", 1)])
    return {sample.name: set(sample.labels) for family in families for sample in family.samples}


def found(expr, kind):
    """The nodes of that kind, the outermost first."""
    nodes = []
    promql_parser.walk(expr, pre_visit=lambda node: nodes.append(node) if isinstance(node, kind) else None)
    return nodes


def test_the_rules_are_what_prometheus_reads():
    assert all(set(group) <= {"name", "interval", "rules"} for group in GROUPS)
    assert all(set(rule) <= {"alert", "expr", "for", "labels", "annotations"} for rule in RULES)
    assert all(DURATION.fullmatch(rule.get("for", "0s")) for rule in RULES)
    assert all(rule["labels"]["severity"] in ("page", "ticket") for rule in RULES)
    assert all(rule["annotations"]["summary"] for rule in RULES)
    assert len({rule["alert"] for rule in RULES}) == len(RULES)


@each_rule
def test_a_rule_compares_something(rule):
    expr = promql_parser.parse(rule["expr"])

    # Without a comparison it would fire whatever the value is.
    assert isinstance(expr, promql_parser.BinaryExpr)
    assert found(expr, VectorSelector)


@each_rule
def test_a_rule_looks_at_metrics_with_labels_and_values_that_exist(rule, labels):
    for selector in found(promql_parser.parse(rule["expr"]), VectorSelector):
        if selector.name == "up":  # Prometheus' own
            continue
        assert selector.name in labels
        for matcher in selector.matchers.matchers:
            assert matcher.name in labels[selector.name]
            wanted = matcher.value.split("|") if matcher.op in (MatchOp.Re, MatchOp.NotRe) else [matcher.value]
            assert set(wanted) <= VALUES[selector.name, matcher.name]


@each_rule
def test_a_rule_keeps_the_labels_that_it_speaks_of(rule, labels):
    expr = promql_parser.parse(rule["expr"])
    for aggregate in found(expr, AggregateExpr):
        [selector] = found(aggregate, VectorSelector)
        assert set(aggregate.modifier.labels if aggregate.modifier else ()) <= labels[selector.name]

    spoken_of = set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))
    for aggregate in found(expr, AggregateExpr)[:1]:
        assert spoken_of <= set(aggregate.modifier.labels if aggregate.modifier else ())
    if not found(expr, AggregateExpr) and spoken_of:
        assert spoken_of <= labels[found(expr, VectorSelector)[0].name]


@each_rule
def test_what_a_rule_looks_back_on_holds_several_scrapes(rule):
    for matrix in found(promql_parser.parse(rule["expr"]), promql_parser.MatrixSelector):
        assert matrix.range >= timedelta(minutes=5)
