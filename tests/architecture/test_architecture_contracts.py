"""The dependency rules hold, and each of them really fails when it is broken."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = [
    c["name"]
    for c in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
]

BREAKS = {
    "Services stand on kit": [
        ("alert-router/src/alert_router/service.py", "import threshold_service.service"),
        ("kit/src/foreshock_kit/clock.py", "import foreshock_exchanges.base"),
        ("schemas/src/foreshock_schemas/topics.py", "import foreshock_kit.clock"),
    ],
    "Every service has the same files": [
        ("oi-poller/src/oi_poller/helpers.py", ""),
        (
            "threshold-service/src/threshold_service/domain/sessions.py",
            "import threshold_service.settings",
        ),
    ],
    "Exchanges, schemas and domains are pure": [
        ("exchanges/src/foreshock_exchanges/base.py", "import asyncio"),
        ("threshold-service/src/threshold_service/domain/sessions.py", "import time"),
    ],
    "Only foreshock_kit.kafka": [
        ("alert-router/src/alert_router/service.py", "import aiokafka"),
    ],
    "The command starts services": [
        ("cli/src/foreshock_cli/plan.py", "import alert_router.settings"),
    ],
    "The simulator knows no kit": [
        ("simulator/src/foreshock_simulator/__init__.py", "import foreshock_kit.clock"),
    ],
}


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join(str(src) for src in sorted(root.glob("*/src")))
    return subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command as c; c()",
            "--no-cache",
        ],
        cwd=root,
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    root = tmp_path_factory.mktemp("tree")
    shutil.copy(ROOT / "pyproject.toml", root)
    for src in ROOT.glob("*/src"):
        shutil.copytree(
            src, root / src.relative_to(ROOT), ignore=shutil.ignore_patterns("__pycache__")
        )
    return root


def test_all_contracts_are_kept():
    answer = lint(ROOT)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert f"{len(CONTRACTS)} kept, 0 broken" in answer.stdout


def test_every_contract_has_a_way_to_break_it():
    assert len(BREAKS) == len(CONTRACTS)


@pytest.mark.parametrize(
    ("contract", "file", "line"),
    [(contract, file, line) for contract, breaks in BREAKS.items() for file, line in breaks],
)
def test_a_broken_rule_fails_the_build(copy, contract, file, line):
    target = copy / file
    before = target.read_text() if target.exists() else None
    target.write_text(f"{before or ''}\n{line}\n")
    try:
        answer = lint(copy)
    finally:
        target.write_text(before) if before is not None else target.unlink()
    assert answer.returncode != 0
    broken = [row for row in answer.stdout.splitlines() if row.endswith("BROKEN")]
    assert any(row.startswith(contract) for row in broken), answer.stdout
