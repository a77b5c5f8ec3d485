"""What Prometheus and Grafana are given: it can be read, and asks for metrics that the farm has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from tests.docker.files import DOCKER, compose
from tests.farm.conftest import ROOT
from workers.metrics.catalogue import EVERY, Kind, Metric

ABOUT_SCRAPING = {"editfarm_worker_info", "editfarm_scrape_errors_total"}
LABELS = {label for metric in EVERY for label in metric.labels} | {"le", "job"}


def series(metric: Metric) -> set[str]:
    """Return the names under which Prometheus has a metric."""
    parts = ("_bucket", "_count", "_sum") if metric.kind is Kind.HISTOGRAM else ("",)
    return {metric.name + part for part in parts}


METRICS = {name for metric in EVERY for name in series(metric)}


def dashboard() -> dict[str, Any]:
    return dict(json.loads((DOCKER / "grafana/dashboards/editfarm.json").read_text()))


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load((DOCKER / "alerts.yml").read_text())["groups"]
    return list(group["rules"])


def expressions() -> Iterator[str]:
    """Yield all that is asked of Prometheus."""
    yield from (target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", ()))
    yield from (rule["expr"] for rule in rules())


def test_dashboard_and_rules_ask_for_metrics_that_there_are_and_the_dashboard_shows_every_one() -> None:
    asked = {name for one in expressions() for name in re.findall(r"\beditfarm_\w+", one)}

    assert asked <= METRICS
    assert {name for name in METRICS - ABOUT_SCRAPING if not name.endswith(("_count", "_sum"))} <= asked


def test_they_ask_by_labels_that_there_are() -> None:
    for one in expressions():
        grouped = [name.strip() for names in re.findall(r"by \(([^)]*)\)", one) for name in names.split(",")]
        matched = re.findall(r"(\w+)=~?\"", one)
        assert {*grouped, *matched} <= LABELS, one


def test_every_expression_closes_what_it_opens() -> None:
    for one in expressions():
        for opening, closing in ("()", "[]", "{}"):
            assert one.count(opening) == one.count(closing), one


def test_panels_have_numbers_of_their_own_and_lie_beside_each_other() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)

    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells


def test_every_alert_says_what_is_wrong_and_how_much_it_matters() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"].endswith(".")


def test_the_page_has_every_rule_as_it_is_and_names_every_panel() -> None:
    page = (ROOT / "docs/howto/monitoring.md").read_text().replace("\\|", "|")

    assert [rule["alert"] for rule in rules() if f"`{' '.join(rule['expr'].split())}`" not in page] == []
    panels = [panel["title"].partition(":")[0] for panel in dashboard()["panels"] if panel["type"] != "row"]
    assert [title for title in panels if title not in page] == []


def test_jobs_that_are_only_tried_again_and_handed_back_stand_still() -> None:
    (rule,) = (rule for rule in rules() if rule["alert"] == "QueueStandsStill")

    assert re.findall(r"editfarm_jobs_total(\{.*?\})?\[", rule["expr"]) == ['{outcome=~"done|failed"}']


def test_prometheus_asks_every_worker_by_the_name_and_port_that_compose_gives_them() -> None:
    prometheus = yaml.safe_load((DOCKER / "prometheus.yml").read_text())
    (scraped,) = prometheus["scrape_configs"]
    (found,) = scraped["dns_sd_configs"]
    worker = compose()["x-worker"]

    assert found["names"] == worker["networks"]["default"]["aliases"]
    assert str(found["port"]) == worker["environment"]["FARM_METRICS_PORT"]
    assert prometheus["rule_files"] == ["alerts.yml"]


def test_what_compose_mounts_into_both_is_there_and_where_they_look_for_it() -> None:
    services = compose()["services"]
    mounts = dict(
        one.removesuffix(":ro").split(":")
        for name in ("prometheus", "grafana")
        for one in services[name]["volumes"]
        if one.startswith("./")
    )
    assert all((DOCKER / source).exists() for source in mounts)

    provider = yaml.safe_load((DOCKER / "grafana/provisioning/dashboards/editfarm.yaml").read_text())["providers"][0]
    assert provider["options"]["path"] == mounts["./grafana/dashboards"]
    (source,) = yaml.safe_load((DOCKER / "grafana/provisioning/datasources/prometheus.yaml").read_text())["datasources"]
    uids = {panel["datasource"]["uid"] for panel in dashboard()["panels"] if "datasource" in panel}
    assert uids == {source["uid"]}
