"""How strongly the training's clips move, and how that is heard: about size and look of what moves."""

from __future__ import annotations

import pytest
import torch

from awaken.miniature.latents import CHANNELS, FLOW, OBJECT, REGION, SHIFT, gain_of
from awaken.miniature.training.weakening import enlivened
from awaken.miniature.video_network import LIVELY, liveliness


def heard(cells: float) -> float:
    """Standard deviations of all shares of a region of so many cells, over those of one of 320."""
    gain = gain_of(torch.tensor([[cells, 1.0]]))[0, 0]
    return float(gain) * (cells / 320) ** 0.5


def test_a_pond_is_heard_as_well_as_a_sky():
    assert [heard(cells) for cells in (80.0, 320.0, 720.0)] == pytest.approx([1, 1, 1])
    assert heard(10.0) < 0.5, "so little is not made louder than everything else"


def board(contrast: float, cells: int = 16) -> torch.Tensor:
    """A grey picture (1, 3, 8 cells, 8 cells) whose cells are lighter and darker in turn."""
    sign = (torch.arange(cells)[:, None] + torch.arange(cells)) % 2 * 2.0 - 1
    return (
        (0.5 + contrast * sign).repeat_interleave(8, 0).repeat_interleave(8, 1).expand(1, 3, -1, -1)
    )


def test_what_is_rough_looks_livelier_within_bounds():
    where = torch.zeros(1, 2, 16, 16)
    where[:, 0, 4:12, 4:12] = 1
    smooth, usual, rough = (float(liveliness(board(c), where)[0, 0]) for c in (0.0, 0.0365, 0.4))
    assert (smooth, rough) == pytest.approx(LIVELY)
    assert usual == pytest.approx(1, abs=0.05)
    assert float(liveliness(board(0.4), where)[0, 1]) == pytest.approx(LIVELY[0]), (
        "no object is there"
    )


def test_clips_of_lively_things_move_more_and_say_so():
    regions = torch.zeros(1, 2, 16, 16)
    regions[:, 0, :8] = 1
    z = torch.ones(1, CHANNELS, 4, 16, 16)
    calm, wild = (enlivened(z, board(contrast), regions) for contrast in (0.0, 0.4))
    times = LIVELY[1] / LIVELY[0]
    for channels in (FLOW, REGION):
        assert float((wild[:, channels] / calm[:, channels]).mean()) == pytest.approx(times)
    assert torch.equal(wild[:, FLOW], LIVELY[1] * z[:, FLOW])
    assert torch.equal(wild[:, SHIFT], calm[:, SHIFT]) and torch.equal(
        wild[:, OBJECT], calm[:, OBJECT]
    )
