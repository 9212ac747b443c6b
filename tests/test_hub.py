"""Finding, checking, unpacking and fetching weights, with servers and archives of our own."""

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import threading
import traceback
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from awaken import hub
from awaken.types import ModelError

ROOT = Path(__file__).parent.parent
RELEASE = hub.Release(
    name="toy", size=1000, repo="someone/toy", patterns=("*.json", "unet/*"),
    files=(("model_index.json",), hub.weights("unet")),
)  # fmt: skip


def fill(folder: Path) -> Path:
    (folder / "unet").mkdir(parents=True)
    (folder / "model_index.json").write_text("{}")
    save_file({"w": torch.ones(3)}, folder / "unet" / "diffusion_pytorch_model.safetensors")
    return folder


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("AWAKEN_MODELS", str(tmp_path / "models"))
    (tmp_path / "models").mkdir()


def pack(path: Path, members: dict[str, bytes], **links: str) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        for name, target in links.items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            tar.addfile(info)
    return path


def test_a_tar_in_the_folder_of_models_is_unpacked_once(tmp_path):
    inside = fill(tmp_path / "inside" / "release-v1")
    with tarfile.open(tmp_path / "models" / "toy.tar", "w") as tar:
        tar.add(inside, "release-v1")
    found = hub.require(RELEASE)
    assert found.name == "release-v1" and hub.missing(RELEASE) is None
    (tmp_path / "models" / "toy.tar").unlink()
    assert hub.require(RELEASE) == found


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "a/../../evil"])
def test_archives_that_reach_outside_are_refused_and_leave_nothing(tmp_path, name):
    archive = pack(tmp_path / "bad.tar", {"model_index.json": b"{}", name: b"x"})
    with pytest.raises(ModelError, match="not a plain file inside it"):
        hub.unpack(archive, tmp_path / "out" / "toy")
    assert not any((tmp_path / "out").rglob("*"))


def test_archives_with_links_and_broken_archives_are_refused(tmp_path):
    with pytest.raises(ModelError, match="not a plain file"):
        hub.unpack(pack(tmp_path / "a.tar", {}, link="/etc/passwd"), tmp_path / "out")
    (tmp_path / "b.tar").write_bytes(b"no tar at all" * 100)
    with pytest.raises(ModelError, match="cannot be unpacked"):
        hub.unpack(tmp_path / "b.tar", tmp_path / "out")
    whole = pack(tmp_path / "c.tar", {"big": bytes(100_000)}).read_bytes()
    (tmp_path / "c.tar").write_bytes(whole[:50_000])
    with pytest.raises(ModelError, match="cannot be unpacked"):
        hub.unpack(tmp_path / "c.tar", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_weights_load_strictly_and_optional_entries_may_differ(tmp_path):
    path = tmp_path / "w.safetensors"
    save_file({"weight": torch.ones(2, 3), "bias": torch.zeros(2), "extra": torch.ones(1)}, path)
    layer = torch.nn.Linear(3, 2, device="meta")
    with pytest.raises(ModelError, match="has unknown 1 entries .extra"):
        hub.load_weights(layer, path)
    hub.load_weights(layer, path, optional=("extra",), dtype=torch.float64)
    assert layer.weight.dtype == torch.float64 and layer.weight.sum() == 6
    with pytest.raises(ModelError, match=r"bias has shape \(2,\) where \(5,\)"):
        hub.load_weights(torch.nn.Linear(3, 5), path, optional=("extra",))


@contextmanager
def server(respond):
    """A local HTTP server; ``respond(path) -> (status, headers, body)``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, headers, body = respond(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, *args):
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{httpd.server_port}"
    finally:
        httpd.shutdown()


def archive_of(tmp_path) -> bytes:
    inside = fill(tmp_path / "inside")
    with tarfile.open(tmp_path / "toy.tar", "w") as tar:
        tar.add(inside, "toy")
    return (tmp_path / "toy.tar").read_bytes()


def test_an_archive_is_fetched_with_progress_and_found_afterwards(tmp_path):
    body = archive_of(tmp_path)
    with server(lambda path: (200, {"Content-Length": str(len(body))}, body)) as url:
        release = replace(RELEASE, repo=None, archive=f"{url}/toy.tar")
        assert "not on this machine" in hub.missing(release) and url in hub.missing(release)
        progress = list(hub.download(release))
    assert progress[-1] == (len(body), len(body))
    assert hub.missing(release) is None


def test_a_fetch_that_fails_is_a_sentence_and_leaves_nothing(tmp_path):
    body = archive_of(tmp_path)

    def half(path):
        return 200, {"Content-Length": str(len(body))}, body[: len(body) // 2]

    for respond in (half, lambda path: (404, {"Content-Length": "0"}, b"")):
        with server(respond) as url:
            release = replace(RELEASE, repo=None, archive=f"{url}/toy.tar")
            with pytest.raises(ModelError, match="try again"):
                list(hub.download(release))
    assert not any(hub.download_folder().iterdir())


def test_stopping_a_fetch_leaves_nothing_behind(tmp_path):
    body = archive_of(tmp_path) + bytes(5 << 20)
    with server(lambda path: (200, {"Content-Length": str(len(body))}, body)) as url:
        fetch = hub.download(replace(RELEASE, repo=None, archive=f"{url}/toy.tar"))
        next(fetch)
        fetch.close()
    assert not any(hub.download_folder().iterdir())


def test_a_full_disk_is_told_before_fetching():
    with pytest.raises(ModelError, match="of disk"):
        next(hub.download(replace(RELEASE, size=10**18)))


def test_the_hub_is_asked_for_the_patterns_only_and_its_cache_is_found(tmp_path):
    """Against a server that speaks the hub's protocol, in a process of its own (the endpoint is
    read at import)."""
    folder = fill(tmp_path / "served")
    (folder / "cinemo.pt").write_bytes(bytes(100))
    files = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    commit, asked = "0" * 40, []

    def respond(path):
        path = path.split("?")[0]
        if path.startswith("/api/models/someone/toy"):
            siblings = [{"rfilename": name} for name in files]
            info = {"id": "someone/toy", "sha": commit, "siblings": siblings}
            tree = [
                {"type": "file", "path": name, "size": len(data), "oid": name}
                for name, data in files.items()
            ]
            body = json.dumps(tree if "/tree/" in path else info).encode()
            return 200, {"Content-Type": "application/json", "Content-Length": str(len(body))}, body
        name = path.partition(f"/resolve/{commit}/")[2]
        if name not in files:
            return 404, {"Content-Length": "0"}, b""
        asked.append(name)
        headers = {"ETag": f'"{name}"', "X-Repo-Commit": commit}
        return 200, headers | {"Content-Length": str(len(files[name]))}, files[name]

    code = (
        "from awaken import hub; from tests.test_hub import RELEASE;"
        "print(list(hub.download(RELEASE))[-1:], hub.missing(RELEASE), hub.find(RELEASE))"
    )
    with server(respond) as url:
        quiet = {"HF_ENDPOINT": url, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_DISABLE_XET": "1"}
        ran = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=os.environ | quiet, capture_output=True,
            text=True, timeout=120,
        )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "None" in ran.stdout and str(tmp_path / "hf") in ran.stdout
    assert set(asked) == {"model_index.json", "unet/diffusion_pytorch_model.safetensors"}


def changed(path: Path, at: int = -5) -> None:
    """One bit of a file flips."""
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_a_flipped_bit_is_found_by_noted_checksums(tmp_path):
    folder = fill(tmp_path / "models" / "toy")
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    assert hub.require(RELEASE) == folder  # nobody noted any
    hub.write_sums(folder)
    ran = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=folder, check=False)
    assert ran.returncode == 0 and hub.require(RELEASE) == folder
    changed(weights)
    assert hub.missing(RELEASE) is None  # the page does not read gigabytes to open
    with pytest.raises(ModelError, match=r"model.safetensors does not have its checksum"):
        hub.require(RELEASE)


def test_an_unpacked_archive_has_its_checksums(tmp_path):
    (tmp_path / "models" / "toy.tar").write_bytes(archive_of(tmp_path))
    folder = hub.require(RELEASE)
    changed(folder / "unet" / "diffusion_pytorch_model.safetensors")
    with pytest.raises(ModelError, match="checksum"):
        hub.require(RELEASE)


def test_a_file_in_the_hub_s_cache_is_called_by_its_checksum(tmp_path):
    inside = fill(tmp_path / "inside")
    path = inside / "unet" / "diffusion_pytorch_model.safetensors"
    blobs = tmp_path / "models" / "toy" / "blobs"
    blobs.mkdir(parents=True)
    blob = blobs / hashlib.sha256(path.read_bytes()).hexdigest()
    path.rename(blob)
    path.symlink_to(blob)
    hub.check_content(path)
    changed(blob)
    with pytest.raises(ModelError, match="checksum"):
        hub.check_content(path)


def test_pickles_have_checksums_of_their_own(tmp_path):
    path = tmp_path / "w.bin"
    torch.save({"w": torch.arange(4000.0)}, path)
    hub.check_content(path)
    changed(path, path.stat().st_size // 2)
    with pytest.raises(ModelError, match="checksum"):
        hub.check_content(path)


class Evil:
    """Runs a command when a pickle with it is read."""

    def __reduce__(self):
        return os.system, ("echo pickled > pickled",)


def test_a_pickle_of_more_than_weights_is_refused_and_nobody_is_told_how_to_read_it_all_the_same(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    path = fill(tmp_path / "models" / "toy") / "unet" / "diffusion_pytorch_model.safetensors"
    path.unlink()
    torch.save({"w": Evil()}, path.with_suffix(".bin"))
    with pytest.raises(ModelError, match="more than plain weights") as caught:
        hub.require(RELEASE)
    told = "".join(traceback.format_exception(caught.value))
    assert "weights_only=False" not in told and "add_safe_globals" not in told
    assert not (tmp_path / "pickled").exists()


@pytest.mark.parametrize(
    ("index", "words"),
    [
        ({}, "names no files"),
        ({"weight_map": []}, "names no files"),
        ({"weight_map": {"w": 3}}, "names no files"),
        ({"weight_map": {"w": "../../secret.safetensors"}}, "names no files"),
        ({"weight_map": {"w": "gone.safetensors"}}, "gone.safetensors is missing"),
    ],
)
def test_an_index_that_leads_nowhere_is_a_sentence(tmp_path, index, words):
    folder = fill(tmp_path / "models" / "toy")
    path = folder / "unet" / "diffusion_pytorch_model.safetensors"
    path.unlink()
    path.with_name(path.name + ".index.json").write_text(json.dumps(index))
    assert re.search(words, hub.missing(RELEASE))


@pytest.mark.parametrize("broken", [b"\x1f\x8b\x08broken", b"BZh9broken", b"\xfd7zXZ\0broken", b""])
def test_a_broken_archive_is_a_model_that_is_missing(tmp_path, broken):
    (tmp_path / "models" / "toy.tar").write_bytes(broken * 100)
    assert "toy.tar cannot be unpacked" in hub.missing(RELEASE)
