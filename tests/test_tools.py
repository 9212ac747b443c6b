"""The page as a tool: an MCP client of the mcp package's own against the running server."""

from __future__ import annotations

import base64
import io
import json
import time

import anyio
import httpx
import pytest
from gradio.utils import get_upload_folder
from mcp import ClientSession, McpError
from mcp import types as mcp
from mcp.client.streamable_http import streamablehttp_client
from PIL import Image

from tests import aside
from tests.page import cached, served_page

QUICK = {"steps": 2, "size": 96}
SECRET = "nobody's business 83b1"


@pytest.fixture(scope="module")
def page():
    server = served_page()
    assert server.engine is not None
    return server


@pytest.fixture(scope="module")
def painting() -> str:
    """A picture as a data URI."""
    stream = io.BytesIO()
    Image.effect_noise((128, 96), 60).convert("RGB").save(stream, "PNG")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


def conversation(page, talk):
    """Run ``talk(session)`` as a client; what it returns."""

    async def hold():
        async with (
            streamablehttp_client(f"{page.url}gradio_api/mcp") as (reading, writing, _),
            ClientSession(reading, writing) as session,
        ):
            await session.initialize()
            return await talk(session)

    return aside.run(hold())


def call(page, name: str, progress=None, **arguments):
    return conversation(page, lambda s: s.call_tool(name, arguments, progress_callback=progress))


def test_only_the_four_tools_are_listed_and_every_argument_is_explained(page):
    tools = conversation(page, lambda session: session.list_tools()).tools
    assert sorted(tool.name for tool in tools) == ["animate", "models", "proxy", "settings_schema"]
    animate = next(tool for tool in tools if tool.name == "animate")
    properties = animate.inputSchema["properties"]
    assert {"painting", "prompt", "mask", "p", "seed"} <= properties.keys()
    assert all(len(kind["description"]) > 15 for kind in properties.values())
    assert (properties["p"]["minimum"], properties["p"]["maximum"]) == (0.0, 1.0)
    assert animate.inputSchema["required"] == ["painting", "prompt"]
    assert all(tool.description and len(tool.description) > 60 for tool in tools)


def test_a_model_animates_a_painting_and_sees_how_far_it_is(page, painting):
    told = []

    async def progress(done, total, message):
        told.append((done, total, message))

    answer = call(page, "animate", progress, painting=painting, prompt="the water flows", seed=7,
                  **QUICK)  # fmt: skip
    assert not answer.isError
    settings = json.loads(answer.content[0].text)
    assert (settings["seed"], settings["steps"], settings["prompt"]) == (7, 2, "the water flows")
    notes = [part.text for part in answer.content[1:] if part.type == "text"]
    assert notes == [f"Note: {notice}" for notice in settings["notices"]]
    links = {part.name: str(part.uri) for part in answer.content if part.type == "resource_link"}
    assert list(links) == ["awakened.mp4", "baseline.mp4", "side_by_side.mp4", "proxy.png",
                           "settings.json"]  # fmt: skip
    assert httpx.get(links["awakened.mp4"]).content[4:8] == b"ftyp"
    assert httpx.get(links["settings.json"]).json()["seed"] == 7
    seen = Image.open(io.BytesIO(base64.b64decode(answer.content[-1].data)))
    assert seen.size == (settings["width"], settings["height"])
    shares = [done for done, _, _ in told]
    assert len(shares) > 3 and shares == sorted(shares) and all(words for _, _, words in told)


def test_the_proxy_alone_of_an_upload(page, painting):
    data = base64.b64decode(painting.partition(",")[2])
    upload = httpx.post(f"{page.url}gradio_api/upload", files={"files": ("a.png", data)}).json()[0]
    for given in (upload, f"{page.url}gradio_api/file={upload}"):
        answer = call(page, "proxy", painting=given, prompt="snow falls")
        assert [part.type for part in answer.content] == ["resource_link", "image"]


def test_what_runs_here_and_with_which_settings(page):
    listed = json.loads(call(page, "models").content[0].text)
    assert listed["backend"][0]["missing"] is None
    schema = json.loads(call(page, "settings_schema").content[0].text)
    assert schema["properties"]["seed"]["type"] == "integer"


def test_no_call_reads_the_server_or_the_web(page, painting, tmp_path, monkeypatch):
    secret = tmp_path / "secret.png"
    secret.write_bytes(base64.b64decode(painting.partition(",")[2]) + SECRET.encode())
    asked = []
    for name in ("get", "stream"):
        monkeypatch.setattr(
            f"safehttpx.{name}", lambda url, *a, **k: asked.append(url), raising=False
        )
    steps = page.engine.steps
    attacks = [
        str(secret), f"file://{secret}", "http://127.0.0.1:9/a.png", "https://example.org/a.png",
        f"{page.url}gradio_api/file={secret}", f"{page.url}gradio_api/file=%2e%2e{secret}",
        f"http://evil.example/gradio_api/file={get_upload_folder()}/../../{secret}", "", "\0",
        "data:image/svg+xml;base64,PHN2Zy8+", "data:,hello", "data:image/png;base64,%%%", "/proc/self/mem",
    ]  # fmt: skip
    file = {"path": str(secret), "meta": {"_type": "gradio.FileData"}}
    usual = {"painting": painting, "prompt": "a"}
    calls = [(name, usual | {where: attack}) for attack in attacks for name, where in
             (("animate", "painting"), ("proxy", "painting"), ("animate", "mask"))]  # fmt: skip
    calls += [("animate", usual | given) for given in (
        {"painting": file}, {"options": file}, {"proxy_options": {"steps": file}}, {"prompt": file},
        {"fps": 10**9}, {"nonsense": 1}, {"p": "much"},
    )] + [("_call", {}), ("take", {})]  # fmt: skip

    async def talk(session):
        return [await session.call_tool(name, given) for name, given in calls]

    for (name, given), answer in zip(calls, conversation(page, talk), strict=True):
        assert answer.isError and SECRET not in str(answer), (name, given)
    assert asked == [] and page.engine.steps == steps
    assert not cached(SECRET.encode())


@pytest.fixture
def slow_steps(page):
    page.engine.pace = 0.3
    yield
    page.engine.pace = 0.0


def wait_until_free(page) -> None:
    deadline = time.monotonic() + 60
    while page.engine.open_runs and time.monotonic() < deadline:
        time.sleep(0.05)
    assert page.engine.open_runs == 0


def test_a_caller_who_cancels_stops_the_work(page, painting, slow_steps):
    async def talk(session):
        begun = anyio.Event()

        async def progress(done, *_):
            if done > 0:  # the first step is done
                begun.set()

        async def ask():
            arguments = {"painting": painting, "prompt": "a", "steps": 100, "size": 96}
            with pytest.raises(McpError):
                await session.call_tool("animate", arguments, progress_callback=progress)

        async with anyio.create_task_group() as group:
            group.start_soon(ask)
            await begun.wait()
            number = session._request_id - 1
            about = mcp.CancelledNotificationParams(requestId=number)
            await session.send_notification(
                mcp.ClientNotification(mcp.CancelledNotification(params=about))
            )

    before = page.engine.steps
    conversation(page, talk)
    wait_until_free(page)
    assert 0 < page.engine.steps - before < 100


def test_a_caller_who_hangs_up_stops_the_work(page, painting, slow_steps):
    headers = {"Accept": "application/json, text/event-stream"}
    address = f"{page.url}gradio_api/mcp"
    hello = {
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {},
                   "clientInfo": {"name": "t", "version": "1"}},
    }  # fmt: skip
    with httpx.Client(timeout=60) as client:
        session = client.post(address, json=hello, headers=headers).headers["mcp-session-id"]
        headers |= {"mcp-session-id": session}
        ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        client.post(address, json=ready, headers=headers)
        body = {
            "jsonrpc": "2.0", "id": 2, "method": "tools/call",
            "params": {
                "name": "animate",
                "arguments": {"painting": painting, "prompt": "a", "steps": 100, "size": 96},
                "_meta": {"progressToken": 5},
            },
        }  # fmt: skip
        before = page.engine.steps
        with client.stream("POST", address, json=body, headers=headers) as stream:
            for line in stream.iter_lines():
                if "notifications/progress" in line and page.engine.steps > before:
                    break
    wait_until_free(page)
    assert page.engine.steps - before < 100


def test_a_program_that_hangs_up_stops_the_work(page, painting, slow_steps):
    data = base64.b64decode(painting.partition(",")[2])
    before = page.engine.steps
    with httpx.Client(base_url=f"{page.url}gradio_api/", timeout=60) as client:
        upload = client.post("upload", files={"files": ("a.png", data)}).json()[0]
        told = client.get("info").json()["named_endpoints"]["/animate"]["parameters"]
        wanted = {
            "painting": {"path": upload, "meta": {"_type": "gradio.FileData"}},
            "prompt": "the water flows", "steps": 100, "size": 96,
        }  # fmt: skip
        given = [wanted.get(one["parameter_name"], one.get("parameter_default")) for one in told]
        event = client.post("call/animate", json={"data": given}).json()["event_id"]
        with client.stream("GET", f"call/animate/{event}"):
            deadline = time.monotonic() + 60
            while page.engine.steps == before and time.monotonic() < deadline:
                time.sleep(0.05)
    wait_until_free(page)
    assert 0 < page.engine.steps - before < 160  # all of its steps would be more
