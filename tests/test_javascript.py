"""The unit tests of the page's JavaScript (tests/javascript), by Node's own runner."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / "tests" / "javascript").glob("*.test.mjs"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.partition(".")[0])
def test_javascript(path):
    node = shutil.which("node")
    if node is None:
        pytest.fail("These tests need Node 18 or later: apt-get install nodejs.", pytrace=False)
    done = subprocess.run([node, "--test", path], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
