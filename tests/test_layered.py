"""The layered miniature: its motion fields, latents, captions, labels, compositor and training."""

from __future__ import annotations

import itertools
import math
import random

import numpy as np
import pytest
import torch

from awaken.miniature.canvas import relit
from awaken.miniature.classes import CLASSES
from awaken.miniature.compositor import _unfolded, compose
from awaken.miniature.imaging import extent, held, inpaint, mirrored, nearest, sample
from awaken.miniature.latents import (
    AIR,
    AIRS,
    CHANNELS,
    FLOW,
    LIGHT,
    OBJECT,
    REGION,
    SHIFT,
    TimeBasis,
    grid_for,
    image_latents,
    latents_of,
    light_of,
    values_of,
)
from awaken.miniature.mattes import fitted, outlined, trimmed
from awaken.miniature.training import clips, fields, loop, train
from awaken.miniature.training.bank import Bank
from awaken.miniature.training.captions import EFFECTS, caption
from awaken.miniature.training.chances import doubted
from awaken.miniature.training.labels import Labelled, load_pack, rasterise, save_pack
from awaken.miniature.training.library import Library
from awaken.miniature.training.losses import lifted
from awaken.miniature.training.pasting import cut_outs, pasted
from awaken.miniature.training.phrases import PHRASES
from awaken.miniature.training.scenes import render
from awaken.miniature.video_network import VideoNetwork, pooled_shares

TINY = {"widths": (8, 16, 16), "condition_widths": (16, 16, 16)}


def stage(batch: int = 3, rows: int = 16, columns: int = 24, seed: int = 0) -> fields.SpaceTime:
    times = torch.linspace(0, 1, 16)[None].expand(batch, -1)
    return fields.SpaceTime(batch, rows, columns, times, torch.Generator().manual_seed(seed))


def all_fields(seed: int, strength: float) -> dict[str, torch.Tensor]:
    ones = torch.full((3,), strength)
    right, horizon, lean = torch.ones(3), torch.full((3,), 0.3), torch.ones(3, 16, 1)

    def s() -> fields.SpaceTime:
        return stage(seed=seed)

    return {
        "drift": fields.drift(s(), ones, right),
        "billow": fields.billow(s(), ones, right),
        "waves": fields.waves(s(), ones, right, horizon),
        "river": fields.river(s(), ones, right, horizon),
        "fall": fields.fall(s(), ones),
        "sway": fields.sway(s(), ones, lean),
        "rise": fields.rise(s(), ones, right),
        "flames": fields.flames(s(), ones),
        "rigid": fields.rigid(s(), ones, right),
        "flutter": fields.flutter(s(), ones, lean),
    }


def test_every_field_starts_at_rest_scales_with_strength_and_repeats_with_its_seed():
    weak, strong, again = all_fields(1, 0.5), all_fields(1, 1.0), all_fields(1, 1.0)
    for name, field in strong.items():
        assert field.shape == (3, 2, 16, 16, 24), name
        assert field[:, :, 0].abs().max() < 1e-5, name
        assert field[:, :, -1].abs().mean() > 0.05, name
        torch.testing.assert_close(field, again[name], rtol=0, atol=0)
        torch.testing.assert_close(weak[name] * 2, field, rtol=1e-3, atol=1e-4)


def test_things_go_where_their_names_say():
    moved = {name: f[:, :, -1].mean((2, 3)) for name, f in all_fields(2, 1.0).items()}
    for name in ("drift", "river", "rise", "rigid"):
        assert (moved[name][:, 0] > 0.1).all(), f"{name} goes to the right"
    assert (moved["fall"][:, 1] > 0.5).all()
    assert (moved["rise"][:, 1] < -0.5).all()


def test_no_field_folds_the_picture_over():
    for seed in range(4):
        for name, field in all_fields(seed, 0.9).items():
            dx_y, dx_x = torch.gradient(field[:, 0], dim=(2, 3))
            dy_y, dy_x = torch.gradient(field[:, 1], dim=(2, 3))
            area = (1 - dx_x) * (1 - dy_y) - dx_y * dy_x  # of x -> x - d(x)
            assert (area < 0.05).float().mean() < 0.01, name


def test_rigid_motion_is_the_same_everywhere():
    field = all_fields(3, 1.0)["rigid"]
    assert field.std((3, 4)).max() < 1e-5


def still_values(picture: torch.Tensor, grid: tuple[int, int], frames: int = 16) -> torch.Tensor:
    return values_of(image_latents(picture, grid).expand(-1, -1, frames, -1, -1))


def textured(height: int, width: int, seed: int = 0) -> torch.Tensor:
    coarse = torch.rand(
        1, 3, height // 8, width // 8, generator=torch.Generator().manual_seed(seed)
    )
    return torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)


def test_a_frame_shows_at_x_what_frame_0_showed_at_x_minus_the_flow():
    picture = textured(128, 128)
    z = still_values(picture, (16, 16))
    z[:, REGION] = 1
    cells = torch.linspace(0, 2, 16)  # two cells are 16 pixels here
    z[:, FLOW.start] = cells[None, :, None, None]
    frames = compose(latents_of(z), picture)
    inner = (slice(None), slice(32, 96), slice(64, 112))
    torch.testing.assert_close(frames[15][inner], picture[0, :, 32:96, 48:96], atol=2e-3, rtol=0)
    assert (frames[15][inner] - picture[0][inner]).abs().mean() > 0.02


def test_brushwork_is_not_blurred_by_moving_it_half_a_pixel():
    fine = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    fine = torch.nn.functional.interpolate(fine, (128, 128), mode="bicubic")  # of two pixels
    moved = sample(fine, torch.full((1, 2, 128, 128), 0.5))
    energy = [x.diff(dim=3).square().mean() for x in (moved[..., 8:-8, 8:-8], fine)]
    assert 0.75 < energy[0] / energy[1] < 1.05
    painting = sample(fine, torch.zeros(1, 2, 128, 128))
    torch.testing.assert_close(painting, fine, atol=1e-4, rtol=0)


def test_a_still_video_and_every_frame_0_are_the_painting_itself():
    picture = textured(96, 128)
    z = still_values(picture, (12, 16))
    assert (compose(latents_of(z), picture) - picture).abs().max() < 1e-5
    gen = torch.Generator().manual_seed(1)
    z[:, REGION, :, :6] = 0.5
    z[:, OBJECT, :, 7:10, 4:8] = 0.5
    z[:, AIR] = torch.rand(1, 7, 1, 12, 16, generator=gen) / 1.5
    for channels in (FLOW, SHIFT):
        ramp = torch.arange(16).float()[None, None, :, None, None] / 8
        z[:, channels] = ramp * torch.randn(1, 2, 1, 12, 16, generator=gen)
    frames = compose(latents_of(z), picture)
    assert (frames[0] - picture[0]).abs().max() < 1e-5
    assert (frames[8] - picture[0]).abs().mean() > 0.01


def test_a_window_holds_all_that_moves_and_none_is_needed_where_nothing_does():
    mask = torch.zeros(1, 1, 20, 30)
    assert extent(mask, 4) == (slice(0, 0), slice(0, 0))
    picture = textured(160, 160)
    z = still_values(picture, (20, 20))
    z[:, REGION] = z[:, OBJECT] = 1
    z[:, FLOW] = z[:, SHIFT] = 1.0
    nowhere = torch.zeros(1, 2, 160, 160)
    assert torch.equal(compose(latents_of(z), picture, nowhere)[9], picture[0])
    mask[..., 5:8, 2] = 0.1
    assert extent(mask) == (slice(5, 8), slice(2, 3))
    rows, columns = extent(mask, 6)
    assert mask[..., rows, columns].shape[-2:] == (14, 9)


def test_what_lies_outside_a_moving_region_does_not_move_at_all():
    picture = textured(128, 128)
    picture[..., 64:, :] *= 0.2  # an edge, so that the matte has something to follow
    z = still_values(picture, (16, 16))
    z[:, REGION, :, :8] = 1
    z[:, FLOW] = torch.linspace(0, 1, 16)[None, None, :, None, None]  # everywhere, also below
    frames = compose(latents_of(z), picture)
    assert (frames[:, :, 80:] - picture[:, :, 80:]).abs().max() < 1e-5
    assert (frames[15, :, 16:48] - picture[0, :, 16:48]).abs().mean() > 0.02


def test_an_object_travels_whole_and_what_it_uncovers_looks_like_its_surroundings():
    picture = torch.full((1, 3, 128, 128), 0.8)
    picture[:, 1] = 0.5
    picture[:, :, 48:80, 32:64] = torch.tensor([0.1, 0.1, 0.2])[None, :, None, None]
    z = still_values(picture, (16, 16))
    z[:, OBJECT, :, 6:10, 4:8] = 1
    z[:, SHIFT.start] = torch.linspace(0, 5, 16)[None, :, None, None]  # 40 pixels
    last = compose(latents_of(z), picture)[15]
    torch.testing.assert_close(
        last[:, 52:76, 76:100], picture[0, :, 52:76, 36:60], atol=0.02, rtol=0
    )
    hole = last[:, 50:78, 34:62]
    assert (hole - torch.tensor([0.8, 0.5, 0.8])[:, None, None]).abs().max() < 0.05


def test_what_sways_bends_its_surroundings_and_stays_whole_though_half_of_it_was_missed():
    picture = torch.full((1, 3, 160, 160), 0.8)
    picture[:, :, 30:130, 76:84] = 0.1
    z = still_values(picture, (20, 20))
    z[:, OBJECT, :, 8:16, 9:11] = 1  # the upper third of the pole is not known
    swing = torch.sin(torch.linspace(0, 2 * torch.pi, 16))
    z[:, SHIFT.start] = (1.5 * swing)[None, :, None, None]
    frames = compose(latents_of(z), picture)
    dark = (frames[4].mean(0) < 0.45).float()  # farthest to the right
    columns = torch.arange(160.0)
    middle = (dark * columns).sum(1)[30:130] / dark.sum(1)[30:130].clamp(min=1)
    assert (dark.sum(1)[32:128] >= 5).all()
    assert middle.diff().abs().max() < 2  # nowhere torn
    assert middle[60:80].mean() > 84 and abs(float(middle[2]) - 79.5) < 6
    assert (frames[:, :, :, :20] - picture[..., :20]).abs().max() < 0.01


def test_drifting_clouds_take_nothing_along_of_the_tree_that_stands_into_their_matte():
    picture = textured(128, 192) * 0.2 + 0.7
    picture[..., :70] = 0.05
    z = still_values(picture, (16, 24))
    z[:, REGION, :, :, 8:] = 1
    z[:, FLOW.start] = torch.linspace(0, 6, 16)[None, :, None, None]  # 48 pixels
    mattes = torch.zeros(1, 2, 128, 192)
    mattes[:, 0, :, 67:] = 1  # three pixels of the tree are taken for sky
    last = compose(latents_of(z), picture, mattes)[15]
    assert (last[:, :, 67:] < 0.4).float().mean() < 0.002
    torch.testing.assert_close(last[:, :, :64], picture[0, :, :, :64])


def test_waves_come_to_rest_before_the_shore_and_a_stream_runs_past_it_if_there_is_one():
    mattes = torch.zeros(1, 2, 160, 160)
    mattes[:, 0, 64:] = 1
    u = torch.linspace(0, 1, 16)
    swing = torch.sin(2 * torch.pi * u)
    for course, frame, shore, torn in (
        (swing, 4, True, False), (u, 15, True, True), (u, 15, False, False)
    ):  # fmt: skip
        picture = torch.full((1, 3, 160, 160), 0.8)
        if shore:
            picture[:, 1, :64] = 0.5
        picture[..., 74:86] = 0.1  # a mast and its reflection
        z = still_values(picture, (20, 20))
        z[:, REGION, :, 8:] = 1
        z[:, FLOW.start] = (2 * course)[None, :, None, None]
        far = compose(latents_of(z), picture, mattes)[frame]
        dark = (far.mean(0) < 0.45).float()
        middle = (dark * torch.arange(160.0)).sum(1) / dark.sum(1).clamp(min=1)
        assert middle[110:150].mean() > 92 and (middle[:64] - 79.5).abs().max() < 1
        jump = middle[40:110].diff().abs().max()
        assert jump > 6 if torn else jump < 2


def test_around_a_core_lies_its_mirror_image():
    core = torch.rand(1, 1, 23, 31, generator=torch.Generator().manual_seed(2)) < 0.03
    rows, columns = nearest(core[0, 0])
    there = core[0, 0].nonzero().float()
    here = torch.cartesian_prod(torch.arange(23.0), torch.arange(31.0))
    found = torch.stack([rows, columns], -1).reshape(-1, 2).float()
    assert core[0, 0][rows, columns].all()
    torch.testing.assert_close((found - here).norm(dim=1), torch.cdist(here, there).amin(1))

    picture = textured(40, 60)
    core = torch.zeros(1, 1, 40, 60, dtype=torch.bool)
    core[..., 20:50] = True
    seen = mirrored(picture, core)
    torch.testing.assert_close(seen[..., 20:50], picture[..., 20:50])
    there, mirror = seen[..., 10:20].flatten(), picture[..., 21:31].flip(-1).flatten()
    assert torch.corrcoef(torch.stack([there, mirror]))[0, 1] > 0.9
    assert there.std() > 0.8 * mirror.std()  # brushwork, not a blur
    for all_or_nothing in (core | True, core & False):
        assert torch.equal(mirrored(picture, all_or_nothing), picture)


def test_snow_is_bright_small_falling_and_absent_from_frame_0():
    picture = torch.full((1, 3, 192, 192), 0.3)
    z = still_values(picture, (16, 16))
    z[:, AIR.start + AIRS.index("snow")] = 0.8
    z[:, 10] = torch.linspace(0, 5, 16)[None, :, None, None]
    frames = compose(latents_of(z), picture)
    assert (frames[0] - picture[0]).abs().max() < 1e-6
    bright = (frames[10] > 0.6).float().mean()
    assert 0.002 < bright < 0.2
    assert (frames[10] - frames[11]).abs().max() > 0.2


def test_a_trace_of_petals_is_noise_and_petals_within_a_mask_are_not():
    picture = torch.full((1, 3, 192, 192), 0.3)
    z = still_values(picture, (16, 16))
    petals = AIR.start + AIRS.index("petals")
    z[:, petals] = 0.1
    z[:, petals, :, :3, :3] = 0.4
    assert (compose(latents_of(z), picture)[10] - picture[0]).abs().max() < 1e-5
    z[:, petals] = 0.0
    z[:, petals, :, :4] = 0.5
    frame = compose(latents_of(z), picture)[10]
    assert (frame[:, :40] - picture[0, :, :40]).abs().max() > 0.2
    assert (frame[:, 90:] - picture[0, :, 90:]).abs().max() < 1e-5


def test_a_hole_across_the_horizon_is_filled_with_sky_above_and_sea_below():
    noise = 0.04 * torch.rand(1, 3, 96, 128, generator=torch.Generator().manual_seed(0))
    picture = torch.tensor([0.6, 0.7, 0.8])[None, :, None, None] + noise
    picture[:, :, 48:] = torch.tensor([0.1, 0.3, 0.4])[:, None, None] + 0.5 * noise[:, :, 48:]
    ship = torch.zeros(1, 1, 96, 128)
    ship[:, :, 24:72, 40:70] = 1
    seen = torch.lerp(picture, torch.tensor([0.3, 0.1, 0.0])[None, :, None, None], ship)
    found = inpaint(seen, 1 - ship)
    for rows in (slice(24, 44), slice(52, 72)):
        hole, whole = found[..., rows, 42:68], picture[..., rows, 42:68]
        assert (hole.mean((2, 3)) - whole.mean((2, 3))).abs().max() < 0.02
        assert hole.std() > 0.5 * whole.std(), "the brushwork goes on"
    assert torch.equal(found[..., :, :30], seen[..., :, :30])


def test_holes_at_the_rim_and_with_nothing_beside_them_have_the_nearest_colours():
    keep = torch.zeros(1, 1, 20, 30)
    keep[..., :10] = 1
    picture = 0.7 * keep.expand(1, 3, -1, -1)
    assert (inpaint(picture, keep)[..., 12:] - 0.7).abs().max() < 1e-4
    corner = torch.zeros(1, 1, 20, 30)
    corner[..., :8, :8] = 1  # most rows and columns hold nothing
    assert (inpaint(0.7 * corner.expand(1, 3, -1, -1), corner) - 0.7).abs().max() < 1e-3
    for nothing in (torch.zeros_like(keep), torch.ones_like(keep)):
        assert torch.equal(inpaint(picture, nothing), picture)


def landscape() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A picture with a tree that stands into the sky and a dark cloud, and where these two are."""
    noise = torch.rand(1, 3, 96, 128, generator=torch.Generator().manual_seed(1))
    picture = torch.tensor([0.5, 0.7, 0.9])[None, :, None, None] + 0.1 * noise
    tree, cloud = torch.zeros(2, 1, 1, 96, 128)
    tree[..., 20:64, 90:98] = 1
    cloud[..., 10:20, 20:40] = 1
    dark = tree + cloud
    dark[..., 64:, :] = 1
    return picture * (1 - 0.7 * dark), tree, cloud


def test_a_sky_loses_the_tree_that_stands_into_it_and_keeps_its_dark_cloud():
    picture, tree, cloud = landscape()
    sky = torch.zeros(1, 1, 96, 128)
    sky[..., :64, :] = 1  # the tree is taken for sky
    left = trimmed(sky, picture)
    assert float(left[tree > 0].mean()) < 0.1
    assert float(left[cloud > 0].mean()) > 0.95
    assert float(left[..., :16, :].min()) > 0.95
    assert float(left[..., 66:, :].max()) == 0, "nothing is added"


def test_a_mast_stands_still_however_high_and_a_dark_cloud_at_the_horizon_does_not():
    noise = torch.rand(1, 3, 96, 128, generator=torch.Generator().manual_seed(1))
    picture = torch.tensor([0.5, 0.7, 0.9])[None, :, None, None] + 0.02 * noise
    sky, mast = torch.zeros(2, 1, 1, 96, 128)
    sky[..., :64, :] = 1
    mast[..., 10:64, 90:92] = 1
    dark = mast.clone()
    dark[..., 64:, :] = 1
    dark[..., 20:64, 20:60] = 1  # a cloud as dark as the land
    left = trimmed(sky, picture * (1 - 0.7 * dark))
    assert float(left[mast > 0].max()) < 0.4 and float(left[mast > 0].mean()) < 0.05
    assert float(left[..., 20:48, 24:56].min()) > 0.95, (
        "a cloud that is recognised goes with the sky"
    )
    assert float(left[..., :64, 66:86].min()) > 0.95 and float(left[..., :64, 96:].min()) > 0.95


def test_a_rock_in_the_colour_of_a_cloud_keeps_its_crest():
    noise = torch.rand(1, 3, 96, 128, generator=torch.Generator().manual_seed(1))
    dark, crest = torch.zeros(2, 1, 1, 96, 128)
    dark[..., 5:60, 70:120] = 1  # the cloud, larger than the rock
    crest[..., 48:56, :50] = 1
    dark[..., 48:, :50] = 1
    sky = torch.ones(1, 1, 96, 128)
    sky[..., 56:, :50] = 0
    picture = torch.tensor([0.5, 0.7, 0.9])[None, :, None, None] * (1 - 0.6 * dark) + 0.02 * noise
    left = trimmed(sky, picture)
    assert float(left[..., 49:56, 1:48].max()) < 0.4
    assert float(left[..., :46, :].min()) > 0.95 and float(left[..., 70:120].min()) > 0.95


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_nothing_and_everything_stay_as_they_are(share):
    picture = torch.rand(1, 3, 96, 128, generator=torch.Generator().manual_seed(1))
    mattes = torch.full((1, 2, 96, 128), share)
    torch.testing.assert_close(outlined(mattes, picture), mattes)


def test_water_in_the_colours_of_its_rocks_stays_whole():
    picture = 0.4 + 0.1 * torch.rand(1, 3, 96, 128, generator=torch.Generator().manual_seed(2))
    water = torch.zeros(1, 1, 96, 128)
    water[..., 60:, :] = 1
    assert torch.equal(trimmed(water, picture), water)


def test_a_blot_on_a_boat_becomes_the_boat_with_its_mast():
    noise = torch.rand(1, 3, 96, 128, generator=torch.Generator().manual_seed(3))
    boat = torch.zeros(1, 1, 96, 128)
    boat[..., 50:60, 50:80] = 1  # the hull
    boat[..., 22:50, 63:66] = 1  # the mast, whose top the blot misses
    sea = torch.tensor([0.5, 0.7, 0.8])[None, :, None, None] + 0.1 * noise
    picture = torch.where(boat > 0, torch.tensor([0.3, 0.2, 0.1])[None, :, None, None], sea)
    blot = torch.zeros(1, 1, 96, 128)
    blot[..., 30:75, 30:105] = 1
    thing = fitted(blot, picture)
    assert float(thing[boat > 0].min()) > 0.5
    assert float(thing[..., 30:75, 95:].max()) < 0.05, "what is around it stays behind"
    assert float(thing[..., 72:, :].max()) < 0.05
    assert float(thing.sum()) < 0.6 * float(blot.sum())
    assert torch.equal(fitted(blot, sea), blot), "where no thing is to be seen the blot stays"
    none = torch.zeros_like(blot)
    sharp = outlined(torch.cat([none, blot], 1), picture)[:, 1:]
    soft = outlined(torch.cat([none, blot], 1), sea)[:, 1:]
    assert (
        float(sharp[..., 52:58, 52:78].min()) > 0.8 and float(sharp[..., 25:36, 40:50].max()) < 0.2
    )
    assert float(soft.diff(dim=3).abs().max()) < 0.3, "and fades out: nothing is cut from its midst"


def test_half_a_sail_becomes_the_whole_sail_and_not_the_cliff_of_its_colour():
    noise = torch.rand(1, 3, 192, 256, generator=torch.Generator().manual_seed(4))
    sea = torch.tensor([0.5, 0.7, 0.8])[None, :, None, None] + 0.1 * noise
    sail, blot = torch.zeros(2, 1, 1, 192, 256)
    sail[..., 40:150, 60:100] = 1
    blot[..., 90:160, 50:110] = 1
    brown = torch.tensor([0.4, 0.25, 0.1])[None, :, None, None] + 0.05 * noise
    thing = fitted(blot, torch.where(sail > 0, brown, sea))
    assert float(thing[..., 42:148, 62:98].min()) > 0.5
    assert float(thing[..., :150, :44].max()) < 0.05 and float(thing[..., :30, :].max()) < 0.05
    cliff = torch.zeros_like(sail)
    cliff[..., :150, 100:] = 1  # it touches the sail, and is far larger
    thing = fitted(blot, torch.where((sail + cliff) > 0, brown, sea))
    assert float(thing[..., :60, 150:].max()) < 0.05


@pytest.mark.parametrize("by", (30.0, -30.0))
def test_what_moves_fetches_nothing_from_beyond_the_edges(by):
    moved = torch.full((1, 2, 100, 200), by)
    left = held(moved)
    x = torch.arange(200) + 0.5 - left[0, 0, 50]
    y = torch.arange(100) + 0.5 - left[0, 1, :, 100]
    for source, size in ((x, 200), (y, 100)):
        assert float(source.min()) >= 0 and float(source.max()) <= size
        assert (source.diff() > 0.4).all(), "nothing folds"
    kept = left[0, 0, 50] / by
    assert float(kept.max()) > 0.99 and float(kept.min()) < 0.02
    assert ((kept > 0.8).float().mean()) > 0.6, "far from the edge it moves as it should"


@pytest.mark.parametrize("frames", [16, 24, 32])
def test_coefficients_of_time_keep_a_smooth_video_at_any_length(frames):
    basis = TimeBasis(frames)
    told, light = torch.randn(2, TimeBasis.OUTPUTS, 4, 4), torch.randn(2, 3, 4, 4)
    z = basis.video(told, light)
    assert z.shape == (2, CHANNELS, frames, 4, 4)
    torch.testing.assert_close(basis.target(z, light), told, atol=1e-5, rtol=1e-4)
    assert z[:, FLOW, 0].abs().max() < 1e-6
    torch.testing.assert_close(z[:, LIGHT, 0], light)
    noise = basis.input(torch.randn(8, CHANNELS, frames, 16, 16)).var()
    assert float(noise) == pytest.approx(16 / frames, rel=0.05)


def test_grids_have_the_paintings_aspect_and_about_a_thousand_cells():
    for width, height in ((512, 512), (640, 400), (300, 900), (1500, 500)):
        rows, columns = grid_for(width, height)
        assert rows % 4 == columns % 4 == 0
        assert abs(math.log(columns / rows * height / width)) < 0.15
        assert 850 < rows * columns < 1200


def test_captions_name_their_effects_and_their_words_mean_something():
    rng = random.Random(0)
    for effect in EFFECTS:
        stems = [phrase.split("{")[0].strip().lower() for phrase in PHRASES[effect]]
        for _ in range(20):
            wording = caption((effect,), rng)
            assert any(stem in wording.text.lower() for stem in stems)
            assert (wording.direction == -1) == any(
                w in wording.text for w in ("left", "right to left")
            ) or "from left to right" in wording.text
    said = [caption(("clouds",), rng) for _ in range(300)]
    assert {w.direction for w in said} == {-1, 0, 1}
    assert min(w.speed for w in said) < 0.5 and max(w.speed for w in said) > 1.5


def labelled(seed: int = 0) -> Labelled:
    """Sky above, water below, a dark boat on it."""
    picture = (textured(256, 320, seed)[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    masks = np.zeros((len(CLASSES), 256, 320), np.uint8)
    masks[CLASSES.index("sky"), :120] = 255
    masks[CLASSES.index("water"), 120:] = 255
    masks[CLASSES.index("water"), 140:180, 140:200] = 0
    masks[CLASSES.index("boats"), 140:180, 140:200] = 255
    return Labelled(picture, masks, f"made {seed}")


def test_polygons_and_packs_come_back_as_they_were(tmp_path):
    square = rasterise([[[25, 25], [75, 25], [75, 75], [25, 75]]], 80, 40)
    assert square.shape == (40, 80) and square[20, 40] == 1 and square[2, 2] == 0
    assert square.mean() == pytest.approx(0.25, abs=0.03)
    save_pack([labelled(1), labelled(2)], tmp_path / "pack.npz")
    back = load_pack(tmp_path / "pack.npz")
    assert [i.name for i in back] == ["made 1", "made 2"]
    np.testing.assert_array_equal(back[0].masks, labelled(1).masks)
    assert np.abs(back[0].picture.astype(int) - labelled(1).picture).mean() < 4


def test_what_a_clip_moves_is_what_its_masks_and_caption_say():
    picture = torch.from_numpy(labelled().picture).permute(2, 0, 1)[None].float() / 255
    grid = (28, 36)
    masks = torch.from_numpy(labelled().masks).float()[None] / 255
    masks = torch.nn.functional.interpolate(masks, grid, mode="area")
    picture = torch.nn.functional.interpolate(picture, (224, 288), mode="area")
    shot = fields.SpaceTime(
        1, *grid, torch.linspace(0, 1, 16)[None], torch.Generator().manual_seed(0)
    )

    def moved(*effects: str) -> torch.Tensor:
        one = torch.ones(1)
        z, valid, regions = clips.synthesise(shot, picture, masks, [effects], one, -one, 0.8 * one)
        assert z.isfinite().all() and valid.shape == (1, CHANNELS, *grid)
        torch.testing.assert_close(z[:, LIGHT, 0], light_of(picture, grid), atol=1e-4, rtol=0)
        return values_of(z)

    sky, boat = (masks[0, CLASSES.index(name)] for name in ("sky", "boats"))
    z = moved("clouds")
    torch.testing.assert_close(z[0, 3, 5], 0.75 * sky, atol=1e-5, rtol=0)
    assert z[0, 4, -1][sky > 0.9].mean() < -0.5, "to the left"
    assert z[0, 6].abs().max() == 0 and z[0, AIR].abs().max() == 0
    z = moved("boats")
    torch.testing.assert_close(z[0, 6, 5], 0.75 * (3 * boat).clamp(max=1), atol=1e-5, rtol=0)
    assert z[0, 7, -1][boat > 0.9].std() < 1e-4, "rigidly"
    assert z[0, 3].abs().max() == 0
    z = moved("snow")
    assert z[0, AIR.start + AIRS.index("snow")].min() > 0.5 and z[0, 3:9].abs().max() == 0
    assert moved()[0, 3:].abs().max() == 0


def test_what_a_picture_lacks_is_named_too_and_only_the_rest_moves():
    there = {"clouds", "billow", "stars", "rays", "waves", "river", "glitter", "boats", "toss"}
    anywhere = {"snow", "rain", "petals", "leaves", "sparks", "fog", "still", "alive"}
    named: list[list[str]] = []

    def recorded(effects, rng):
        named.append(list(effects))
        return caption(effects, rng)

    library = Library([[labelled()]])
    made = [clips.make_clips(library, 40, (8, 10), seed, recorded, False) for seed in range(20)]
    happens = torch.cat([batch.latents[:, 3:].abs().amax((1, 2, 3, 4)) > 0 for batch in made])
    lacking = [sum(e not in there | anywhere for e in effects) for effects in named]
    alone = [i for i, effects in enumerate(named) if lacking[i] == len(effects)]
    beside = [i for i, effects in enumerate(named) if 0 < lacking[i] < len(effects)]
    assert {"trees", "grass"} <= {e for effects in named for e in effects}
    assert 0.01 < len(alone) / len(named) < 0.08 and not happens[alone].any()
    assert beside and all(len(named[i]) == 2 for i in beside)
    assert happens[[i for i in beside if not {"rays"} & set(named[i])]].all()  # rays are light only


def test_a_batch_of_clips_repeats_with_its_seed_and_knows_its_directions():
    library = Library([[labelled(1)], [labelled(2)]], shares=(3.0, 1.0))
    one, two = (clips.make_clips(library, 6, (24, 40), 5, caption) for _ in range(2))
    torch.testing.assert_close(one.latents, two.latents, rtol=0, atol=0)
    assert one.captions == two.captions
    assert one.picture.shape == (6, 3, 192, 320) and one.latents.shape == (6, CHANNELS, 16, 24, 40)
    assert one.latents.isfinite().all()
    for i in range(40):
        made = clips.make_clips(library, 1, (16, 16), 100 + i, caption)
        text = made.captions[0].lower()
        flow = made.latents[0, FLOW.start, -1]
        told = "clouds" in text and "right" in text.split(" and ")[0] and "left" not in text
        if told and made.regions[0, 0].sum() > 0:
            assert flow[made.regions[0, 0] > 0.5].mean() > 0


def test_scenes_have_finite_pictures_and_masks_that_overlap_little():
    picture, masks = render(4, 64, 96, seed=3)
    assert picture.shape == (4, 3, 64, 96) and masks.shape == (4, len(CLASSES), 64, 96)
    assert picture.isfinite().all() and masks.isfinite().all()
    assert 0 <= picture.min() and picture.max() <= 1 and picture.std() > 0.05
    assert (masks.sum(1) > 1.05).float().mean() < 0.02
    assert masks[:, CLASSES.index("sky")].mean() > 0.1
    again, _ = render(4, 64, 96, seed=3)
    torch.testing.assert_close(picture, again, rtol=0, atol=0)


def test_the_network_takes_every_grid_and_says_nothing_before_training():
    network = VideoNetwork(**TINY)
    for grid in ((16, 16), (8, 20)):
        words, present = torch.randn(2, 20, 384), torch.ones(2, 20, dtype=torch.bool)
        features = network.condition(
            torch.rand(2, 3, grid[0] * 8, grid[1] * 8), torch.ones(2, 1, *grid),
            torch.rand(2, len(CLASSES), *grid), words, present,
        )  # fmt: skip
        light, ones = torch.randn(2, 3, *grid), torch.ones(2)
        z = network(
            torch.randn(2, CHANNELS, 16, *grid), light, 0.7 * ones, 0.7 * ones, TimeBasis(16),
            features, words, present, ones, ones,
        )  # fmt: skip
        assert z.shape == (2, CHANNELS, 16, *grid)
        torch.testing.assert_close(z[:, LIGHT, 7], light)
        assert z[:, 3:].abs().max() == 0


def test_training_learns_and_goes_on_where_it_stopped(tmp_path, monkeypatch):
    # A clock of its own: 300 looks at it are the budget of 0.01 minutes, however slow the machine.
    clock = itertools.count()
    monkeypatch.setattr(loop.time, "monotonic", lambda: 0.002 * next(clock))

    def problem():
        torch.manual_seed(0)
        return torch.nn.Linear(3, 1)

    x = torch.randn(64, 3, generator=torch.Generator().manual_seed(1))
    y = x @ torch.tensor([[1.0], [-2.0], [0.5]])

    def loss(network, _):
        value = ((network(x) - y) ** 2).mean()
        return value, {"error": value.detach()}, len(x)

    def batches():
        while True:
            yield None

    plan = loop.Budget(minutes=0.01, rate=0.05)
    first = loop.train("toy", problem(), batches(), loss, plan, tmp_path, {"a": 1})
    assert first.minutes >= plan.minutes and first.iterations > 200
    longer = loop.Budget(minutes=0.02, rate=0.05)
    second = loop.train("toy", problem(), batches(), loss, longer, tmp_path, {"a": 1})
    assert second.iterations > first.iterations and second.samples == 64 * second.iterations
    weights = loop.load_shards(tmp_path, "toy")
    assert ((x @ weights["weight"].T + weights["bias"] - y) ** 2).mean() < 0.05


def test_a_network_is_given_an_eye_that_changes_nothing_at_first_and_nothing_else_may_be_missing():
    blind = VideoNetwork(**TINY)
    seeing = VideoNetwork(**TINY, eye_widths=(8, 16))
    train.start(seeing, blind.state_dict())
    there = torch.rand(2, len(CLASSES), 8, 12)
    told = torch.rand(2, 3, 64, 96), torch.ones(2, 1, 8, 12), there, torch.rand(2, 20, 384)
    present = torch.ones(2, 20, dtype=torch.bool)
    for one, two in zip(
        blind.condition(*told, present), seeing.condition(*told, present), strict=True
    ):
        torch.testing.assert_close(one, two)
    weights = seeing.state_dict()
    train.start(seeing, weights)
    for changed in (weights | {"other": torch.ones(1)}, dict(list(weights.items())[:-1])):
        with pytest.raises(RuntimeError, match="another network"):
            train.start(seeing, changed)


def test_a_rocking_boat_stays_where_it_is_and_its_mast_swings_farther_than_its_hull():
    picture, masks = torch.rand(1, 3, 192, 256), torch.zeros(1, len(CLASSES), 24, 32)
    masks[:, CLASSES.index("boats"), 4:18, 12:20] = 1
    z, _, regions = clips.synthesise(
        stage(1, 24, 32), picture, masks, [["toss"]], *torch.ones(3, 1)
    )
    shift = values_of(z)[0, SHIFT]
    away = shift[:, -1].norm(dim=0) / shift.diff(dim=1).norm(dim=0).sum(0)
    assert regions[0, 1, 6:16, 13:19].min() == 1 and away[6:16, 13:19].max() < 0.35
    mast, hull = (shift[0, :, y, 16].abs().max() for y in (6, 16))
    assert mast > 2 * hull > 0


def test_runs_side_by_side_are_joined_by_the_mean_of_their_weights(tmp_path):
    paths = [tmp_path / "a", tmp_path / "b"]
    for path, value in zip(paths, (1.0, 4.0), strict=True):
        path.mkdir()
        loop.save_shards({"weight": torch.full((2, 3), value)}, path, "video")
    joined = train.mean_of([loop.load_shards(path, "video") for path in paths])
    assert joined.keys() == {"weight"} and torch.equal(joined["weight"], torch.full((2, 3), 2.5))


def test_shards_stay_below_what_may_travel(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "SHARD_BYTES", 1000)
    weights = {f"w{i}": torch.randn(20, 20) for i in range(5)}
    loop.save_shards(weights, tmp_path, "net")
    assert len(list(tmp_path.glob("net-*.safetensors"))) == 5
    back = loop.load_shards(tmp_path, "net")
    torch.testing.assert_close(back["w3"], weights["w3"], atol=0.02, rtol=0.01)
    with pytest.raises(FileNotFoundError):
        loop.load_shards(tmp_path, "other")


def test_kernels_kept_in_bytes_come_back_within_a_step(tmp_path):
    torch.manual_seed(0)
    weights = {"a.weight": torch.randn(8, 4, 3, 3) * torch.logspace(-3, 1, 8)[:, None, None, None]}
    weights["a.bias"] = torch.randn(8)
    loop.save_shards(weights, tmp_path, "part", in_bytes=True)
    back = loop.load_shards(tmp_path, "part")
    assert back.keys() == weights.keys()
    step = weights["a.weight"].abs().amax((1, 2, 3), keepdim=True) / 127
    assert ((back["a.weight"] - weights["a.weight"]).abs() <= 1.02 * step).all()
    torch.testing.assert_close(back["a.bias"], weights["a.bias"], atol=0.02, rtol=0.01)


def test_a_bank_returns_captions_of_exactly_the_wanted_effects(tmp_path):
    rng = random.Random(0)
    keys = [("clouds",), ("clouds",), ("waves", "boats")]
    wordings = [caption(k, rng) for k in keys]
    present = torch.zeros(3, 20, dtype=torch.bool)
    present[:, :9] = True
    words = torch.randn(3, 20, 384).half() * present[..., None]
    Bank(keys, wordings, words, present).save(tmp_path / "bank.npz")
    bank = Bank.load(tmp_path / "bank.npz")
    found = bank.caption(("waves", "boats"), rng)
    assert found == wordings[2]
    vectors, there = bank.vectors([found.text], "cpu")
    assert there.equal(present[2:]) and (vectors - words[2:].float()).abs().max() < 0.05


def test_flow_that_would_fold_the_picture_over_is_smoothed_and_gentle_flow_is_not():
    x = torch.arange(32.0)
    gentle = torch.zeros(1, 2, 4, 24, 32)
    gentle[:, 0] = 3 + 0.1 * x
    assert torch.equal(_unfolded(gentle), gentle)
    steep = torch.zeros(1, 2, 4, 24, 32)
    steep[:, 0] = 4 * (0.9 * x).sin()  # neighbours overtake each other
    smooth = _unfolded(steep)
    assert steep.diff(dim=-1).abs().max() > 2
    assert smooth.diff(dim=-1).abs().max() < 1


def test_a_thing_pasted_from_another_picture_brings_its_mask_and_stands_where_it_belongs():
    harbour = np.full((80, 120, 3), 200, np.uint8)
    harbour[40:60, 50:70] = 10
    masks = np.zeros((len(CLASSES), 80, 120), np.uint8)
    masks[CLASSES.index("boats"), 40:60, 50:70] = 255
    masks[CLASSES.index("birds"), :5, 10:40] = 255  # at the border: half a bird, perhaps
    planes = torch.from_numpy(harbour).permute(2, 0, 1), torch.from_numpy(masks)
    things = cut_outs([planes[0]], [planes[1]])
    assert {name: len(parts) for name, parts in things.items()} == {"boats": 1}

    picture, mask = torch.full((1, 3, 96, 96), 0.9), torch.zeros(1, len(CLASSES), 96, 96)
    for seed in range(4):  # there is no water to stand on
        same, none = pasted(picture, mask, things, random.Random(seed))
        assert torch.equal(same, picture) and torch.equal(none, mask)
    water, boats = CLASSES.index("water"), CLASSES.index("boats")
    mask[:, water, 48:] = 1
    for seed in range(20):
        seen, now = pasted(picture, mask, things, random.Random(seed))
        there = now[0, boats] > 0.9
        assert there.sum() > 60 and (now[0, water][there] < 0.1).all()
        assert (seen[0, :, there] < 0.65).all() and torch.equal(seen[0, :, now[0, boats] == 0], picture[0, :, now[0, boats] == 0])  # fmt: skip
        assert int(there.any(1).nonzero().max()) >= 46  # its foot is on the water


def test_the_less_of_a_picture_a_thing_takes_up_the_more_each_of_its_cells_counts():
    shares = torch.zeros(1, 3, 20, 20)
    shares[:, 0] = 1
    shares[:, 1, 0, :4] = 1
    weights = lifted(shares)
    assert (weights[:, 0] == 1).all() and (weights[:, 2] == 1).all()
    torch.testing.assert_close(weights[0, 1, 0, :4], torch.full((4,), (0.08 / 0.01) ** 0.5))
    assert weights[0, 1].sum() == pytest.approx(396 + 4 * (0.08 / 0.01) ** 0.5)


def test_a_network_without_chances_goes_on_with_them_unchanged_and_learns_to_use_them():
    deaf = VideoNetwork(**TINY).state_dict()
    del deaf["condition.told.weight"]
    network = VideoNetwork(**TINY)
    train.start(network, deaf)
    words, present = torch.rand(2, 20, 384), torch.ones(2, 20, dtype=torch.bool)
    none, all_there = (
        network.condition(
            torch.full((2, 3, 64, 96), 0.5), torch.ones(2, 1, 8, 12), chance, words, present
        )[5]
        for chance in (torch.zeros(2, len(CLASSES), 8, 12), torch.ones(2, len(CLASSES), 8, 12))
    )
    torch.testing.assert_close(none, all_there)
    all_there.mean().backward()
    assert network.condition.told.weight.grad.abs().max() > 0


def test_chances_follow_the_masks_and_sometimes_miss_or_mistake_them():
    torch.manual_seed(0)
    masks = torch.zeros(64, len(CLASSES), 12, 12)
    masks[:, :, 4:8, 4:8] = (torch.rand(64, len(CLASSES), 1, 1) < 0.5).float()
    chance = doubted(masks)
    assert chance.shape == masks.shape and 0 <= chance.min() and chance.max() <= 1
    inside, there = chance[:, :, 5:7, 5:7].mean((2, 3)), masks[:, :, 5, 5] > 0
    assert 0.8 < (inside[there] > 0.4).float().mean() < 0.95
    assert 0 < (inside[~there] > 0.2).float().mean() < 0.05


def test_another_light_burns_nothing_out_and_drowns_nothing():
    picture = torch.linspace(0, 1, 101).view(1, 1, 1, -1)
    for change in (0.05, 0.4, -0.4):
        lit = relit(picture, torch.full_like(picture, change))
        assert 0 <= lit.min() and lit.max() <= 1 and lit.diff().min() > 0, "texture stays"
        middle = float(lit[..., 50] - 0.5)
        assert middle * change > 0 and abs(middle) <= abs(change)
    assert torch.equal(relit(picture, torch.zeros_like(picture)), picture)


def test_what_all_cells_of_a_region_say_is_pooled_with_its_standard_deviation():
    a, s, share = 0.2, (1 - 0.2**2) ** 0.5, 3.0
    regions = torch.full((1, 2, 8, 8), -30.0)
    regions[:, 0, :4] = 30.0
    level = torch.tensor([a / s]).log()
    torch.manual_seed(0)
    clean = torch.zeros(1, 2, 8, 8)
    clean[:, 0, :4] = share
    found = pooled_shares(a * clean, level, regions)
    mean, deviation = share * 32 / 33, s / a / 32**0.5
    expected = torch.tensor([mean / (1 + mean / 8), 0.0, deviation / (1 + deviation / 8)])
    torch.testing.assert_close(found[0, :3], expected, atol=2e-3, rtol=1e-3)
    assert found[0, 3] > 7, "of an object nothing is known"
    half = pooled_shares((a * clean).bfloat16(), level, regions)
    torch.testing.assert_close(half, found, atol=0.05, rtol=0.02)
