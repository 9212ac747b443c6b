"""The house rules that a machine can check: import arrows, light imports, file sizes."""

import ast
import functools
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Every room may import the rooms after it in this order, and those of its own name.
ORDER = [
    "app", "awaken.ui.server", "awaken.ui.page", "awaken.ui.api", "awaken.ui.lab",
    "awaken.ui.controls", "awaken.ui.run", "awaken.ui.viewer", "awaken.ui.jobs", "awaken.ui.texts",
    "awaken.ui", "awaken.space", "awaken.__main__", "awaken.bench", "awaken.official", "awaken.examples",
    "awaken.miniature.training", "awaken.evaluate", "awaken.replicas", "awaken.bundle", "awaken.recipe",
    "awaken.engine", "awaken.animator", "awaken.notices", "awaken.pace", "awaken.settings", "awaken.progress",
    "awaken.residence", "awaken.method", "awaken.scene", "awaken.stages", "awaken.plan",
    "awaken.memo", "awaken.vsds", "awaken.fusion", "awaken.proxies", "awaken.backends",
    "awaken.sampling", "awaken.miniature", "awaken.models", "awaken.hub", "awaken.preview",
    "awaken.video", "awaken.analysis", "awaken.painting", "awaken.pictures",
    "awaken.types", "awaken.setting", "awaken.errors", "awaken.message", "awaken",
]  # fmt: skip
SOURCES = [ROOT / "app.py", *sorted((ROOT / "awaken").rglob("*.py"))]
PAGE = ("app", "awaken.ui", "awaken.space")  # what may know Gradio


def module_name(path: Path) -> str:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


KNOWN = {module_name(path) for path in SOURCES}


def room(name: str) -> str:
    """The longest entry of ORDER that names this module or one of its parents."""
    fits = [r for r in ORDER if name == r or name.startswith(r + ".")]
    assert fits, f"{name} has no room in ORDER"
    return max(fits, key=len)


@functools.cache
def imports(path: Path) -> set[str]:
    """Modules that run-time code imports (blocks under TYPE_CHECKING are only for readers)."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node.body = []
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {n if n in KNOWN else node.module for n in names}
    return found


def test_import_arrows_point_down():
    wrong = []
    for path in SOURCES:
        here = room(module_name(path))
        for name in sorted(imports(path)):
            if name.split(".")[0] in ("awaken", "app"):
                there = room(name)
                if there != here and ORDER.index(there) < ORDER.index(here):
                    wrong.append(f"{module_name(path)} -> {name}")
    assert not wrong, wrong


def test_gradio_stays_in_the_page():
    below = [path for path in SOURCES if not module_name(path).startswith(PAGE)]
    roots = {path: {name.split(".")[0] for name in imports(path)} for path in below}
    wrong = [module_name(p) for p in below if roots[p] & {"gradio", "gradio_client", "spaces"}]
    assert not wrong, wrong


def test_help_and_registries_need_no_torch():
    code = (
        "import sys, awaken.engine, awaken.backends, awaken.proxies, awaken.vsds, awaken.types;"
        "sys.exit('torch' in sys.modules or 'diffusers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_no_file_of_ours_is_long():
    """350 lines, but for the networks that diffusers lacks, which stay whole."""
    scripts = (ROOT / "assets" / "js").rglob("*.js")
    sizes = {path: len(path.read_text().splitlines()) for path in [*SOURCES, *scripts]}
    networks = ROOT / "awaken" / "models"
    long = [path.name for path, n in sizes.items() if n > 350 and networks not in path.parents]
    assert not long, long


def test_tracked_files_stay_small():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.fail("git ls-files failed: the size rule is checked on a clone")
    files = [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    budget = {"": 90, "assets/miniature": 40, "tests/golden": 25, "examples": 12}
    for folder, megabytes in budget.items():
        size = sum(f.stat().st_size for f in files if f.is_relative_to(ROOT / folder))
        assert size < megabytes * 1e6, f"{folder or 'the repository'} holds {size / 1e6:.1f} MB"
