"""Docs name only what exists: files, make targets, topics, settings, metrics, commands."""

import argparse
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from foreshock_cli import main
from foreshock_schemas.topics import TOPICS

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted(
    doc for pattern in ("*.md", "*/README.md", "docs/**/*.md") for doc in ROOT.glob(pattern)
)
SOURCE = "\n".join(
    file.read_text()
    for pattern in ("*/src/**/*.py", "Makefile", "*/src/**/*.js", "deploy/compose.yaml")
    for file in ROOT.glob(pattern)
)
TOPIC_NAMES = {topic.name for topic in TOPICS}
MEMBERS = {folder.parent.name for folder in ROOT.glob("*/pyproject.toml")}
PACKAGES = {path.name for path in ROOT.glob("*/src/*") if path.is_dir()}
COUNTED = {
    "frames", "events", "ignored", "malformed", "duplicates", "history", "unknown_instruments",
}  # fmt: skip


TARGETS = {
    target
    for line in re.findall(r"^([a-z][a-z -]*):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for target in line.split()
}


def with_options(command: str) -> Iterator[str]:
    parser = argparse.ArgumentParser()
    import_module(f"foreshock_cli.{command}").add_arguments(parser)
    yield command
    yield from (f"{command} {option}" for option in parser._option_string_actions)


COMMANDS = {word for command in main.COMMANDS for word in with_options(command)}


def targets_in(text: str) -> set[str]:
    return set(re.findall(r"(?m)(?:`|^|^[A-Z_]+=\S+ )make ([a-z][a-z-]+)", text))


def commands_in(text: str) -> set[str]:
    return set(re.findall(r"\bforeshock ([a-z]+(?: --[a-z]+)?)", text))


def words(doc: Path, pattern: str) -> set[str]:
    return set(re.findall(pattern, doc.read_text()))


def prefix_of(doc: Path) -> str:
    return f"foreshock_{doc.parent.name.replace('-', '_')}"


@pytest.fixture(params=DOCS, ids=lambda doc: str(doc.relative_to(ROOT)))
def doc(request):
    return request.param


def test_links_lead_somewhere(doc):
    for target in words(doc, r"\]\(([^)#]+)\)"):
        assert target.startswith("https://") or (doc.parent / target).exists(), target


def test_make_targets_exist(doc):
    assert targets_in(doc.read_text()) <= TARGETS


def test_commands_exist(doc):
    assert commands_in(doc.read_text()) <= COMMANDS


def test_what_messages_tell_to_run_exists():
    assert "run" in targets_in(SOURCE) <= TARGETS
    assert "topics --create" in commands_in(SOURCE) <= COMMANDS


def test_topics_exist(doc):
    assert words(doc, r"foreshock\.[a-z-]+\.v\d") <= TOPIC_NAMES


def test_settings_exist(doc):
    for name in words(doc, r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:=[^`]*)?`"):
        field = name.removesuffix("_FILE").removeprefix("TELEGRAM_FAKE_").lower()
        assert name in SOURCE or re.search(rf"\b{field}\b", SOURCE), name


def test_metrics_exist(doc):
    named = words(doc, r"`(foreshock_[a-z_]+)(?:\{[^`]*)?`")
    named |= {prefix_of(doc) + rest for rest in words(doc, r"`…(_[a-z_]+)(?:\{[^`]*)?`")}
    for name in named - PACKAGES:
        counted = name.removesuffix("_total").removeprefix(prefix_of(doc) + "_")
        assert f'"{name}"' in SOURCE or counted in COUNTED, name


def test_members_are_called_what_they_are(doc):
    services = words(doc, r"`([a-z]+-(?:service|router|gateway|poller|liquidations|trades))`")
    assert services <= MEMBERS
