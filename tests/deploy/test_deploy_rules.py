"""The rules by which Prometheus tells an operator: of metrics that exist, each tried both ways."""

import asyncio
import re
from pathlib import Path

import pytest
import yaml

from foreshock_kit.testing.process import bare_environment

HERE = Path(__file__).resolve().parent
DEPLOY = HERE.parents[1] / "deploy"
TRIED = HERE / "rules.test.yml"
CONFIG = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
(NAME,) = CONFIG["rule_files"]
(GROUP,) = yaml.safe_load((DEPLOY / "prometheus" / NAME).read_text())["groups"]
RULES = {rule["alert"]: rule for rule in GROUP["rules"]}


@pytest.fixture(params=RULES.values(), ids=RULES)
def rule(request):
    return request.param


def test_a_rule_asks_for_metrics_that_exist(rule, exported):
    named = set(re.findall(r"\bforeshock_[a-z_]+(?=[{)\[])", rule["expr"]))
    assert named <= exported
    assert named or "up{" in rule["expr"]


def test_a_rule_says_what_is_wrong_and_what_to_do(rule):
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert len(rule["annotations"]["action"]) > 40


def test_each_rule_is_tried_both_ways(rule):
    tried = [
        bool(each.get("exp_alerts"))
        for test in yaml.safe_load(TRIED.read_text())["tests"]
        for each in test["alert_rule_test"]
        if each["alertname"] == rule["alert"]
    ]
    assert set(tried) == {True, False}


@pytest.mark.prometheus
async def test_the_rules_fire_when_they_should():
    process = await asyncio.create_subprocess_exec(
        "promtool",
        *("test", "rules", str(TRIED)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=bare_environment(),
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
