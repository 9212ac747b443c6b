"""The running server under attack: every setting, every private endpoint, every door.

Calls are written by hand; no client library is polite on the attacker's behalf.
"""

from __future__ import annotations

import http.client
import io
import json
import logging
import os
import secrets
import stat
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from gradio.utils import get_upload_folder
from gradio_client import Client
from PIL import Image

from awaken.types import RequestError
from awaken.ui import EXAMPLES
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.server import security, serving
from awaken.ui.server.security import Rules
from tests import load
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


def test_routes_that_the_page_never_uses_are_shut(web):
    for path in (
        "gradio_api/process_recording", "gradio_api/vibe-edit", "gradio_api/vibe-code",
        "gradio_api/undo-vibe-edit", "gradio_api/deep_link?session_hash=a", "monitoring",
        "gradio_api/proxy=http://127.0.0.1/", "monitoring/summary",
    ):  # fmt: skip
        assert web.get(path).status_code == 404, path
        assert web.post(path, json={}).status_code == 404, path


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
    painting, *others = message["output"]["data"]
    said = json.dumps(others)
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


@pytest.mark.browser
def test_a_prompt_is_only_ever_text(page, open_page):
    assert page.engine is not None  # warm
    tab = open_page(page.url)
    tab.wait_for_selector("[data-testid=stage]")
    tab.fill("#aw-prompt textarea", INJECTION)
    tab.click("#aw-advanced button")
    steps = tab.locator("#aw-steps input[type=number]")
    steps.fill("2")
    steps.press("Enter")
    tab.locator("#aw-size label").first.click()
    tab.click("#aw-awaken")
    tab.wait_for_function(
        "text => document.querySelector('.aw-said').textContent.includes(text)",
        arg=INJECTION, timeout=240_000,
    )  # fmt: skip
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
                wanted = 404 if path.startswith(security.SHUT) else 401
                assert answer.status_code == wanted, path
        assert web.get("").status_code == 401
        assert web.get("", auth=("guest", "sun:flowers")).status_code == 200


def test_programs_bring_the_password_along(locked):
    sent = httpx.BasicAuth("guest", "sun:flowers")._auth_header
    client = Client(
        locked[1], verbose=False, analytics_enabled=False, headers={"Authorization": sent}
    )
    assert client.predict(api_name="/models")["backend"]


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
