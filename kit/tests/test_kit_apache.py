"""Without what Apache Kafka needs, tests that want it fail and say what to install."""

import pytest

from foreshock_kit.errors import Permanent
from foreshock_kit.testing.apache import apache_kafka
from foreshock_kit.testing.container_kafka import docker_answers
from foreshock_kit.testing.maven import jars


@pytest.fixture
def nothing(monkeypatch, tmp_path):
    """A machine with an empty PATH and cache, and no Docker."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    docker_answers.cache_clear()
    yield
    docker_answers.cache_clear()


async def test_without_docker_and_a_jvm_it_says_what_to_install(nothing):
    with pytest.raises(Permanent, match="apt-get install openjdk-17-jre-headless maven"):
        async with apache_kafka():
            pass


async def test_without_maven_it_says_what_to_install(nothing, tmp_path):
    with pytest.raises(Permanent, match="apt-get install maven"):
        await jars("kafka", ["a:b:1"])
    assert list((tmp_path / "cache" / "foreshock").iterdir()) == []


async def test_a_docker_host_that_does_not_answer_is_none(nothing, monkeypatch, unused_port):
    monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{unused_port}")
    assert not docker_answers()
