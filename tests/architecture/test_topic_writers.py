"""The topic table names as writers the services whose code writes, and no others."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from foreshock_schemas import topics

ROOT = Path(__file__).resolve().parents[2]
SERVICES = sorted(
    path.parents[2].name
    for path in ROOT.glob("*/src/*/service.py")
    if path.parents[2].name != "kit"
)
TELLER = "foreshock_kit.feed_health"


def trees(folder: Path) -> Iterator[ast.AST]:
    return (ast.parse(file.read_text()) for file in folder.rglob("*.py"))


def targets(tree: ast.AST) -> Iterator[str]:
    """Yield the names of topics that something is published or sent to."""
    for node in ast.walk(tree):
        writes = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if writes and node.func.attr in {"publish", "send"} and len(node.args) == 2:
            topic = node.args[0]
            name = topic.attr if isinstance(topic, ast.Attribute) else getattr(topic, "id", "")
            if name.isupper():
                yield getattr(topics, name).name


def tells_of_feeds(tree: ast.AST) -> bool:
    return any(isinstance(n, ast.ImportFrom) and n.module == TELLER for n in ast.walk(tree))


def keeps_state(tree: ast.AST) -> bool:
    return any(
        isinstance(n, ast.Call)
        and getattr(n.func, "id", "") == "consume"
        and "state" in {keyword.arg for keyword in n.keywords}
        for n in ast.walk(tree)
    )


BY_WAY_OF = {tells_of_feeds: "feed_health.py", keeps_state: "kafka/snapshots.py"}


def written(service: str) -> set[str]:
    found = set()
    for tree in trees(ROOT / service / "src"):
        found.update(targets(tree))
        for does, file in BY_WAY_OF.items():
            if does(tree):
                source = (ROOT / "kit/src/foreshock_kit" / file).read_text()
                found.update(targets(ast.parse(source)))
    return found


def test_what_the_kit_writes_for_a_service_is_seen():
    consuming = ast.parse("consume(settings, context, state=owned)")
    assert keeps_state(consuming)
    assert not keeps_state(ast.parse("consume(settings, context)"))
    source = (ROOT / "kit/src/foreshock_kit/kafka/snapshots.py").read_text()
    assert set(targets(ast.parse(source))) == {topics.STATE.name}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_writes_what_the_table_says(service):
    said = {topic.name for topic in topics.TOPICS if service in topic.written_by}
    assert written(service) == said


def test_writers_are_services():
    assert len(SERVICES) == 7
    assert {name for topic in topics.TOPICS for name in topic.written_by} <= set(SERVICES)
