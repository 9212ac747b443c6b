"""A crowd at the page: ``python -m tests.load`` shows that nothing is lost and nothing grows.

Starts the real page in a process of its own on this machine. Rounds of visitors come at once, press
Awaken over the page's own event (each as a tab of its own, with a seed and a sentence of its own) or
call ``/animate``, and wait for their result; meanwhile memory, threads, open files and the folder for
visitors' files are watched. The settings are the smallest, because the crowd is what is measured.
Ends in one line of JSON; the exit status is 1 when a result was lost or was somebody else's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from awaken.ui.server import file_cleanup

ROOT = Path(__file__).resolve().parents[1]
CACHE_MB = 48  # what the page may keep here, so that 200 small runs do not fit
MOST_SECONDS = 3000  # for one visitor; then the result counts as lost

# The facts of a placard in a message, whole or as a difference: only a finished run has them.
_PLACARD = ('"facts":[[', '["add",["facts"]', '["replace",["facts"')


@dataclass
class Watch:
    """Samples of a process: what it used at most, and after each round."""

    pid: int
    folder: Path
    most: Counter = field(default_factory=Counter)
    _over: threading.Event = field(default_factory=threading.Event)

    def sample(self) -> dict[str, int]:
        """Megabytes of memory and of files, threads, open files, now."""
        told = Path(f"/proc/{self.pid}/status").read_text()
        known = dict(line.split(":", 1) for line in told.splitlines())
        now = {
            "memory_mb": int(known["VmRSS"].split()[0]) >> 10,
            "threads": int(known["Threads"]),
            "open_files": len(os.listdir(f"/proc/{self.pid}/fd")),
            "files_mb": file_cleanup.age_and_size(self.folder)[1] >> 20,
        }
        self.most = Counter({name: max(self.most[name], value) for name, value in now.items()})
        return now

    def begin(self) -> None:
        """Sample every second, until ``end``."""

        def look() -> None:
            while not self._over.wait(1.0):
                self.sample()

        threading.Thread(target=look, daemon=True).start()

    def end(self) -> None:
        self._over.set()


def pressed(config: dict) -> dict:
    """The event of the page that runs what a press of Awaken asks for."""
    button = next(c["id"] for c in config["components"] if c["props"].get("elem_id") == "aw-awaken")
    click = next(d for d in config["dependencies"] if [button, "click"] in d["targets"])
    return next(d for d in config["dependencies"] if d["trigger_after"] == click["id"])


async def press(web: httpx.AsyncClient, config: dict, seed: int, prompt: str) -> str:
    """A tab that presses Awaken: what its placard says in the end."""
    event = pressed(config)
    parts = {part["id"]: part["props"] for part in config["components"]}
    wanted = {
        "aw-prompt": prompt, "aw-seed": seed, "aw-steps": 2, "aw-size": 384, "aw-proxy": "identity",
        "aw-variant": "baseline",
    }  # fmt: skip
    data = [wanted.get(parts[i].get("elem_id"), parts[i].get("value")) for i in event["inputs"]]
    data[0], session = secrets.token_urlsafe(32), secrets.token_hex(8)
    body = {"data": data, "fn_index": event["id"], "session_hash": session}
    (await web.post("gradio_api/queue/join", json=body)).raise_for_status()
    said = ""
    async with web.stream("GET", f"gradio_api/queue/data?session_hash={session}") as stream:
        async for line in stream.aiter_lines():
            message = json.loads(line[5:]) if line.startswith("data:") else {}
            if message.get("msg") in ("process_generating", "process_completed"):
                if any(part in line for part in _PLACARD):
                    said = line
            if message.get("msg") == "process_completed":
                break
    return said


async def animate(web: httpx.AsyncClient, config: dict, seed: int, prompt: str) -> str:
    """A program that calls ``/animate``: its settings file."""
    event = next(d for d in config["dependencies"] if d["api_name"] == "animate")
    names = [parameter["parameter_name"] for parameter in config["parameters"]]
    wanted = {
        "painting": config["painting"], "prompt": prompt, "seed": seed, "steps": 2, "size": 96,
        "proxy": "identity", "variant": "baseline",
    }  # fmt: skip
    data = [
        wanted.get(name, parameter.get("parameter_default"))
        for name, parameter in zip(names, config["parameters"], strict=True)
    ]
    assert len(data) == len(event["inputs"])
    answer = await web.post("gradio_api/call/animate", json={"data": data})
    answer.raise_for_status()
    last = ""
    async with web.stream("GET", f"gradio_api/call/animate/{answer.json()['event_id']}") as stream:
        async for line in stream.aiter_lines():
            if line.startswith("data: [") and '"path"' in line:
                last = line
    files = json.loads(last[6:])
    return (await web.get(f"gradio_api/file={files[-1]['path']}")).text


async def crowd(url: str, visitors: int, round_: int, come: Any) -> Counter:
    """So many visitors at once; counts ``good``, ``lost`` and ``wrong`` results."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=url, timeout=None, limits=limits) as web:
        config = (await web.get("config")).json()
        told = (await web.get("gradio_api/info")).json()["named_endpoints"]["/animate"]
        config["parameters"] = told["parameters"]
        picture = next((ROOT / "examples" / "paintings").glob("*.jpg")).read_bytes()
        upload = await web.post("gradio_api/upload", files={"files": ("a.jpg", picture)})
        config["painting"] = {"path": upload.json()[0], "meta": {"_type": "gradio.FileData"}}

        async def visit(number: int) -> str:
            seed = 10_000 * (round_ + 1) + number
            prompt = f"the clouds drift {secrets.token_hex(4)}"
            try:
                said = await asyncio.wait_for(come(web, config, seed, prompt), MOST_SECONDS)
            except (TimeoutError, httpx.HTTPError, ValueError) as error:
                print(f"lost: {error!r}", file=sys.stderr)
                return "lost"
            return (
                "lost" if not said else "good" if prompt in said and str(seed) in said else "wrong"
            )

        return Counter(await asyncio.gather(*(visit(n) for n in range(visitors))))


def serve(folder: Path) -> tuple[subprocess.Popen, str]:
    """The page in a process of its own, its files below ``folder``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "GRADIO_TEMP_DIR": str(folder), "AWAKEN_CACHE_MB": str(CACHE_MB), "PYTHONUNBUFFERED": "1",
    }  # fmt: skip
    command = [sys.executable, "app.py", "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}/"
    for _ in range(600):
        try:
            httpx.get(f"{url}config", timeout=30).raise_for_status()
            return server, url
        except httpx.HTTPError:
            time.sleep(0.5)
    server.kill()
    raise SystemExit("the page did not come up")


def main(argv: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.load", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--visitors", type=int, default=100, help="who come at once (at most 120)")
    parser.add_argument("--rounds", type=int, default=2, help="of visitors; the first press Awaken")
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        server, url = serve(Path(folder))
        try:
            asyncio.run(crowd(url, 1, 0, press))  # the models are loaded, the buffers made
            watch = Watch(server.pid, Path(folder))
            watch.begin()
            told = {"visitors": given.visitors, "start": watch.sample(), "rounds": []}
            total: Counter = Counter(good=0, lost=0, wrong=0)
            for i in range(given.rounds):
                began = time.monotonic()
                come = press if i == 0 else animate
                counts = asyncio.run(crowd(url, min(given.visitors, 120), i + 1, come))
                seconds = round(time.monotonic() - began)
                told["rounds"].append({"by": come.__name__, "seconds": seconds} | watch.sample())
                print(json.dumps(told["rounds"][-1] | counts), file=sys.stderr, flush=True)
                total += counts
            time.sleep(2 * 30 + 5)  # two rounds of the janitor
            watch.end()
            last = watch.sample()
            runs = sum(total.values())
            told |= {"end": last, "most": dict(watch.most), "runs": runs, **{
                name: total[name] for name in ("good", "lost", "wrong")}}  # fmt: skip
        finally:
            server.terminate()
            server.wait(30)
    print(json.dumps(told))
    return 0 if total["good"] == runs else 1


if __name__ == "__main__":
    sys.exit(main())
