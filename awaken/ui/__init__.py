"""The page, in rooms: each may import those below it (tests/test_layout.py).

server > page > api > lab > controls > run > viewer > jobs > texts
"""

from pathlib import Path

ASSETS = Path(__file__).resolve().parents[2] / "assets"
EXAMPLES = ASSETS.parent / "examples"
