"""examples/prometheus and examples/grafana: Prometheus accepts them, and the daemon has what they
name."""

import json
import re
import shutil
import signal

import pytest
import yaml

from tests.support import promtool
from tests.support.concurrency import BackgroundCalls
from tests.support.curlewd import ROOT
from tests.support.metrics import read_metric
from tests.support.procs import wait_until

FOLDER = ROOT / "examples/prometheus"
RULES = FOLDER / "curlew.rules.yml"
CASES = FOLDER / "curlew.rules.test.yml"
DASHBOARD = json.loads((ROOT / "examples/grafana/curlew.json").read_text())
PROMETHEUS = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
SCRAPE = PROMETHEUS["scrape_configs"][0]
ALERTS = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
VARIABLES = {each["name"]: each for each in DASHBOARD["templating"]["list"]}


def filled_in(expr):
    """As Grafana sends it."""
    return re.sub(r"\$(instance|session)", ".*", expr.replace("$__rate_interval", "1m"))


def shown():
    """Every expression of the dashboard, with where it stands."""
    for panel in PANELS:
        for target in panel["targets"]:
            yield panel["title"], filled_in(target["expr"])
    for note in DASHBOARD["annotations"]["list"]:
        yield note["name"], filled_in(note["expr"])
    for name, variable in VARIABLES.items():
        if variable["type"] == "query":
            inside = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"])
            yield f"${name}", filled_in(f"count by ({inside[2]}) ({inside[1]})")


EXPRESSIONS = [*((rule["alert"], rule["expr"]) for rule in ALERTS), *shown()]


@pytest.fixture(scope="module")
def codes():
    table = (ROOT / "src/util/error.h").read_text()
    return set(re.findall(r'^    X\(\w+, \d+, "(\w+)"', table, re.M))


@pytest.fixture
def metrics(curlewd, nginx, origin):
    """Of a daemon that had something of everything to do, as Prometheus scrapes them."""
    daemon = curlewd({"sessions": {"shop": {"breaker": {"failures": 2, "open_seconds": 60}}}})
    for path in ("/hello", "/status/404", "/status/500", "/redirect/2", "/hello"):
        daemon.client.fetch(origin.url(path), session="shop", retries=1)
    daemon.client.post({"url": origin.url("/close-early")})
    daemon.client.post({"url": "http://169.254.169.254/"})
    daemon.client.post({"url": origin.url("/", port="closed")})
    requests = [{"url": origin.url("/hello")}] * 3
    daemon.client.ask("POST", "/v1/batch", body=json.dumps({"requests": requests}).encode())
    server = nginx(daemon)
    path = SCRAPE["metrics_path"]
    assert path.startswith("/_fetch/")
    response = server.get(path.removeprefix("/_fetch"))
    assert response.status == 200, response
    return {"up": {}, **promtool.exposed(response.body.decode())}


def test_prometheus_accepts_its_configuration_and_the_rules():
    promtool.promtool("check", "config", "--syntax-only", FOLDER / "prometheus.yml")
    found = promtool.promtool("check", "rules", RULES)
    assert f"{len(ALERTS)} rules found" in found
    assert PROMETHEUS["rule_files"] == [RULES.name]


def test_each_alert_comes_when_it_should_and_none_when_all_is_well():
    promtool.promtool("test", "rules", CASES)


def test_a_case_that_does_not_hold_is_found(tmp_path):
    """So that the last test can fail."""
    rules = RULES.read_text()
    assert "> 0.9\n" in rules
    (tmp_path / RULES.name).write_text(rules.replace("> 0.9\n", "> 0.99\n"))
    shutil.copy(CASES, tmp_path)
    with pytest.raises(AssertionError, match="CurlewSlotsNearLimit"):
        promtool.promtool("test", "rules", tmp_path / CASES.name)


def test_each_alert_has_a_case_in_which_it_fires():
    text = CASES.read_text()
    firing = set(re.findall(r"labels: .*", text))
    named = {name for line in firing for name in re.findall(r'alertname="(\w+)"', line)}
    named |= {test["alertname"] for case in yaml.safe_load(text)["tests"]
              for test in case.get("alert_rule_test", ()) if test["exp_alerts"]}
    assert named == {rule["alert"] for rule in ALERTS}


def test_each_expression_of_the_dashboard_can_be_parsed(tmp_path):
    rules = [{"record": f"shown:{number}", "expr": expr}
             for number, (_, expr) in enumerate(shown())]
    path = tmp_path / "shown.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "shown", "rules": rules}]}))
    assert f"{len(rules)} rules found" in promtool.promtool("check", "rules", path)
    assert len(rules) > 50


def test_the_daemon_has_each_name_and_label_of_the_rules_and_of_the_dashboard(metrics, codes):
    for where, expr in EXPRESSIONS:
        names = promtool.selectors(expr)
        assert names, where
        for name, matchers in names:
            assert name in metrics, f"{where}: {name}"
            check_matchers(f"{where}: {name}", matchers, metrics[name], codes)
        known = {label for name, _ in names for label in metrics[name]} | promtool.OF_A_SCRAPE
        used = promtool.grouping(expr, "by", "on", "ignoring", "group_left", "group_right")
        assert used <= known, f"{where}: {used - known}"


def check_matchers(where, matchers, labels, codes):
    for label, _, value in matchers:
        if label in promtool.OF_A_SCRAPE or value == ".*":
            assert label in labels or label in promtool.OF_A_SCRAPE, f"{where}{{{label}}}"
            continue
        possible = codes if label == "outcome" else labels[label]
        assert set(value.split("|")) <= possible, f"{where}{{{label}={value}}}"


def test_what_texts_say_of_labels_is_there(metrics):
    for rule in ALERTS:
        named = set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))
        had = promtool.labels_of_result(rule["expr"], metrics)
        assert named <= had, f"{rule['alert']}: {named - had}"
    for panel in PANELS:
        for target in panel["targets"]:
            named = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            had = promtool.labels_of_result(filled_in(target["expr"]), metrics)
            assert named <= had, f"{panel['title']}: {named - had}"


def test_every_metric_is_on_the_dashboard(metrics):
    on_it = {name for _, expr in shown() for name, _ in promtool.selectors(expr)}
    missing = {re.sub(r"_(bucket|sum|count)$", "", name) for name in metrics
               if not {name, f"{name}_bucket"} & on_it} - {
        re.sub(r"_(bucket|sum|count)$", "", name) for name in on_it}
    assert missing == {"curlew_impersonate_targets"}  # libcurl_info has it as a label


def test_the_scraped_job_is_the_one_that_is_looked_for():
    jobs = {value for _, expr in EXPRESSIONS for _, matchers in promtool.selectors(expr)
            for label, _, value in matchers if label == "job"}
    assert jobs == {SCRAPE["job_name"]}


def test_the_dashboard_can_be_imported_into_any_grafana():
    """Its data source is the one that its reader chooses; panels do not lie on each other."""
    assert DASHBOARD["id"] is None and VARIABLES["datasource"]["query"] == "prometheus"
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    sources = re.findall(r'"uid": "([^"]*)"', json.dumps(DASHBOARD["panels"]))
    assert set(sources) == {"${datasource}"}
    taken = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                 for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken and at["x"] + at["w"] <= 24, panel["title"]
        taken |= cells


def test_a_daemon_that_drains_can_not_be_scraped(curlewd, nginx, origin):
    """So CurlewDown waits for longer than a drain may last, and finds one that lasts longer."""
    daemon = curlewd({"drain_seconds": 20})
    server = nginx(daemon)
    assert server.get("/metrics").status == 200
    with BackgroundCalls() as calls:
        calls.start(daemon.client.fetch, origin.url("/delay/2"))
        wait_until("it", lambda: read_metric(daemon, "curlew_in_flight") == 1)
        daemon.process.send(signal.SIGTERM)
        wait_until("no metrics", lambda: server.get("/metrics").status == 502)
        assert daemon.process.running  # it drains
        calls.results()
    daemon.wait_exit()
