"""What the server says to the history tray, and what it takes back from it."""

from __future__ import annotations

import json

import pytest

from awaken.bundle.reader import read_settings_from
from awaken.types import RequestError
from awaken.ui.controls import restore
from awaken.ui.viewer import history, stage

SETTINGS = {
    "prompt": "<b>waves</b> ${alert(1)}", "p": 0.4, "seed": 7, "backend": "miniature",
    "proxy": "miniature", "width": 64, "height": 48, "fps": 8, "frames": 16,
}  # fmt: skip
PLACARD = {
    "tag": "Your run", "title": "The Ninth Wave", "byline": "Aivazovsky", "credit": "https://a.example",
    "licence": "public domain", "prompt": "“waves”", "facts": [("p", "0.4")], "files": [],
}  # fmt: skip


@pytest.fixture
def record(tmp_path):
    folder = tmp_path / "unguessable"
    folder.mkdir()
    (folder / "settings.json").write_text(json.dumps(SETTINGS), "utf-8")
    painting, proxy, stacked = (folder / n for n in ("painting.png", "proxy.png", "stacked.mp4"))
    for file in (painting, proxy, stacked):
        file.touch()
    scene = stage.done(painting, proxy, stacked, frames=16, fps=8, width=64, height=48)
    return history.history_record(scene, PLACARD)


def test_a_history_record_is_plain_data_with_an_id_of_its_own(record):
    told = json.loads(json.dumps(record))
    assert told["id"] == "unguessable"
    assert told["film"]["frames"] == 16
    assert set(told["files"]) == {"stacked", "painting", "proxy"}
    assert told["placard"]["title"] == "The Ninth Wave"
    assert told["placard"]["files"] == [], "the browser asks whether the server still has them"


def test_the_texts_of_a_history_record_are_those_of_a_bundle(record, tmp_path):
    written = record["texts"]
    assert set(written) == {"settings.json", "reproduce.sh", "bundle.json", "ATTRIBUTION.txt"}
    assert json.loads(written["bundle.json"])["picture"]["title"] == "The Ninth Wave"
    file = tmp_path / "settings.json"
    file.write_text(written["settings.json"], "utf-8")
    assert read_settings_from(file).settings == restore.from_text(written["settings.json"]).settings
    assert restore.from_text(written["settings.json"]).settings["p"] == 0.4


@pytest.mark.parametrize("text", ["", "[]", "{}", "{" * 9000, "\ud800", '{"p": ' + "1" * 70_000])
def test_settings_from_a_browser_are_not_believed(text):
    with pytest.raises(RequestError, match="holds no settings"):
        restore.from_text(text)


def test_the_tray_writes_text_only_as_text():
    parts = [history.ASSETS / "js" / "history" / f"{name}.js" for name in history.SCRIPT]
    script = "\n".join(part.read_text("utf-8") for part in parts)
    assert "innerHTML" not in script and "insertAdjacentHTML" not in script
