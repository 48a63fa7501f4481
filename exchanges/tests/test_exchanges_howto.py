"""The example in the how-to is an adapter that the suite accepts."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

MEMBER = Path(__file__).resolve().parents[1]
PAGE = MEMBER.parent / "docs/howto/add-an-exchange.md"
FILE = re.compile(r"^`exchanges/(\S+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SUITE = "test_exchanges_contract.py"


def test_the_example_passes_the_suite_as_it_stands_there(tmp_path):
    shutil.copytree(MEMBER / "src", tmp_path / "src")
    shutil.copytree(MEMBER / "tests/fixtures", tmp_path / "tests/fixtures")
    shutil.copy(MEMBER / "tests" / SUITE, tmp_path / "tests")
    files = dict(FILE.findall(PAGE.read_text()))
    assert len(files) == 2
    for name, text in files.items():
        assert not (tmp_path / name).exists()
        (tmp_path / name).write_text(text)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-k", "phemex or fixture", f"tests/{SUITE}"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "src")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stdout
    assert int(re.search(r"(\d+) passed", run.stdout)[1]) > 40
