"""Pictures that cost memory or time: bounds on pixels, bytes in flight, shapes and scans."""

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from awaken.painting import open_painting
from awaken.pictures.budget import Budget
from awaken.types import RequestError
from tests.picture_files import picture, saved

ROOT = Path(__file__).parent.parent


def test_a_jpeg_of_two_hundred_megapixels_opens_and_a_larger_one_does_not():
    data = saved(Image.new("L", (20000, 9900), 90), "JPEG", quality=20)
    found = open_painting(data)
    assert found.shape == (1014, 2048, 3) and np.abs(found.astype(int) - 90).max() <= 3
    with pytest.raises(RequestError, match="more than 200 million"):
        open_painting(saved(Image.new("L", (20000, 10100), 90), "JPEG", quality=20))


def test_a_hand_scroll_opens_and_a_longer_one_may_be_cropped_or_letterboxed():
    assert open_painting(Image.new("RGB", (800, 200))).shape == (200, 800, 3)
    assert open_painting(Image.new("RGB", (200, 800))).shape == (800, 200, 3)
    with pytest.raises(RequestError, match="crop .* 900 pixels .*letterbox.* 267"):
        open_painting(Image.new("RGB", (1200, 200)))


def test_small_pictures_pass_while_a_large_one_waits_for_its_share():
    budget, entered, leave = Budget(100, patience=60), threading.Event(), threading.Event()
    waited = []

    def second():
        entered.set()
        with budget.held(50):
            waited.append(leave.is_set())

    with budget.held(80):
        thread = threading.Thread(target=second)
        thread.start()
        entered.wait()
        with budget.held(10):
            pass
        leave.set()
    thread.join()
    assert waited == [True]
    with budget.held(1000):  # more than there is: all of it, alone
        pass


def test_who_waits_too_long_or_behind_too_many_is_told():
    for budget in (Budget(100, waiting=0), Budget(100, patience=0)):
        with budget.held(80), pytest.raises(RequestError, match="half a minute"), budget.held(50):
            pass
        with budget.held(100):
            pass


def test_large_pictures_that_come_at_once_stay_within_their_bound():
    """Nine megapixels of floats in a file of 40 KB, eight times: 580 MB if all decoded at once."""
    code = """
import io, resource, threading
import numpy as np
from PIL import Image
from awaken.painting import open_painting
from awaken.pictures import decoding
from awaken.pictures.budget import Budget

decoding.DECODING = Budget(bound := 220_000_000, patience=300)
file = io.BytesIO()
ramp = np.linspace(0, 1, 3000, dtype=np.float32)[:, None].repeat(3000, 1)
Image.fromarray(ramp).save(file, "TIFF", compression="tiff_adobe_deflate", strip_size=1 << 40)
data, shapes = file.getvalue(), []
assert len(data) < 100_000
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
open_painting(Image.new("RGB", (64, 64)))
before = peak()
opened = lambda: shapes.append(open_painting(data).shape)
threads = [threading.Thread(target=opened) for _ in range(8)]
[thread.start() for thread in threads], [thread.join() for thread in threads]
assert shapes == [(2048, 2048, 3)] * 8, shapes
assert peak() < before + bound, (before, peak())
"""
    command = [sys.executable, "-c", code]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_a_jpeg_of_a_thousand_scans_is_not_decoded():
    data = saved(picture(), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    with pytest.raises(RequestError, match="JPEG picture"):
        open_painting(data[:-2] + data[last:-2] * 1000 + data[-2:])
