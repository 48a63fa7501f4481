"""The dashboard keeps the rules of a good one: the datasource chosen, every panel explained."""

import json
import re
from pathlib import Path

import pytest
import yaml

GRAFANA = Path(__file__).resolve().parents[2] / "deploy/grafana"
DASHBOARD = json.loads((GRAFANA / "dashboards/overview.json").read_text())
UNITS = {"none", "short", "s", "bytes", "mps"}
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH = 24


@pytest.fixture(params=DASHBOARD["panels"], ids=lambda panel: panel["title"])
def panel(request):
    return request.param


def test_a_panel_says_what_it_shows_and_in_which_unit(panel):
    assert panel["title"]
    assert len(panel["description"]) > 40
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
    assert panel["targets"]


def test_a_panel_takes_the_datasource_that_was_chosen(panel):
    assert panel["datasource"] == DATASOURCE
    assert all(target["datasource"] == DATASOURCE for target in panel["targets"])


def test_a_panel_asks_for_metrics_that_exist(panel, exported):
    for target in panel["targets"]:
        named = set(re.findall(r"\b(?:foreshock|process)_[a-z_]+", target["expr"]))
        assert named <= exported
        assert named or "up{" in target["expr"]
        assert target["legendFormat"]


def test_counters_are_rated_over_a_window_of_grafanas(panel):
    for target in panel["targets"]:
        counters = re.findall(r"(\w*)\(\w+_(?:total|bucket)(\[[^\]]*\])?", target["expr"])
        assert len(counters) == len(re.findall(r"_(?:total|bucket)\b", target["expr"]))
        for function, window in counters:
            assert function in {"rate", "increase"}
            assert window in {"[$__rate_interval]", "[$__range]"}


def test_panels_fill_their_rows_and_do_not_overlap():
    cells = [
        (x, y)
        for each in (panel["gridPos"] for panel in DASHBOARD["panels"])
        for x in range(each["x"], each["x"] + each["w"])
        for y in range(each["y"], each["y"] + each["h"])
    ]
    bottom = 1 + max(y for _, y in cells)
    assert len(cells) == len(set(cells)) == WIDTH * bottom


def test_whether_all_are_up_comes_first():
    assert (
        "up{"
        in min(DASHBOARD["panels"], key=lambda panel: panel["gridPos"]["y"])["targets"][0]["expr"]
    )


def test_the_datasource_is_a_variable_and_the_provisioned_one_its_default():
    (variable,) = DASHBOARD["templating"]["list"]
    provisioned = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text())
    (datasource,) = provisioned["datasources"]
    assert (variable["type"], variable["query"]) == ("datasource", datasource["type"])
    assert variable["current"]["value"] == datasource["uid"]
    assert not DASHBOARD["editable"]
