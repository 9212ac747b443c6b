"""Sec. 3.4: spherical interpolation over frames."""

import pytest
import torch

from awaken.fusion import lerp_frames, slerp_frames


def videos(frames=5, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(2, 2, 4, frames, 3, 6, generator=draw)


def test_the_ends_are_exact_copies():
    z_r, z_s = videos()
    for fuse in (slerp_frames, lerp_frames):
        fused = fuse(z_r, z_s)
        assert torch.equal(fused[:, :, 0], z_r[:, :, 0])
        assert torch.equal(fused[:, :, -1], z_s[:, :, -1])


def test_slerp_of_unit_frames_stays_on_the_sphere_at_even_angles():
    z_r, z_s = videos(frames=9)
    z_r = z_r[:, :, :1] / z_r[:, :, :1].square().sum((1, 2, 3, 4), keepdim=True).sqrt()
    z_s = z_s[:, :, :1] / z_s[:, :, :1].square().sum((1, 2, 3, 4), keepdim=True).sqrt()
    r, s = z_r.expand(-1, -1, 9, -1, -1), z_s.expand(-1, -1, 9, -1, -1)
    fused = slerp_frames(r.double(), s.double())
    norms = fused.square().sum((1, 3, 4))
    torch.testing.assert_close(norms, torch.ones_like(norms))
    cosines = (fused[:, :, 1:] * fused[:, :, :-1]).sum((1, 3, 4))
    torch.testing.assert_close(cosines, cosines[:, :1].expand_as(cosines))


def test_each_frame_and_item_has_its_own_angle():
    z_r, z_s = videos()
    fused = slerp_frames(z_r, z_s)
    for b in range(2):
        for f in range(5):
            alone = slerp_frames(
                z_r[b : b + 1, :, f : f + 1], z_s[b : b + 1, :, f : f + 1], [f / 4]
            )
            torch.testing.assert_close(fused[b : b + 1, :, f : f + 1], alone)


@pytest.mark.parametrize("factor", [1.0, 1.0 + 1e-12, 3.0, -1.0, 0.0])
def test_parallel_opposite_and_zero_frames_fall_back_to_lerp_without_nan(factor):
    z_r = videos()[0].double()
    fused = slerp_frames(z_r, factor * z_r)
    assert torch.isfinite(fused).all()
    torch.testing.assert_close(fused, lerp_frames(z_r, factor * z_r), rtol=1e-6, atol=1e-6)


def test_nearly_parallel_frames_agree_with_lerp():
    z_r, other = videos()
    z_s = z_r + 1e-6 * other
    fused = slerp_frames(z_r.double(), z_s.double())
    torch.testing.assert_close(fused, lerp_frames(z_r.double(), z_s.double()), atol=1e-9, rtol=0)


def test_given_fractions_are_used():
    z_r, z_s = videos(frames=3)
    torch.testing.assert_close(lerp_frames(z_r, z_s, [0.25] * 3), 0.75 * z_r + 0.25 * z_s)
    with pytest.raises(ValueError, match="3 frames need as many fractions"):
        slerp_frames(z_r, z_s, [0.5])
    with pytest.raises(ValueError, match="one shape"):
        slerp_frames(z_r, z_s[:, :, :2])
