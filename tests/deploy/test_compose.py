"""The compose file names files, settings and networks that exist. There is no Docker daemon here to run it."""

import ipaddress
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli import settings

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVER = COMPOSE["services"]["server"]


def mounted(service: dict[str, Any]) -> list[Path]:
    return [DEPLOY / volume.split(":")[0] for volume in service.get("volumes", ()) if volume.startswith("./")]


def test_what_is_mounted_exists() -> None:
    paths = [path for service in COMPOSE["services"].values() for path in mounted(service)]
    assert len(paths) == 6
    assert all(path.exists() for path in paths)
    named = {volume.split(":")[0] for service in COMPOSE["services"].values() for volume in service["volumes"]
             if not volume.startswith("./")}  # fmt: skip
    assert named == COMPOSE["volumes"].keys()


def test_settings_are_known_and_taken() -> None:
    values = {name: re.sub(r"\$\{[A-Z_]+:\?[^}]*\}", "chat.example.com", value) for name, value in
              SERVER["environment"].items()}  # fmt: skip
    values = {name: re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", value) for name, value in values.items()}
    assert values.keys() <= {setting.name for setting in settings.SETTINGS}
    assert settings.load({}, values)["public_url"] == "https://chat.example.com"


def test_the_proxy_is_trusted_by_its_network() -> None:
    (network,) = COMPOSE["networks"]["inside"]["ipam"]["config"]
    assert SERVER["environment"]["TRUSTED_PROXIES"] == network["subnet"]
    assert ipaddress.ip_network(network["subnet"]).is_private


def test_the_server_is_hardened_and_not_published() -> None:
    assert SERVER["read_only"] is True
    assert SERVER["cap_drop"] == ["ALL"]
    assert "ports" not in SERVER
    assert (DEPLOY / SERVER["build"]["context"] / SERVER["build"]["dockerfile"]).exists()


def test_monitoring_is_a_profile() -> None:
    assert {name for name, service in COMPOSE["services"].items() if "profiles" in service} == {"prometheus", "grafana"}
    scraped = yaml.safe_load((DEPLOY / "compose" / "prometheus.yml").read_text())
    (job,) = scraped["scrape_configs"]
    assert job["job_name"] == "experience-server", "alerts name it"
    assert job["static_configs"][0]["targets"] == ["server:8787"]
    (source,) = yaml.safe_load((DEPLOY / "compose" / "grafana.yml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"
    dashboard = json.loads((DEPLOY / "grafana" / "experience-server.json").read_text())
    assert dashboard["templating"]["list"][0]["query"] == source["type"]


def test_prometheus_takes_its_configuration(tmp_path: Path) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is in Debian's package prometheus")
    text = (DEPLOY / "compose" / "prometheus.yml").read_text()
    (tmp_path / "token").write_text("secret")
    text = text.replace("/etc/prometheus/rules.yml", str(DEPLOY / "prometheus" / "rules.yml"))
    (tmp_path / "prometheus.yml").write_text(text.replace("/tmp/token", str(tmp_path / "token")))
    command = ["promtool", "check", "config", str(tmp_path / "prometheus.yml")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
