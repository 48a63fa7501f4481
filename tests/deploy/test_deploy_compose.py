"""compose, Prometheus and the image know the services that there are, and give nothing away."""

import re
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from foreshock_cli.plan import SERVICES, module_of

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
TEXT = (DEPLOY / "compose.yaml").read_text()
COMPOSE = yaml.safe_load(TEXT)
CONTAINERS = COMPOSE["services"]
HEALTH_PORT = "9100"


def settings_of(service):
    return import_module(f"{module_of(service)}.settings").Settings.__struct_fields__


@pytest.fixture(params=SERVICES)
def service(request):
    return request.param


@pytest.fixture(params=CONTAINERS)
def container(request):
    return CONTAINERS[request.param]


def test_a_service_runs_its_own_module_once_the_topics_are_there(service):
    container = CONTAINERS[service]
    assert container["command"] == ["python", "-m", module_of(service)]
    assert container["depends_on"] == {"topics": {"condition": "service_completed_successfully"}}
    assert container["stop_grace_period"] == "30s"


def test_a_service_is_told_only_what_it_listens_to(service):
    told = {name.removesuffix("_FILE").lower() for name in CONTAINERS[service]["environment"]}
    others = {name for each in SERVICES for name in settings_of(each)}
    assert told <= others, "no service knows such a setting"
    shared = {name.lower() for name in COMPOSE["x-flags"]}
    assert told - shared <= set(settings_of(service))


def test_the_health_port_is_where_prometheus_and_the_image_look_for_it(service):
    environment = CONTAINERS[service]["environment"]
    assert environment["HEALTH_PORT"] == HEALTH_PORT
    assert not environment["HEALTH_HOST"].startswith("127.")
    assert f"HEALTH_PORT={HEALTH_PORT}" in (DEPLOY / "Dockerfile").read_text()


def test_prometheus_scrapes_every_service_under_its_name():
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    (job,) = config["scrape_configs"]
    assert {each["labels"]["service"]: each["targets"] for each in job["static_configs"]} == {
        service: [f"{service}:{HEALTH_PORT}"] for service in SERVICES
    }


def test_every_container_is_bounded_and_without_privileges(container):
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert container["mem_limit"]
    assert container["image"] != "foreshock:local" or container["read_only"]


def test_ports_are_published_on_loopback_only(container):
    assert all(port.startswith("127.0.0.1:") for port in container.get("ports", ()))


def test_secrets_are_files_that_only_who_needs_them_sees(container):
    for name, value in container.get("environment", {}).items():
        if re.search("TOKEN|PASSWORD|SECRET", name):
            assert name.endswith("_FILE")
            folder, _, secret = value.rpartition("/")
            assert folder == "/run/secrets"
            assert secret in container["secrets"]
    assert set(container.get("secrets", ())) <= COMPOSE["secrets"].keys()
    assert ("telegram-bot-token" in container.get("secrets", ())) == (
        container is CONTAINERS["telegram-gateway"]
    )


def test_secrets_and_settings_stay_out_of_git_and_of_the_image():
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    folder = Path(COMPOSE["secrets"]["telegram-bot-token"]["file"]).parent
    assert {f"deploy/{folder}/", ".env"} <= set(ignored)
    assert "*" in (ROOT / ".dockerignore").read_text().splitlines()


def test_the_image_holds_every_member():
    workspace = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["workspace"]
    kept = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[0] == "!"
    }
    assert kept == {"requirements.lock", *workspace["members"]}


def test_the_example_names_what_compose_asks_for():
    asked = set(re.findall(r"\$\{([A-Z_]+)", TEXT))
    example = (DEPLOY / ".env.example").read_text()
    assert set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE)) == asked
