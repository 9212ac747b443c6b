"""What trains the miniature is no part of what runs it."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
TRAINING = "awaken.miniature.training"


def test_the_running_demo_imports_nothing_that_only_trains():
    sources = [ROOT / "app.py", *(ROOT / "awaken").rglob("*.py")]
    running = [path for path in sources if "training" not in path.relative_to(ROOT).parts]
    assert len(running) > 50
    guilty = []
    for path in running:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                names = [node.module or "", *(f"{node.module}.{a.name}" for a in node.names)]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            if any(name == TRAINING or name.startswith(TRAINING + ".") for name in names):
                guilty.append(str(path.relative_to(ROOT)))
    assert not guilty
