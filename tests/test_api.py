"""What programs send to ``/animate``: pictures as uploads or as text, and answers in sentences."""

import base64
import io
import json
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from awaken.painting import open_mask
from awaken.ui.run.file_guard import picture_file
from tests.page import served_page
from tests.picture_files import saved

PICTURE = np.random.default_rng(0).integers(0, 255, (96, 128, 3), dtype=np.uint8)
DATA = saved(Image.fromarray(PICTURE), "PNG")
URI = "data:image/png;base64," + base64.b64encode(DATA).decode()


@pytest.fixture(scope="module")
def page():
    return served_page()


def told(page, **wanted) -> tuple[str, object]:
    """The last event of a call of ``/animate``, and its data."""
    wanted = {"painting": URI, "prompt": "the clouds do not move", "steps": 2, "size": 96} | wanted
    with httpx.Client(base_url=f"{page.url}gradio_api/", timeout=120) as client:
        asked = client.get("info").json()["named_endpoints"]["/animate"]["parameters"]
        given = [wanted.get(one["parameter_name"], one.get("parameter_default")) for one in asked]
        body = json.dumps({"data": given})  # escapes half an emoji, which httpx would refuse
        headers = {"content-type": "application/json"}
        event = client.post("call/animate", content=body, headers=headers).json()["event_id"]
        with client.stream("GET", f"call/animate/{event}") as stream:
            *_, kind, data = [line.partition(": ")[2] for line in stream.iter_lines() if line]
    return kind, json.loads(data)


def test_a_picture_may_come_as_an_upload_its_path_or_as_text(page):
    upload = httpx.post(f"{page.url}gradio_api/upload", files={"files": ("a.png", DATA)}).json()[0]
    file = {"path": upload, "meta": {"_type": "gradio.FileData"}}
    plain = base64.b64encode(DATA).decode()
    for painting in (file, upload, URI, base64.encodebytes(DATA).decode(), {"url": URI}, plain):
        kind, files = told(page, painting=painting)
        assert kind == "complete" and len(files) == 5
    settings = httpx.get(files[4]["url"]).json()
    assert "nothing moves" in settings["notices"][0]
    assert settings["prompt"] == "the clouds do not move"
    assert (settings["read"]["moving"], settings["read"]["still"]) == ("", ["the clouds"])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"painting": "/etc/passwd"}, "Upload the picture itself"),
        ({"painting": "http://127.0.0.1/a.png"}, "Upload the picture itself"),
        ({"painting": ["a.png"]}, "Upload the picture itself"),
        ({"painting": "data:image/png;base64,!!"}, "base64 is broken"),
        ({"painting": "data:image/png;base64,aGVsbG8="}, "not a picture we can open"),
        ({"painting": None}, "Choose a painting"),
        ({"prompt": ["the clouds drift"]}, "what should move"),
        ({"prompt": "clouds \ud83c drift"}, "half a character"),
        ({"negative_prompt": ["fog"]}, "'negative_prompt' is a text"),
        ({"backend": ["miniature"]}, "'backend' is a text"),
        ({"seed": 2**32}, "4294967296"),
        ({"options": [1]}, "by name"),
    ],
)
def test_what_cannot_be_used_is_answered_with_a_sentence(page, wrong, words):
    kind, answer = told(page, **wrong)
    assert kind == "error" and words in answer["error"]


def test_a_mask_that_comes_as_text_keeps_its_transparency():
    shape = np.zeros((96, 128), np.uint8)
    shape[:48, :64] = 255
    stream = io.BytesIO()
    white = Image.new("L", (128, 96), 255)
    Image.merge("LA", [white, Image.fromarray(shape)]).save(stream, "PNG")
    text = "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()
    found = open_mask(Path(picture_file(text)), PICTURE)
    assert (found == shape).all()
