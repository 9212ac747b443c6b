"""The running server under attack: every setting, every private endpoint, every door.

Calls are written by hand; no client library is polite on the attacker's behalf.
"""

from __future__ import annotations

import asyncio
import errno
import http.client
import http.server
import io
import json
import logging
import os
import re
import secrets
import shutil
import socket
import stat
import subprocess
import sys
import threading
import zipfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import numpy as np
import pytest
from gradio.utils import get_upload_folder
from gradio_client import Client
from PIL import Image
from starlette.responses import PlainTextResponse

from awaken import hub
from awaken.examples import load_index
from awaken.types import RequestError
from awaken.ui import EXAMPLES
from awaken.ui.api import mcp_sessions
from awaken.ui.controls import gallery
from awaken.ui.run import files
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.server import (
    bundles,
    connections,
    file_cleanup,
    present,
    security,
    serving,
    shares,
)
from awaken.ui.server.guesses import AT_ONCE, FREE, Guesses
from awaken.ui.server.security import Rules
from awaken.ui.texts import say
from awaken.ui.texts.messages import translate
from tests import aside, load
from tests.page import cached, served_page

ROOT = Path(__file__).resolve().parents[1]
SECRET = "the moon is made of 7f3a cheese"
INJECTION = "${document.title='broken'} {{value}} <img src=x onerror=document.title='broken'>"


@pytest.fixture(scope="module")
def page():
    return served_page()


@pytest.fixture(scope="module")
def web(page):
    with httpx.Client(base_url=page.url, timeout=120) as client:
        yield client


@pytest.fixture(scope="module")
def config(web):
    return web.get("config").json()


@pytest.fixture(scope="module")
def secret(tmp_path_factory) -> Path:
    """A file of the server that is nobody's business, and a picture at that."""
    path = tmp_path_factory.mktemp("server") / "secret.png"
    Image.new("RGB", (64, 64), "red").save(path, pnginfo=_text_chunk())
    assert SECRET.encode() in path.read_bytes()
    return path


def _text_chunk():
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("comment", SECRET)
    return info


def upload(web, name: str, data: bytes, kind: str = "application/octet-stream") -> httpx.Response:
    return web.post("gradio_api/upload", files={"files": (name, data, kind)})


def named(path, **more) -> dict:
    """What calls itself a file."""
    return {"path": str(path), "meta": {"_type": "gradio.FileData"}} | more


def join(web, index: int, data: list, event: object = None, session: str = "") -> list[dict]:
    """Send an event as the page would, and read its stream to the end: the messages."""
    session = session or secrets.token_hex(8)
    body = {"data": data, "fn_index": index, "session_hash": session, "event_data": event}
    answer = web.post("gradio_api/queue/join", json=body)
    if answer.status_code != 200:
        return [{"msg": "refused", "status": answer.status_code, "text": answer.text}]
    with web.stream("GET", f"gradio_api/queue/data?session_hash={session}") as stream:
        lines = [line for line in stream.iter_lines() if line.startswith("data:")]
    return [json.loads(line[5:]) for line in lines]


def page_run(config) -> tuple[dict, list[dict]]:
    """The page's own run, what follows a press of Awaken, and its components."""
    parts = {part["id"]: part for part in config["components"]}
    event = load.pressed(config)
    return event, [parts[i] for i in event["inputs"]]


def as_drawn(parts: list[dict]) -> list:
    """What a press sends: the name of its tab, and the values that a visitor finds on the dials."""
    values = [part["props"].get("value") for part in parts]
    assert parts[0]["type"] == "textbox" and not parts[0]["props"]["visible"]
    return [secrets.token_urlsafe(32), *values[1:]]


def dialled(parts: list[dict], **changes) -> list:
    """The same with other values on dials, by the name of their element."""
    found = [str(part["props"].get("elem_id")).removeprefix("aw-") for part in parts]
    assert changes.keys() <= set(found)
    values = zip(found, as_drawn(parts), strict=True)
    return [changes.get(name, value) for name, value in values]


# Settings: nothing off a dial starts a step.


def _hostile(part: dict) -> list:
    """Values that no dial of this kind can have."""
    props = part["props"]
    match part["type"]:
        case "slider" | "number" | "plain":
            beyond = [v for v in (props.get("minimum"), props.get("maximum")) if v is not None]
            return [*(beyond[:1] and [beyond[0] - 1]), *(beyond[1:] and [beyond[1] * 2 + 1]),
                    "much", {"a": 1}, float(2**70)]  # fmt: skip
        case "radio":
            empty = [None] if isinstance(props.get("value"), str) else []  # else: the model's own
            return ["../../etc/passwd", 12345, *empty, {"path": "/etc/passwd"}]
        case "textbox":
            return ["x" * 601]
        case "html":
            return [named("/etc/passwd"), "/etc/passwd", ["a"]]
    return []


def test_no_value_off_its_dial_starts_a_step(page, web, config):
    event, parts = page_run(config)
    usual = as_drawn(parts)
    before, tried, session = page.engine.steps, 0, secrets.token_hex(8)
    for i, part in enumerate(parts):
        hidden = part["props"].get("visible") is False  # another model's; this run reads it not
        for value in [] if hidden else _hostile(part):
            said = join(web, event["id"], [*usual[:i], value, *usual[i + 1 :]], session=session)
            tried += 1
            assert page.engine.steps == before, (part["props"].get("label"), value)
            assert "Traceback" not in json.dumps(said)
    assert tried > 40
    join(web, event["id"], dialled(parts, steps=2, size=384), session=session)
    assert page.engine.steps > before  # a press with these values does start


# Private endpoints: whatever is sent, nothing of the machine comes out, and nothing goes in.


def test_no_endpoint_reads_a_file_or_an_address(page, web, config, secret, monkeypatch):
    fetched = []

    async def fetch(url: str, *rest: object) -> str:
        fetched.append(url)
        return str(secret)

    monkeypatch.setattr("gradio.processing_utils.async_ssrf_protected_download", fetch)
    attacks = [
        named(secret),
        named("http://example.org/a.png"),
        "A" * 10_000,
        None,
        named("HTTPS://example.org/a.png", url="https://example.org/a.png"),
        named("/proc/self/environ"),
        named(f"{get_upload_folder()}/../{secret}"),
        named("data:image/png;base64,AAAA"),
        {"path": str(secret)},
        {"url": "http://example.org/a.png", "path": "", "meta": {"_type": "gradio.FileData"}},
        {"stacked": named(secret)},
        [[{"deep": [named(secret)]}]],
        "a\0b",
        {"path": "a\0b"},
    ]
    steps, session = page.engine.steps, secrets.token_hex(8)
    for event in config["dependencies"]:
        for attack in attacks[:4] if event["backend_fn"] else []:
            body = {
                "data": [attack] * len(event["inputs"]), "fn_index": event["id"],
                "session_hash": session, "event_data": attack,
            }  # fmt: skip
            if event["queue"]:  # the door that is meant to be shut
                assert web.post(f"gradio_api/run/{event['api_name']}", json=body).status_code == 404
                continue
            answer = web.post(f"gradio_api/run/{event['api_name']}", json=body)
            assert SECRET not in answer.text and "Traceback" not in answer.text
            told = answer.text.replace(str(EXAMPLES), "")  # bundled pictures are served from there
            assert str(ROOT) not in told
    event, parts = page_run(config)
    for attack in attacks[4:]:
        said = json.dumps(join(web, event["id"], [attack] * len(parts), session=session))
        assert '"success": false' in said and SECRET not in said
    assert fetched == [] and page.engine.steps == steps
    assert not cached(SECRET.encode())


def test_the_search_for_secrets_finds_one(web):
    """The check above can fail: an upload is found."""
    upload(web, "a.txt", b"a needle 91c2 in the cache")
    assert cached(b"a needle 91c2")


def test_forged_state_changes_nothing(web, config):
    """Gradio keeps a session's state itself; what a request says of it is not believed."""
    event, parts = page_run(config)
    states = [i for i, part in enumerate(parts) if part["type"] == "state"]
    assert states
    forged = {"mode": "done", "result": {"stacked": {"path": "/etc/passwd"}}, "run": None}
    data = dialled(parts, prompt="")  # the run ends at once, with the stage as it was
    for i in states:
        data[i] = forged
    assert "/etc/passwd" not in json.dumps(join(web, event["id"], data))


def test_routes_that_the_page_never_uses_are_shut(page, web):
    for path in (
        "gradio_api/process_recording", "gradio_api/vibe-edit", "gradio_api/vibe-code",
        "gradio_api/undo-vibe-edit", "gradio_api/deep_link?session_hash=a", "monitoring",
        "gradio_api/proxy=http://127.0.0.1/", "monitoring/summary", "gradio_api/dev/reload",
        "gradio_api/custom_component/a%0aforged/client/b/c", "gradio_api/runs", "gradio_api/token",
        "gradio_api/stream/a/b/1/playlist.m3u8", "gradio_api/component_server", "login", "logout",
        "gradio_api/file/etc/passwd", "gradio_api/profiling/traces", "docs", "redoc",
    ):  # fmt: skip
        assert web.get(path).status_code == 404, path
        assert web.post(path, json={}).status_code == 404, path
    for method in ("PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "FETCH"):
        assert web.request(method, "gradio_api/info").status_code == 404


@pytest.fixture
def elsewhere(monkeypatch):
    """A server of the web: every name is its, and it counts who comes."""
    asked = []

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(f"<script>{SECRET}</script>".encode())

        do_HEAD = do_GET

        def log_message(self, *args):
            pass

    async def resolved(name: str) -> str:
        return "127.0.0.1"

    monkeypatch.setattr("safehttpx.async_validate_url", resolved)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"elsewhere.example:{server.server_port}", asked
        server.shutdown()


def _spellings(place: str) -> list[str]:
    """Addresses as somebody might write them who wants them fetched."""
    url = f"http://{place}/x.png"
    once = quote(url, safe="")
    here = get_upload_folder()
    return [
        url, url.upper(), f"HtTp://{place}/x.png", f"https://{place}/x.png", once, quote(once),
        url.replace("://", ":%2f%2f"), url.replace("h", "%68", 1), url.replace("h", "%2568", 1),
        f"//{place}/x.png", f"/{url}", f"///{place}/x.png", f"http:/{place}/x.png",
        f"http:{place}/x.png", f"http:\\\\{place}\\x.png", f"\\\\{place}\\x.png",
        f"%5C%5C{place}%5Cx.png", f"ftp://{place}/x.png", f"ws://{place}/x.png",
        f"data:text/html,<script>{SECRET}</script>".replace(" ", "%20"), "file:///etc/passwd",
        f"%20{url}", f"%09{url}", f"%00{url}", f"{url}%00.png", f"http%3A//{place}/x.png",
        f"http://user:word@{place}/x.png", f"{here}/{url}", f"{here}/../{url}", f"{url}?a=.png",
        f"{url}%23.png", f"http://[::ffff:127.0.0.1]:{place.split(':')[1]}/x.png",
        f"{quote('ｈｔｔｐ')}://{place}/x.png", f"blob:{url}", f"url={url}", f"view-source:{url}",
    ]  # fmt: skip


def test_no_route_fetches_anything_however_it_is_spelt(page, elsewhere):
    place, asked = elsewhere
    doors = (
        "/gradio_api/file=", "/gradio_api/file/", "/gradio_api/proxy=", "/file=", "/file/", "/proxy=",
        "/gradio_api/FILE=", "/GRADIO_API/file=", "//gradio_api/file=", "/gradio_api//file=",
        "/gradio_api/%66ile=", "/gradio_api/file%3D", "/gradio_api/x/../file=", "/zh/file=",
        "/zh/gradio_api/file=", "/bundle/", "/static/", "/assets/", "/svelte/", "/present/", "/",
    )  # fmt: skip
    for door in doors:
        for spelling in _spellings(place):
            status, body = raw_get(page, door + spelling)
            assert status in (404, 421), door + spelling
            assert SECRET.encode() not in body and b"root:" not in body
    status, body = raw_get(page, f"http://{place}/x.png")  # as one asks a proxy
    assert status >= 400 and asked == []


def test_the_server_elsewhere_would_be_noticed(elsewhere):
    """The check above can fail: what Gradio's own route does reaches it."""
    from gradio.route_utils import secure_url_stream_response
    from starlette.requests import Request

    place, asked = elsewhere
    request = Request({"type": "http", "method": "GET", "headers": []})
    aside.run(secure_url_stream_response(f"http://{place}/x.png", request))
    assert asked == ["/x.png"]


def test_only_what_lies_in_the_two_folders_is_a_file(page, web, tmp_path, secret):
    here = Path(get_upload_folder())
    own = Path(upload(web, "a.png", b"just bytes").json()[0])
    for path in (own, next((EXAMPLES / "paintings").glob("*.jpg"))):
        assert raw_get(page, f"/gradio_api/file={path}")[0] == 200
        for spelling in (f"/{path}", f"{path}/", f"{path}/.", str(path).replace("/", "//"),
                         f"{path.parent}/./{path.name}", f"{path.parent}/x/../{path.name}",
                         str(path)[1:], f"file://{path}", quote(quote(str(path), safe=""))):  # fmt: skip
            assert raw_get(page, f"/gradio_api/file={spelling}")[0] == 404, spelling
    (here / "link").mkdir(exist_ok=True)
    (here / "link" / "a.png").symlink_to(secret)
    (here / "link" / "loop.png").symlink_to(here / "link" / "loop.png")
    os.mkfifo(here / "link" / "pipe.png")
    for name in ("a.png", "loop.png", "pipe.png", "", "x" * 5000):
        assert raw_get(page, f"/gradio_api/file={here}/link/{name}")[0] == 404, name
    shutil.rmtree(here / "link")


def test_scripts_run_on_the_page_alone(web):
    own = Path(upload(web, "a.png", b"<script>alert(1)</script>").json()[0])
    seen = set()
    for path in ("", "zh"):
        page = web.get(path)
        policy = page.headers["content-security-policy"]
        scripts = re.search(r"script-src ([^;]*)", policy)[1]
        nonce = re.search(r"'nonce-([^']{16,})'", scripts)[1]
        assert "unsafe-inline" not in scripts and "sandbox" not in policy
        assert page.text.count("<script") == page.text.count(f'<script nonce="{nonce}"') > 4
        seen |= {
            nonce,
            re.search(r"nonce-([^']+)", web.get(path).headers["content-security-policy"]),
        }
    assert len(seen) == 4
    for path in ("config", "theme.css", "nowhere", "gradio_api/info", f"gradio_api/file={own}",
                 "gradio_api/file=/etc/passwd", "bundle/x.zip", "manifest.json", "zh/nowhere"):  # fmt: skip
        policy = web.get(path).headers["content-security-policy"]
        assert "sandbox" in policy and "allow-scripts" not in policy, path
    for answer in (web.get("present"), web.get("present/show.json")):
        policy = answer.headers["content-security-policy"]
        assert "frame-ancestors" in policy and "unsafe" not in policy


@pytest.mark.browser
def test_the_browser_runs_no_script_that_the_page_was_not_served_with(page, web, open_page):
    own = upload(
        web, "a.png", b"<html><script>document.title='broken'</script>", "text/html"
    ).json()[0]
    tab = open_page(page.url)
    tab.expected_errors = ["Content Security Policy", "ERR_INVALID_URL"]
    tab.wait_for_selector("#aw-awaken")
    tab.evaluate(
        """async () => {
          const refused = new Promise((done) =>
            document.addEventListener("securitypolicyviolation", (e) => done(e.effectiveDirective)));
          const script = document.createElement("script");
          script.textContent = "document.title = 'broken'";
          document.body.append(script);
          await refused;
        }"""
    )
    tab.evaluate("document.body.insertAdjacentHTML('beforeend', "
                 "`<img src=data: onerror=\"document.title='broken'\">`)")  # fmt: skip
    assert tab.title() != "broken"
    tab.goto(f"{page.url}gradio_api/file={own}")
    assert tab.title() != "broken" and tab.evaluate("origin") == "null"


@pytest.mark.parametrize("name", ["postprocess", "__init__", "load_event_to_attach", "__class__"])
def test_no_component_runs_a_method_for_a_stranger(web, config, name):
    for part in config["components"][:40]:
        asked = {"data": "x", "component_id": part["id"], "session_hash": "a", "fn_name": name}
        assert web.post("gradio_api/component_server", json=asked).status_code == 404


# Paths: what is asked for by name.


def raw_get(page, path: str, **headers: str) -> tuple[int, bytes]:
    """The path exactly as written: no library tidies the dots away."""
    connection = http.client.HTTPConnection(urlsplit(page.url).netloc, timeout=30)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


@pytest.mark.parametrize("door", ["gradio_api/file=", "gradio_api/file/", "static/", "assets/",
                                  "svelte/", "present/", "bundle/"])  # fmt: skip
def test_no_door_leads_out_of_its_room(page, secret, door):
    up = "../" * 12
    for path in (
        str(secret), f"{up}{secret}", f"{up.replace('/', '%2f')}{secret}", f"/{secret}",
        f"{up.replace('.', '%2e')}{secret}", f"{secret}%00.png", "..\\..\\app.py", "%2e%2e%2fapp.py",
        f"{ROOT}/app.py", f"{get_upload_folder()}/{up}{secret}", "~/.bashrc", "http://127.0.0.1:1/",
    ):  # fmt: skip
        status, body = raw_get(page, f"/{door}{path}")
        assert status >= 400 and SECRET.encode() not in body and b"argparse" not in body, path


def test_the_cache_cannot_be_listed_and_runs_cannot_be_guessed(page, web):
    upload(web, "a.txt", b"something")
    for folder in ("", "/", "/bundles"):
        assert raw_get(page, f"/gradio_api/file={get_upload_folder()}{folder}")[0] >= 400


# Uploads.


@pytest.mark.parametrize(
    "name", ["../../../../tmp/out.png", "/etc/out.png", "..", "a\0b.png", "x" * 300 + ".png",
             "..\\..\\out.png", "a/../../out.png", "CON.png", ".htaccess"],
)  # fmt: skip
def test_an_upload_stays_in_the_cache_whatever_its_name(web, name):
    answer = upload(web, name, secrets.token_bytes(16))
    if answer.status_code == 200:
        place = Path(answer.json()[0]).resolve()
        assert place.is_relative_to(Path(get_upload_folder()).resolve())
        assert place.parent.parent == Path(get_upload_folder()).resolve()
    else:
        assert answer.status_code == 400


@pytest.mark.parametrize("name", ["a.html", "a.svg", "a.xhtml", "a.js", "a.xml", "a.png"])
def test_an_uploaded_page_is_never_shown_as_one(web, name):
    script = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    path = upload(web, name, script, "text/html").json()[0]
    answer = web.get(f"gradio_api/file={path}")
    assert answer.headers["x-content-type-options"] == "nosniff"
    kind = answer.headers["content-type"]
    as_file = answer.headers["content-disposition"].startswith("attachment")
    if name.endswith(".png"):
        assert kind == "image/png"
    else:
        assert as_file and kind == "application/octet-stream"


def test_no_request_is_larger_than_a_picture_needs(page, web):
    assert upload(web, "large.png", bytes(21 << 20)).status_code == 413
    connection = http.client.HTTPConnection(urlsplit(page.url).netloc, timeout=30)
    for path in ("/gradio_api/queue/join", "/gradio_api/upload", "/login"):
        connection.request("POST", path, headers={"Content-Length": str(security.MAX_BODY + 1)})
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (413, security._TOO_LARGE.encode())
        connection.close()
    pieces = (b"x" * (1 << 20) for _ in range((security.MAX_BODY >> 20) + 1))
    answer = web.post("gradio_api/queue/join", content=pieces)  # in chunks, of unknown length
    assert answer.status_code in (400, 413)


def test_the_camera_s_position_does_not_survive_an_upload(web, config):
    picture = Image.new("RGB", (64, 64), "blue")
    exif = picture.getexif()
    exif[0x010E] = "at the lighthouse 51c8"
    data = io.BytesIO()
    picture.save(data, "JPEG", exif=exif, comment=b"at the lighthouse 51c8")
    path = upload(web, "a.jpg", data.getvalue()).json()[0]
    kept = dropped(web, config, path)["path"]
    assert b"lighthouse" in Path(path).read_bytes()
    assert b"lighthouse" not in Path(kept).read_bytes() and not Image.open(kept).getexif()


def dropped(web, config, path: str) -> dict:
    """What the page makes of a dropped file: the painting that it keeps, and what it says."""
    event = next(d for d in config["dependencies"] if any(t[1] == "upload" for t in d["targets"]))
    parts = {part["id"]: part for part in config["components"]}
    shown = {i: part["props"].get("value") for i, part in parts.items()}
    data = [named(path) if parts[i]["type"] == "html" else shown[i] for i in event["inputs"]]
    message = join(web, event["id"], data, {"problem": ""})[-2]
    assert message["success"], message
    zone = next(i for i, kind in event["targets"] if kind == "upload")
    answers = dict(zip(event["outputs"], message["output"]["data"], strict=True))
    painting = answers.pop(zone)
    said = json.dumps(list(answers.values()))
    return {"path": painting["path"] if isinstance(painting, dict) else None, "said": said}


def _zip(*members: tuple[zipfile.ZipInfo | str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, body in members:
            zipped.writestr(name, body)
    return data.getvalue()


def _link(target: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("settings.json")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (_zip(("../../../tmp/settings.json", b'{"prompt": "out"}')), "holds no settings"),
        (_zip((_link("/etc/passwd"), b"/etc/passwd")), "holds no settings"),
        (_zip(("settings.json", b" " * (200 << 20))), "larger than anything"),
        (_zip(*((f"{i}.json", b"{}") for i in range(5000))), "larger than anything"),
        (b"PK\x03\x04" + bytes(100), "not a bundle"),
        (b'{"prompt": "' + b"x" * 70_000 + b'"}', "holds no settings"),
        (b"{" * 50_000, "holds no settings"),
        (b'{"painting": "/etc/passwd", "mask": "/etc/passwd", "prompt": "a"}', "left out"),
    ],
    ids=["traversal", "symlink", "bomb", "many", "broken", "long", "deep", "paths"],
)  # fmt: skip
def test_a_dropped_bundle_is_read_and_nothing_else(web, config, data, words):
    before = set(os.listdir("/tmp"))
    found = dropped(web, config, upload(web, "bundle.zip", data).json()[0])
    assert words in found["said"] and "root:" not in found["said"]
    assert "settings.json" not in set(os.listdir("/tmp")) - before


def test_a_film_s_settings_are_only_settings(web, config, tmp_path):
    from awaken.video import write_mp4

    film = tmp_path / "film.mp4"
    told = {"prompt": INJECTION, "painting": "/etc/passwd", "__class__": "x", "p": "1; rm -rf /"}
    write_mp4(np.zeros((2, 48, 64, 3), np.uint8), film, 6, told)
    found = dropped(web, config, upload(web, "film.mp4", film.read_bytes()).json()[0])
    assert json.dumps(INJECTION)[1:-1] in found["said"]  # as a text on its dial
    assert "root:" not in found["said"] and "__class__" in found["said"]
    broken = b"\xff\xff\xff\xff" + film.read_bytes()[4:200]  # a box of four gigabytes
    assert (
        "holds no settings" in dropped(web, config, upload(web, "b.mp4", broken).json()[0])["said"]
    )


# Other pages, other names.


@pytest.mark.parametrize("origin", ["null", "https://evil.example", "http://127.0.0.1:1",
                                    "http://localhost", "https://127.0.0.1.evil.example"])  # fmt: skip
def test_no_other_page_may_ask(web, origin):
    headers = {"Origin": origin, "Sec-Fetch-Site": "cross-site"}
    content = secrets.token_bytes(20)
    picture = {"files": ("a.png", content)}
    assert web.post("gradio_api/upload", files=picture, headers=headers).status_code == 403
    for path in ("queue/join", "call/animate", "run/new_seed", "cancel", "reset"):
        answer = web.post(f"gradio_api/{path}", json={"data": []}, headers=headers)
        assert answer.status_code == 403
    assert web.get("config", headers=headers).status_code == 403
    assert web.get("gradio_api/info", headers={"Origin": origin}).status_code == 403
    assert not cached(content)


def test_the_page_itself_may_ask_behind_a_proxy_too(page, web):
    here = page.url.rstrip("/")
    for headers in (
        {"Origin": here},
        {"Origin": "https://museum.example", "X-Forwarded-Host": "museum.example"},
        {"Origin": "https://museum.example", "Sec-Fetch-Site": "same-origin"},
        {},
    ):
        assert web.get("gradio_api/info", headers=headers).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example",
                                  "localhost.evil.example", "[::2]", "192.168.1.1", "a b", ""])  # fmt: skip
def test_a_name_pointed_at_this_machine_is_not_its_name(page, host):
    """DNS rebinding: the browser believes that evil.example is this server."""
    for path in ("/", "/config", "/present", "/gradio_api/info", "/bundle/x.zip"):
        assert raw_get(page, path, Host=host)[0] == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]:7860",
                                  "talk.localhost", "127.8.9.1"])  # fmt: skip
def test_this_machine_s_own_names_are_answered(page, host):
    assert raw_get(page, "/gradio_api/info", Host=host)[0] == 200


def test_rules_follow_the_environment():
    assert Rules.of("0.0.0.0", {}) == Rules(local=False)
    assert Rules.of("localhost", {"AWAKEN_HOSTS": "Museum.example, b"}).names == {
        "museum.example",
        "b",
    }
    assert Rules.of("127.0.0.1", {"SPACE_ID": "a/b"}).space
    for login in ("guest", ":word", "guest:"):
        with pytest.raises(RequestError, match="user:password"):
            Rules.of("::1", {"AWAKEN_AUTH": login})


def test_every_answer_forbids_foreign_hosts(web):
    for path in (
        "",
        "present",
        "gradio_api/info",
        "theme.css",
        "nowhere",
        "gradio_api/file=/etc/passwd",
    ):
        headers = web.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src" in policy and "http" not in policy and "*" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] in ("same-origin", "no-referrer")


@pytest.mark.browser
def test_the_browser_itself_refuses_foreign_hosts(page, open_page):
    tab = open_page(page.url)
    tab.expected_errors = ["Content Security Policy", "https://evil.example/"]
    tab.wait_for_selector("#aw-awaken")
    refused = tab.evaluate(
        """async () => {
          const said = [];
          document.addEventListener("securitypolicyviolation", (e) => said.push(e.effectiveDirective));
          await fetch("https://evil.example/").catch(() => {});
          for (const [tag, name] of [["img", "src"], ["script", "src"], ["iframe", "src"]]) {
            const part = document.createElement(tag);
            part[name] = "https://evil.example/a";
            document.body.append(part);
          }
          while (said.length < 4) await new Promise(requestAnimationFrame);
          return said.sort();
        }"""
    )
    assert refused == ["connect-src", "frame-src", "img-src", "script-src-elem"]


def awaken(tab, prompt: str) -> None:
    """A short run, until its result says the prompt."""
    tab.fill("#aw-prompt textarea", prompt)
    tab.click("#aw-advanced button")
    steps = tab.locator("#aw-steps input[type=number]")
    steps.fill("2")
    steps.press("Enter")
    tab.locator("#aw-size label").first.click()
    tab.click("#aw-awaken")
    tab.wait_for_function(
        "text => document.querySelector('.aw-said').textContent.includes(text)",
        arg=prompt, timeout=240_000,
    )  # fmt: skip


@pytest.mark.browser
def test_a_prompt_is_only_ever_text(page, open_page):
    assert page.engine is not None  # warm
    tab = open_page(page.url)
    tab.wait_for_selector("[data-testid=stage]")
    awaken(tab, INJECTION)
    assert tab.title() != "broken" and tab.locator("img[src=x]").count() == 0


# Name and password.


@pytest.fixture(scope="module")
def locked():
    """A page that asks for a password; its engine is never made."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWAKEN_AUTH", "guest:sun:flowers")
        demo, holder = serving.make_page(EngineHolder())
        url = serving.launch(demo, holder)
    yield demo, url
    demo.close(verbose=False)


def test_without_the_password_nothing_answers(locked):
    demo, url = locked
    paths = {route.path for route in demo.app.routes if hasattr(route, "path")}
    assert {"/present", "/bundle/{name}.zip", "/config"} <= paths
    inner = (
        "mcp",
        "upload",
        "queue/join",
        "call/animate",
        "file=/etc/passwd",
        "info",
        "cancel",
        "heartbeat/a",
    )
    paths |= {f"/gradio_api/{name}" for name in inner}
    with httpx.Client(base_url=url) as web:
        for path in paths - set(security.OPEN):
            for method in ("GET", "POST"):
                answer = web.request(method, path, auth=("guest", "sun:flower"))
                assert answer.status_code == 401, path
        assert web.get("").status_code == 401
        assert web.get("", auth=("guest", "sun:flowers")).status_code == 200


def test_wrong_passwords_are_answered_late_and_few_at_a_time():
    now, waiting = [0.0], []

    async def sleep(seconds: float) -> None:
        over = asyncio.Event()
        waiting.append(over)
        await over.wait()

    guesses = Guesses(lambda: now[0], sleep)
    one, other = ("6.6.6.6",), ("7.7.7.7",)

    async def guess(client) -> bool:
        """Whether the guess was looked at."""
        if guesses.too_many(client, ""):
            return False
        await guesses.wrong(client)
        return True

    async def come() -> None:
        assert all([await guess(one) for _ in range(FREE)]) and not waiting
        tries = [asyncio.create_task(guess(one)) for _ in range(100)]
        await asyncio.sleep(0)
        assert len(waiting) == AT_ONCE and sum(t.done() for t in tries) == 100 - AT_ONCE
        assert guesses.too_many(one, "awaken-known=forged")
        proof = guesses.proof("").partition(";")[0]
        assert not guesses.too_many(one, f"a=b; {proof}")
        assert await guess(other) and len(waiting) == AT_ONCE  # nobody else waits
        for over in waiting:
            over.set()
        assert sum(await asyncio.gather(*tries)) == AT_ONCE
        waiting.clear()
        now[0] += 3600
        assert await guess(one) and not waiting  # forgiven
        forged = [asyncio.create_task(guess(("8.8.8.8", "forwarded", str(i)))) for i in range(200)]
        await asyncio.sleep(0)
        assert len(waiting) == AT_ONCE  # many names of one address are one address
        for task in forged:
            task.cancel()

    aside.run(come())


def test_the_server_slows_guesses_and_spares_whoever_is_in(locked, monkeypatch):
    monkeypatch.setattr("awaken.ui.server.guesses.LATE", 30.0)
    right = ("guest", "sun:flowers")

    def from_there() -> httpx.AsyncClient:
        transport = httpx.AsyncHTTPTransport(local_address="127.0.0.9")
        return httpx.AsyncClient(base_url=locked[1], transport=transport, timeout=240)

    async def come() -> None:
        async with from_there() as inside, from_there() as guessing, from_there() as late:
            assert (await inside.get("gradio_api/info", auth=right)).status_code == 200
            guesses = [
                asyncio.create_task(guessing.get("robots.txt", auth=("guest", str(i))))
                for i in range(FREE + AT_ONCE + 20)
            ]
            while sum(not guess.done() for guess in guesses) > AT_ONCE:
                await asyncio.sleep(0.01)
            told = Counter(guess.result().status_code for guess in guesses if guess.done())
            assert told[401] <= FREE + 5 and told[429] >= 15  # some are forgiven meanwhile
            assert (await late.get("robots.txt", auth=right)).status_code == 429
            assert (await inside.get("gradio_api/info", auth=right)).status_code == 200
            assert {a.status_code for a in await asyncio.gather(*guesses)} == {401, 429}

    aside.run(come())


def test_programs_bring_the_password_along(locked):
    sent = httpx.BasicAuth("guest", "sun:flowers")._auth_header
    client = Client(
        locked[1], verbose=False, analytics_enabled=False, headers={"Authorization": sent}
    )
    assert client.predict(api_name="/models")["backend"]


# Requests that do not end, and too much of everything.


def _connected(page) -> socket.socket:
    place = urlsplit(page.url)
    return socket.create_connection((place.hostname, place.port), timeout=60)


def test_what_is_half_sent_is_closed_and_a_stream_is_not(page, monkeypatch):
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.5)
    monkeypatch.setattr(security, "BODY_SECONDS", 0.5)
    whole = b"GET /robots.txt HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with _connected(page) as stream:
        stream.sendall(b"GET /gradio_api/heartbeat/abc HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert stream.recv(100).startswith(b"HTTP/1.1 200")
        for first in (b"", b"GET / HT", whole[:-2], whole + whole[:20], whole + whole + b"G"):
            with _connected(page) as half:
                half.sendall(first)
                while half.recv(10_000):  # the answers to what was whole, and then the end
                    pass
        with _connected(page) as half:
            half.sendall(b"POST /gradio_api/queue/join HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                         b"Content-Length: 100\r\nContent-Type: application/json\r\n\r\n{")  # fmt: skip
            assert half.recv(100).split()[1] in (b"400", b"408")
        stream.settimeout(0.01)
        with pytest.raises(TimeoutError):
            while stream.recv(10_000):
                pass


def test_what_is_no_request_is_answered_by_the_border_too(page):
    for words in (b"\0\0\0\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n"):
        with _connected(page) as line:
            line.sendall(words)
            answer = b"".join(iter(lambda: line.recv(10_000), b"")).lower()
            assert answer.startswith(b"http/1.1 400")
            assert b"nosniff" in answer and b"sandbox; frame-ancestors" in answer


def test_one_address_has_no_more_than_its_share_of_connections(page, monkeypatch):
    monkeypatch.setattr(connections, "MOST_NEAR", 24)
    with ExitStack() as stack:
        lines = [stack.enter_context(_connected(page)) for _ in range(25)]
        assert lines[-1].recv(100).startswith(b"HTTP/1.1 503")
        place = urlsplit(page.url)
        where = (place.hostname, place.port)
        with socket.create_connection(where, 60, source_address=("127.0.0.9", 0)) as other:
            other.sendall(b"GET /robots.txt HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert other.recv(100).startswith(b"HTTP/1.1 200"), "other addresses have theirs"
    for _ in range(100):  # what is closed counts no longer
        with _connected(page) as line:
            line.sendall(b"GET /robots.txt HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            if line.recv(100).startswith(b"HTTP/1.1 200"):
                return
    pytest.fail("the address stays shut out")


def test_an_error_carries_the_border_s_headers(page, web, monkeypatch):
    def broken(*args):
        raise RuntimeError("a secret of ours")

    monkeypatch.setattr(bundles.Asked, "of", broken)
    refused = [
        web.get("bundle/x.zip"),
        web.get("nowhere"),
        web.post("gradio_api/queue/join", content=b"[" * 100_000,
                 headers={"Content-Type": "application/json"}),
        web.request("OPTIONS", "gradio_api/info", headers={"Origin": "https://evil.example"}),
        web.get("", headers={"Host": "evil.example"}),
        web.post("gradio_api/upload", content=b"x", headers={"Content-Type": "multipart/form-data"}),
    ]  # fmt: skip
    assert [answer.status_code for answer in refused[:5]] == [500, 404, 400, 403, 421]
    for answer in refused:
        assert answer.status_code >= 400 and "secret" not in answer.text
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("hello", ["[" * 20_000, '{"runs":' * 3000, '{"runs": {"run": ' + "9" * 5000,
                                   "\ud800", '{"owner": {"a": []}, "runs": [1], "again": "x"}'])  # fmt: skip
def test_whatever_a_tab_says_hello_with_the_page_opens(web, config, hello):
    event = next(d for d in config["dependencies"] if ["load"] == [t[1] for t in d["targets"]][:1])
    body = {
        "data": [hello] * len(event["inputs"]),
        "fn_index": event["id"],
        "session_hash": "hello",
    }
    kind = {
        "Content-Type": "application/json"
    }  # json.dumps writes half an emoji, as a browser does
    address = f"gradio_api/run/{event['api_name']}"
    answer = web.post(address, content=json.dumps(body), headers=kind)
    assert answer.status_code in (200, 400), answer.text


class _Full:
    """A folder of one megabyte, as ``shares`` sees it."""

    most, held = 1 << 20, 0

    async def has(self, size: int) -> bool:
        return self.held + size <= self.most

    def here(self, size: int) -> None:
        self.held += size


def test_nobody_fills_the_disk():
    now, taken = [0.0], []

    async def app(scope, receive, send):
        taken.append(scope["client"][0])
        await PlainTextResponse("kept")(scope, receive, send)

    door = shares.Shares(app, _Full(), lambda: now[0])

    async def sent(address: str, size: int = 50_000, path: str = "/gradio_api/upload") -> int:
        scope = {"type": "http", "method": "POST", "path": path, "client": (address, 1),
                 "headers": [(b"content-length", str(size).encode())]}  # fmt: skip
        status = []

        async def send(message):
            status.append(message.get("status"))

        await door(scope, None, send)
        return status[0]

    async def come() -> None:
        greedy = [await sent("6.6.6.6") for _ in range(30)]
        assert greedy.count(200) <= 4 and greedy[-1] == 429
        assert await sent("7.7.7.7", path="/gradio_api/mcp") == 200
        now[0] += 60 * shares.MINUTES
        assert await sent("6.6.6.6") == 200
        assert [await sent(f"1.1.1.{i}") for i in range(30)][-1] == 507  # full
        joined = [await sent("7.7.7.7", path="/gradio_api/queue/join") for _ in range(400)]
        assert joined.count(200) <= shares.BURST + 1 and joined[-1] == 503
        assert await sent("8.8.8.8", path="/gradio_api/call/animate") == 200
        now[0] += shares.BURST_SECONDS
        assert await sent("7.7.7.7", path="/gradio_api/queue/join") == 200

    aside.run(come())
    assert taken.count("6.6.6.6") <= 5


def test_a_disk_that_takes_nothing_is_called_by_its_name(page, web, monkeypatch):
    for number, words in ((errno.ENOSPC, "disk_full"), (errno.EROFS, "disk_read_only")):
        error = OSError(number, os.strerror(number), "/srv/secret/place")

        def refuse(*args, error=error, **more):
            raise error

        monkeypatch.setattr("gradio.route_utils.GradioMultiPartParser.parse", refuse)
        answer = upload(web, "a.png", b"x")
        assert (answer.status_code, answer.text) == (507, say(words))
        monkeypatch.undo()
        monkeypatch.setattr("awaken.ui.run.files.new_folder", refuse)
        with pytest.raises(RequestError, match=re.escape(say(words))):
            files.keep_upload(_picture())
        monkeypatch.undo()


def _picture() -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (64, 64), "blue").save(data, "PNG")
    return data.getvalue()


def test_places_of_the_server_are_in_no_sentence(monkeypatch):
    monkeypatch.setenv("AWAKEN_MODELS", "/srv/models")
    for told, shown in (
        ("/srv/models/cinemo/unet/config.json is missing.", "cinemo/unet/config.json is missing."),
        ("[Errno 2] No such file: '/tmp/awaken-0/abc/painting.png'",
         "[Errno 2] No such file: 'painting.png'"),
        ("From https://huggingface.co/a/b and /animate.", "From https://huggingface.co/a/b and /animate."),
    ):  # fmt: skip
        assert translate(told) == shown


@pytest.mark.browser
def test_a_forgotten_session_credits_nobody_else(page, open_page, tmp_path):
    """Gradio forgets sessions when too many come; the picture is the visitor's all the same."""
    assert page.engine is not None
    own = tmp_path / "own.png"
    Image.effect_mandelbrot((640, 480), (-2, -1.5, 1, 1.5), 60).convert("RGB").save(own)
    tab = open_page(page.url)
    tab.wait_for_selector("[data-testid=stage]")
    with tab.expect_response(lambda answer: "/run/" in answer.url):
        tab.set_input_files("#aw-painting input", own)
    assert page.app.state_holder.session_data
    page.app.state_holder.session_data.clear()
    awaken(tab, "the sea is calm tonight")
    said = tab.locator("#aw-room").inner_text()
    first = next(example for example in load_index() if example.results)
    assert first.title not in said and first.artist not in said
    assert first.id not in tab.locator("#aw-room").inner_html()


# Nothing keeps the page from starting; what does is said in a sentence.


@pytest.mark.parametrize(
    ("environment", "words"),
    [({"GRADIO_SERVER_PORT": "abc"}, "abc"), ({"GRADIO_SERVER_PORT": "70000"}, "70000"),
     ({"GRADIO_SERVER_NAME": "no.such.host.invalid"}, "no.such.host.invalid"),
     ({"AWAKEN_CACHE_MB": "much"}, "AWAKEN_CACHE_MB"), ({"AWAKEN_AUTH": "me"}, "user:password"),
     ({"GRADIO_SERVER_PORT": "taken"}, "Cannot listen")],
)  # fmt: skip
def test_a_bad_environment_is_a_sentence_at_once(page, environment, words):
    if "taken" in environment.values():
        environment = {"GRADIO_SERVER_PORT": str(urlsplit(page.url).port)}
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=os.environ | environment, timeout=300,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr


def test_a_user_without_a_name_or_a_home_may_start_it(monkeypatch, tmp_path):
    def nameless(*args):
        raise KeyError("uid not found")

    def homeless(path):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setenv("GRADIO_TEMP_DIR", "")
    monkeypatch.delenv("GRADIO_TEMP_DIR")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("getpass.getuser", nameless)
    monkeypatch.setattr(Path, "expanduser", homeless)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert file_cleanup.visitors_folder().parent == tmp_path
    assert hub.download_folder() == tmp_path / ".cache" / "awaken"
    monkeypatch.setenv("AWAKEN_MODELS", "~nobody/models")
    assert hub.models_folder() == tmp_path / "models"


def test_a_folder_that_cannot_be_written_is_replaced(monkeypatch, tmp_path):
    blocked = tmp_path / "a file"
    blocked.write_text("")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(blocked / "uploads"))
    assert file_cleanup.visitors_folder().parent == tmp_path
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(blocked / "uploads"))
    monkeypatch.setattr("tempfile.tempdir", str(blocked))
    with pytest.raises(RequestError, match="GRADIO_TEMP_DIR"):
        file_cleanup.visitors_folder()


@pytest.mark.parametrize("broken", ["tar", "config", "header", "pickle", "index", "folder"])
def test_broken_weights_are_missing_weights(monkeypatch, tmp_path, broken):
    monkeypatch.setenv("AWAKEN_MODELS", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    release = hub.Release("small", 10, (("config.json",), ("a.safetensors", "a.bin")), repo="a/b")
    place = tmp_path / "small"
    if broken == "tar":
        (tmp_path / "small.tar").write_bytes(b"x" * 2000)
    else:
        place.mkdir()
        (place / "config.json").write_text("{}")
        (place / "a.safetensors").write_bytes(b"\xff" * 64)
    if broken == "config":
        (place / "config.json").write_bytes(b"[" * 100_000)
    if broken == "pickle":
        (place / "a.safetensors").rename(place / "a.bin")
    if broken == "index":
        (place / "config.json").write_bytes(b"\xff\xfe" * 100)
    if broken == "folder":
        shutil.rmtree(place)
        (tmp_path / "cache").write_text("")
        (tmp_path / "small.tar").write_bytes(b"x" * 2000)
    told = hub.missing(release)
    assert told and len(told) > 20 and "Traceback" not in told

    def broken_in_its_own_way(*args):
        raise ZeroDivisionError

    monkeypatch.setattr("awaken.hub.places.check_files", broken_in_its_own_way)
    place.mkdir(exist_ok=True)
    assert "cannot be read" in hub.missing(release)


def test_broken_examples_are_left_out(monkeypatch, tmp_path):
    whole = load_index()[0]
    entries = json.loads((EXAMPLES / "index.json").read_text())
    kept = next(e for e in entries if e["id"] == whole.id)
    ready = whole.results["stacked"].parent
    monkeypatch.setattr("awaken.examples.FOLDER", tmp_path)
    assert gallery.load() == []  # no list
    (tmp_path / "index.json").write_text("{")
    assert gallery.load() == []
    shutil.copytree(EXAMPLES / "paintings", tmp_path / "paintings")
    for name in ("good", "film", "settings"):
        shutil.copytree(ready, tmp_path / "results" / name)
    (tmp_path / "results" / "settings" / "settings.json").write_text("[]")
    (tmp_path / "paintings" / "bad.jpg").write_bytes(b"no picture")
    listed = [
        kept | {"id": "good"},
        kept | {"id": "settings"},
        kept | {"id": "picture", "file": "paintings/bad.jpg"},
        kept | {"id": "nowhere", "file": "paintings/nowhere.jpg"},
        {"id": "half"}, 7, None,
    ]  # fmt: skip
    (tmp_path / "index.json").write_text(json.dumps(listed))
    assert [bundled.id for bundled in gallery.load()] == ["good"]
    assert present.from_examples()[0].facts["title"] == whole.title


# One visitor beside many requests of another.


def test_zips_that_are_made_hold_up_nobody(page, monkeypatch, tmp_path):
    go, made = threading.Event(), []

    def slow(files, target, **about):
        made.append(target)
        assert go.wait(120)
        target.write_bytes(b"PK")

    monkeypatch.setattr(bundles, "write_bundle", slow)
    monkeypatch.setattr(bundles, "_shelf", lambda: tmp_path)

    async def attack() -> list[httpx.Response]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=page.url, timeout=120, limits=limits) as web:
            names = [example.id for example in load_index() if example.results]
            asked = [
                asyncio.create_task(web.get(f"bundle/example-{name}.zip", params={"settings": bare}))
                for name in names for bare in (0, 1) for _ in range(160 // len(names))
            ]  # fmt: skip
            refused = [await next_one for next_one in asyncio.as_completed(asked[-40:])][:1]
            for path in ("", "config", "theme.css", "present", "gradio_api/info"):
                assert (await web.get(path)).status_code == 200
            picture = next((EXAMPLES / "paintings").glob("*.jpg"))
            assert (await web.get(f"gradio_api/file={picture}")).status_code == 200
            go.set()
            return refused + await asyncio.gather(*asked)

    answers = aside.run(attack())
    assert {answer.status_code for answer in answers} == {200, 503}
    for answer in answers:
        assert answer.status_code == 200 or int(answer.headers["retry-after"]) > 0
    assert len(made) == bundles.PER_ADDRESS  # each once


def _client(page, address: str, **headers: str) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(local_address=address)
    return httpx.AsyncClient(base_url=page.url, timeout=240, transport=transport, headers=headers)


def test_what_nobody_reads_is_not_begun(page, web, config):
    async def visit(seed: int) -> str:
        async with _client(page, "127.0.0.1") as one:
            return await load.press(one, config, seed, "the sea is calm")

    event, parts = page_run(config)
    steps, runs = page.engine.steps, []
    assert "4710" in aside.run(visit(4710))
    alone = page.engine.steps - steps
    for _ in range(36):
        body = {"data": dialled(parts, steps=2, size=384), "fn_index": event["id"]}
        body["session_hash"] = secrets.token_hex(8)
        runs.append(web.post("gradio_api/queue/join", json=body).status_code)
    assert set(runs) == {200}
    assert not page.holder.jobs.waiting and page.engine.steps == steps + alone
    assert "4711" in aside.run(visit(4711))
    assert page.engine.steps == steps + 2 * alone


@pytest.mark.parametrize("forged", [False, True], ids=["other address", "forged addresses"])
def test_a_newcomer_beside_a_flood_waits_for_two_runs_at_most(page, config, monkeypatch, forged):
    order, go, animate = [], threading.Event(), page.engine.animate

    def noted(request):
        order.append(request.seed)
        assert go.wait(240)
        return animate(request)

    monkeypatch.setattr(page.engine, "animate", noted)

    async def waiting(count: int) -> None:
        while page.holder.jobs.waiting < count or not order:
            await asyncio.sleep(0.05)

    async def come() -> None:
        flood = [
            _client(page, "127.0.0.2", **({"X-Forwarded-For": f"8.8.8.{i}"} if forged else {}))
            for i in range(5)
        ]
        runs = [
            asyncio.create_task(load.press(client, config, 5000 + i, "the clouds drift"))
            for i, client in enumerate(flood)
        ]
        await waiting(4)
        async with _client(page, "127.0.0.2" if forged else "127.0.0.3") as newcomer:
            runs.append(asyncio.create_task(load.press(newcomer, config, 4712, "a calm sea")))
            await waiting(5)
            go.set()
            assert all(await asyncio.gather(*runs))
        assert order.index(4712) == 1
        for client in flood:
            await client.aclose()

    aside.run(asyncio.wait_for(come(), 900))


def test_one_client_of_the_tools_locks_nobody_out(page):
    hello = {
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {},
                   "clientInfo": {"name": "test", "version": "1"}},
    }  # fmt: skip
    usual = {"Accept": "application/json, text/event-stream"}

    async def begin(web: httpx.AsyncClient) -> str:
        answer = await web.post("gradio_api/mcp", json=hello)
        assert answer.status_code == 200
        return answer.headers["mcp-session-id"]

    async def alive(web: httpx.AsyncClient, session: str) -> bool:
        ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        sent = await web.post("gradio_api/mcp", json=ready, headers={"mcp-session-id": session})
        return sent.status_code == 202

    async def come() -> None:
        async with _client(page, "127.0.0.2", **usual) as many, \
                _client(page, "127.0.0.3", **usual) as other:  # fmt: skip
            kept = await begin(other)
            sessions = [await begin(many) for _ in range(mcp_sessions.PER_CLIENT + 5)]
            living = [await alive(many, session) for session in sessions]
            assert living == [False] * 5 + [True] * mcp_sessions.PER_CLIENT
            assert await alive(other, kept) and await begin(other)
        monkey = [_client(page, "127.0.0.2", **usual, **{"X-Forwarded-For": f"7.7.{i}.1"})
                  for i in range(3)]  # fmt: skip
        for client in monkey:
            assert await begin(client)
            await client.aclose()

    aside.run(come())


# What is written down.


def test_prompts_are_not_logged(web, config, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    words = "a very private prompt 5d1e"
    event, parts = page_run(config)
    for said in (words, words * 40, {"text": words}, [words]):
        data = dialled(parts, prompt=said)
        data[next(i for i, p in enumerate(parts) if p["type"] == "radio")] = "no such choice"
        join(web, event["id"], data)
        web.get("", params={"v": 1, "prompt": words})
        call = web.post("gradio_api/call/animate", json={"data": [None, said] + [None] * 20})
        if call.status_code == 200:
            web.get(f"gradio_api/call/animate/{call.json()['event_id']}")
    output = capfd.readouterr()
    assert "no such choice" in output.out + output.err  # the log was looked at
    assert words not in output.out + output.err
    assert words not in "\n".join(
        r.getMessage() for r in caplog.records if r.name.startswith("awaken")
    )
