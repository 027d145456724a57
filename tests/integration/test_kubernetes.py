"""docker/kubernetes/: the schemas of Kubernetes, and what the files say to each other."""

import json
import re
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from tests.support.curlewd import BINARY, ROOT
from tests.support.web_servers import find_program

FOLDER = ROOT / "docker/kubernetes"
OLDEST = "1.30"  # README.md says so


def objects():
    return [each for path in sorted(FOLDER.glob("*.yml"))
            for each in yaml.safe_load_all(path.read_text())]


def find(kind, name):
    (found,) = [o for o in objects() if (o["kind"], o["metadata"]["name"]) == (kind, name)]
    return found


@pytest.mark.parametrize("version", [OLDEST, kubernetes_validate.latest_version()])
def test_each_object_keeps_to_its_schema(version):
    assert len(objects()) == 12
    for each in objects():
        kubernetes_validate.validate(each, version, strict=True)


def test_a_wrong_key_is_found():
    wrong = find("StatefulSet", "curlew")
    wrong["spec"]["replica"] = 3
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, OLDEST, strict=True)


def test_curlewd_accepts_its_configuration(tmp_path):
    config = json.loads(find("ConfigMap", "curlewd")["data"]["curlewd.json"])
    (tmp_path / "tokens").write_text("0123456789abcdef0123456789abcdef\n")
    assert config["replica"] and config["auth"]["tokens_file"] == "/etc/curlew/tokens/tokens"
    config["auth"]["tokens_file"] = str(tmp_path / "tokens")
    path = tmp_path / "curlewd.json"
    path.write_text(json.dumps(config))
    done = subprocess.run([BINARY, "--check", "--config", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def haproxy_cfg():
    return find("ConfigMap", "haproxy")["data"]["haproxy.cfg"]


def test_haproxy_accepts_its_configuration(tmp_path):
    path = tmp_path / "haproxy.cfg"
    path.write_text(haproxy_cfg())
    done = subprocess.run([find_program("haproxy"), "-c", "-f", path], capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr


def test_its_backend_is_that_of_the_example():
    """But for the servers, and what finds them."""
    def lines(text):
        backend = re.search(r"^backend curlew\n(.*?)(?=^\S)", text + "\nend", re.M | re.S)[1]
        found = [line.partition("#")[0].strip() for line in backend.splitlines()]
        return [line for line in found if line and not re.match(
            r"server |use-server |http-request return |default-server resolvers ", line)]

    example = (ROOT / "examples/haproxy/replicas.cfg").read_text()
    assert lines(haproxy_cfg()) == lines(example)


def test_haproxy_knows_each_pod_that_the_autoscaler_may_make():
    most = find("HorizontalPodAutoscaler", "curlew")["spec"]["maxReplicas"]
    pods, service = find("StatefulSet", "curlew"), find("Service", "replicas")
    assert pods["spec"]["serviceName"] == service["metadata"]["name"]
    port = service["spec"]["ports"][0]["port"]
    cfg = haproxy_cfg()
    for n in range(most):
        name = f"curlew-{n}.replicas.curlew.svc.cluster.local:{port}"
        assert f"server curlew-{n} {name} id {n + 1}\n" in cfg
        assert f"use-server curlew-{n} if {{ path /replicas/{n}/metrics }}\n" in cfg
    assert f"curlew-{most}" not in cfg


def test_a_pod_has_time_to_drain():
    pod = find("StatefulSet", "curlew")["spec"]["template"]["spec"]
    config = json.loads(find("ConfigMap", "curlewd")["data"]["curlewd.json"])
    waits = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] > waits + config["drain_seconds"]


def test_selectors_find_their_pods():
    labels = [o["spec"]["template"]["metadata"]["labels"] for o in objects()
              if o["kind"] in ("StatefulSet", "Deployment")]
    for each in objects():
        spec = each.get("spec", {})
        selector = spec.get("podSelector") or spec.get("selector") or {}
        wanted = selector.get("matchLabels", selector)
        assert not wanted or wanted in labels, each["metadata"]


def test_the_check_of_the_image_is_there():
    pod = find("StatefulSet", "curlew")["spec"]["template"]["spec"]
    (path,) = pod["containers"][0]["readinessProbe"]["exec"]["command"]
    assert f'CMD ["{path}"]' in Path(ROOT / "docker/Dockerfile").read_text()
