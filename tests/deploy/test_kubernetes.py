"""The Kubernetes manifests: valid by the schemas of Kubernetes, and in agreement with the server and its image."""

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from actors import limits
from cli import settings

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
OLDEST, NEWEST = "1.33", "1.37"
"""Versions of Kubernetes that the manifests are for."""


def documents(path: Path) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


KUSTOMIZATION: dict[str, Any] = documents(FOLDER / "base" / "kustomization.yaml")[0]
FILES = sorted(path for path in FOLDER.rglob("*.yaml") if path.name != "kustomization.yaml")
ALL = {(d["kind"], d["metadata"]["name"]): d for path in FILES for d in documents(path)}
NAME = "experience-server"
STATEFUL_SET = ALL["StatefulSet", NAME]["spec"]
POD = STATEFUL_SET["template"]["spec"]
(CONTAINER,) = POD["containers"]
CONFIG = ALL["ConfigMap", NAME]["data"]
SECRETS = dict(
    line.split("=", 1)
    for line in (FOLDER / "examples" / "secret.env").read_text().splitlines()
    if line and not line.startswith("#")
)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_manifests_are_valid(path: Path, version: str) -> None:
    for document in documents(path):
        if "monitoring.coreos.com" not in document["apiVersion"]:  # not one of Kubernetes itself
            kubernetes_validate.validate(document, version, strict=True)


def test_a_wrong_manifest_is_not_valid() -> None:
    wrong = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "x"}, "spec": {"replica": 1}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, NEWEST, strict=True)


def test_the_base_has_each_of_its_files() -> None:
    assert sorted(KUSTOMIZATION["resources"]) == [p.name for p in FILES if p.parent.name == "base"]
    assert KUSTOMIZATION["images"][0]["name"] == CONTAINER["image"]
    assert KUSTOMIZATION["labels"][0]["pairs"] == labels()


def labels() -> Any:
    return STATEFUL_SET["template"]["metadata"]["labels"]


def test_everything_selects_the_pod() -> None:
    selectors = [
        STATEFUL_SET["selector"]["matchLabels"],
        ALL["Service", NAME]["spec"]["selector"],
        ALL["Service", f"{NAME}-pods"]["spec"]["selector"],
        ALL["PodDisruptionBudget", NAME]["spec"]["selector"]["matchLabels"],
        ALL["NetworkPolicy", NAME]["spec"]["podSelector"]["matchLabels"],
        ALL["ServiceMonitor", NAME]["spec"]["selector"]["matchLabels"],
    ]
    assert all(selector == labels() for selector in selectors)
    assert STATEFUL_SET["serviceName"] == f"{NAME}-pods"
    assert ALL["Service", f"{NAME}-pods"]["metadata"]["labels"].keys() == {
        each["key"] for each in ALL["ServiceMonitor", NAME]["spec"]["selector"]["matchExpressions"]
    }, "or each pod is scraped twice"


def test_ports_agree() -> None:
    (port,) = CONTAINER["ports"]
    assert str(port["containerPort"]) == CONFIG["PORT"]
    assert f"EXPOSE {port['containerPort']}\n" in DOCKERFILE
    for kind, name in (("Service", NAME), ("Service", f"{NAME}-pods")):
        assert ALL[kind, name]["spec"]["ports"][0]["targetPort"] == port["name"]
    named = ALL["Service", NAME]["spec"]["ports"][0]["name"]
    for name in (NAME, f"{NAME}-bodies"):
        (rule,) = ALL["Ingress", name]["spec"]["rules"]
        assert {p["backend"]["service"]["port"]["name"] for p in rule["http"]["paths"]} == {named}
        assert {p["backend"]["service"]["name"] for p in rule["http"]["paths"]} == {NAME}
        assert rule["host"] == CONFIG["PUBLIC_URL"].removeprefix("https://")
    assert ALL["NetworkPolicy", NAME]["spec"]["ingress"][0]["ports"][0]["port"] == port["name"]
    (endpoint,) = ALL["ServiceMonitor", NAME]["spec"]["endpoints"]
    assert (endpoint["port"], endpoint["path"]) == (named, "/metrics")


def test_settings_are_known_and_taken() -> None:
    known = {setting.name: setting for setting in settings.SETTINGS}
    assert CONFIG.keys() | SECRETS.keys() <= known.keys()
    assert [name for name in CONFIG if known[name].secret] == []
    chosen = settings.load({}, CONFIG)
    assert (chosen["host"], chosen["port"]) == ("0.0.0.0", 8787)
    assert not CONFIG.keys() & SECRETS.keys()
    sources = {name: source["name"] for entry in CONTAINER["envFrom"] for name, source in entry.items()}
    assert sources == {"configMapRef": NAME, "secretRef": NAME}
    credentials = ALL["ServiceMonitor", NAME]["spec"]["endpoints"][0]["authorization"]["credentials"]
    assert credentials["name"] == NAME
    assert credentials["key"] in SECRETS


def test_secrets_are_by_reference() -> None:
    assert not any(kind == "Secret" for kind, _ in ALL)
    empty = {name for name, value in SECRETS.items() if not value}
    assert {setting.name for setting in settings.SETTINGS if setting.secret and setting.name in SECRETS} <= empty


def test_variables_of_the_cluster_are_no_settings() -> None:
    """A service called `metrics` would set METRICS_PORT=tcp://…."""
    assert POD["enableServiceLinks"] is False


async def test_probes_ask_what_there_is() -> None:
    api = (ROOT / "docs" / "api.md").read_text()
    probes = {kind: CONTAINER[f"{kind}Probe"] for kind in ("startup", "readiness", "liveness")}
    paths = {kind: probe["httpGet"]["path"] for kind, probe in probes.items()}
    assert paths == {"startup": "/health/ready", "readiness": "/health/ready", "liveness": "/health/live"}
    assert all(f"`GET {path}`" in api for path in paths.values())
    assert all(probe["httpGet"]["port"] == CONTAINER["ports"][0]["name"] for probe in probes.values())
    starts = probes["startup"]["periodSeconds"] * probes["startup"]["failureThreshold"]
    unit = (ROOT / "deploy" / "systemd" / "experience-server.service").read_text()
    assert starts == 60 * int(re.findall(r"TimeoutStartSec=(\d+)min", unit)[0]), "as long as systemd waits"
    stalled = probes["liveness"]["periodSeconds"] * probes["liveness"]["failureThreshold"]
    assert stalled > limits.JOURNAL_STALLED_SECONDS, "a disk that hangs is no reason to restart"


def test_there_is_time_to_drain() -> None:
    command, seconds = CONTAINER["lifecycle"]["preStop"]["exec"]["command"]
    ends = int(seconds) + limits.DRAIN_SECONDS + 2 * limits.REQUEST_END_SECONDS
    assert command == "sleep"
    assert POD["terminationGracePeriodSeconds"] >= ends + 5


def test_one_pod_with_one_disk() -> None:
    assert STATEFUL_SET["replicas"] == 1
    (claim,) = STATEFUL_SET["volumeClaimTemplates"]
    assert claim["spec"]["accessModes"] == ["ReadWriteOncePod"]
    mounts = {mount["name"]: mount["mountPath"] for mount in CONTAINER["volumeMounts"]}
    root = mounts[claim["metadata"]["name"]]
    assert CONFIG["DATA_DIR"].startswith(f"{root}/"), "a folder of its own: the root of the volume is not ours"
    assert set(STATEFUL_SET["persistentVolumeClaimRetentionPolicy"].values()) == {"Retain"}
    assert mounts.keys() == {volume["name"] for volume in POD["volumes"]} | {claim["metadata"]["name"]}


def test_the_pod_has_no_rights() -> None:
    (uid,) = re.findall(r"--uid (\d+)", DOCKERFILE)
    of_pod = POD["securityContext"]
    assert of_pod["runAsNonRoot"] is True
    assert {of_pod[name] for name in ("runAsUser", "runAsGroup", "fsGroup")} == {int(uid)}
    assert of_pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}
    }  # fmt: skip
    assert POD["automountServiceAccountToken"] is False
    assert ALL["ServiceAccount", POD["serviceAccountName"]]["automountServiceAccountToken"] is False
    assert "memory" in CONTAINER["resources"]["limits"]


def test_bodies_go_through_the_ingress_as_through_nginx() -> None:
    """By the same paths as in deploy/proxies/nginx.conf, unbuffered and without a limit of the proxy's own."""
    nginx = (ROOT / "deploy" / "proxies" / "nginx.conf").read_text()
    (regex,) = re.findall(r"location ~ (\S+) \{", nginx)
    (rule,) = ALL["Ingress", f"{NAME}-bodies"]["spec"]["rules"]
    patterns = [re.compile(path["path"]) for path in rule["http"]["paths"]]
    for path in (
        "/api/v1/files", "/api/v1/files/f1/content", "/api/v1/threads/t1/messages:stream",
        "/api/v1/filesystem", "/api/v1/threads/t1/messages", "/health",
    ):  # fmt: skip
        assert any(pattern.match(path) for pattern in patterns) is bool(re.search(regex, path)), path
    shown = ALL["Ingress", f"{NAME}-bodies"]["metadata"]["annotations"]
    said = {name.rpartition("/")[2]: value for name, value in shown.items()}
    assert said["proxy-request-buffering"] == "off"
    assert said["proxy-body-size"] == "0"
    assert int(said["proxy-read-timeout"]) >= 3600
