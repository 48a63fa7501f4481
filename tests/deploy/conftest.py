"""What the dashboard and the alert rules may ask for."""

from importlib import import_module

import pytest
from prometheus_client import REGISTRY

from foreshock_cli.plan import SERVICES, module_of


@pytest.fixture(scope="session")
def exported():
    """Return the names of all that the services count."""
    for module in ("foreshock_kit.kafka.metrics", "foreshock_kit.ws", "foreshock_kit.feed_health"):
        import_module(module)
    for service in SERVICES:
        import_module(f"{module_of(service)}.metrics")
    return set(REGISTRY._names_to_collectors)
