"""What is where in a painting and what a sentence moves: the segmentation network and its say."""

from __future__ import annotations

import random

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from awaken.miniature.classes import CLASSES
from awaken.miniature.loading import ASSETS, trained
from awaken.miniature.meaning import chances, expected, fuse_with_segmentation, what_is_where
from awaken.miniature.segmentation_network import Body, SegmentationNetwork
from awaken.miniature.text import text_encoder
from awaken.miniature.training.captions import EFFECTS, caption, unrelated
from awaken.miniature.training.clips import moved_by
from awaken.miniature.training.losses import SegmentationLoss

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def network() -> SegmentationNetwork:
    torch.manual_seed(0)
    return SegmentationNetwork(widths=(16,)).eval()


@pytest.fixture(scope="module")
def shipped() -> SegmentationNetwork:
    return trained(SegmentationNetwork, "segmentation", ASSETS)


class Told(nn.Module):
    """A network that finds one class in the upper half and reads what it is told to."""

    def __init__(self, there: str, read: dict[str, float]) -> None:
        super().__init__()
        self.own = nn.Parameter(torch.zeros(()))
        self.there, self.reads = there, read

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        h, w = (side // 8 for side in picture.shape[2:])
        out = torch.full((1, len(CLASSES), h, w), -9.0)
        out[:, CLASSES.index(self.there), : h // 2] = 9.0
        return out

    def read(self, words: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        out = torch.full((1, len(CLASSES)), -9.0)
        for name, logit in self.reads.items():
            out[:, CLASSES.index(name)] = logit
        return out


def asked(told: Told, own: torch.Tensor) -> torch.Tensor:
    nothing = torch.zeros(1, 20, 384), torch.zeros(1, 20, dtype=torch.bool)
    reads = told.read(*nothing).sigmoid()
    seen = what_is_where(told, torch.rand(1, 3, 200, 300), own.shape[-2:])
    return fuse_with_segmentation(own, expected(seen, reads), reads)


@pytest.mark.parametrize(("thing", "where"), [("water", 0), ("boats", 1)])
def test_what_a_sentence_seems_to_name_is_named_wherever_it_is(thing, where):
    regions = torch.full((1, 2, 4, 8), -9.0)
    classes = torch.full((1, len(CLASSES), 4, 8), -9.0)
    classes[:, CLASSES.index(thing), 2:] = 9.0
    assert chances(regions, classes).amax() < 0.01, "there, but not named"
    regions[:, where, 1:, :] = 0.0
    chance = chances(regions, classes)
    assert chance[:, where, 2:].amin() > 0.9 and chance[:, 1 - where].amax() < 0.01
    torch.testing.assert_close(chance[:, where, 1], torch.full((1, 8), 0.5))
    assert chances(regions, classes.flip(2))[:, where, 0].amax() < 0.01, "what is meant is not that"


@pytest.mark.parametrize(("thing", "where"), [("fire", 0), ("flags", 1)])
def test_what_is_read_and_seen_is_meant_and_what_is_only_one_of_both_is_not(thing, where):
    own = torch.full((1, 2, 24, 36), 0.1)
    both = asked(Told(thing, {thing: 9.0}), own)
    assert both[:, where, :11].amin() > 0.9 and both[:, where, 13:].amax() < 0.01
    assert both[:, 1 - where].amax() < 0.01
    assert asked(Told("sky", {thing: 9.0}), own).amax() < 0.01, "read, not seen"
    torch.testing.assert_close(asked(Told(thing, {}), own), own)  # seen, not read


def test_a_sentence_that_it_does_not_read_is_left_to_the_condition_network():
    own = torch.rand(1, 2, 24, 36)
    torch.testing.assert_close(asked(Told("sky", {"sky": -1.0}), own), own)


@pytest.mark.parametrize("height", [256, 320])
def test_the_answer_has_a_cell_for_every_eight_pixels(network, height):
    with torch.inference_mode():
        assert network(torch.rand(2, 3, height, 288)).shape == (2, len(CLASSES), height // 8, 36)


def test_published_weights_are_taken_over_with_their_normalisation():
    torch.manual_seed(1)
    body, published, norms = Body(), {}, []
    for i, own in enumerate(body.convolutions()):
        outer = own.out_channels
        norm = nn.BatchNorm2d(outer, eps=1e-3).eval()
        for value in (norm.weight.data, norm.running_var):
            value.uniform_(0.5, 2)
        for value in (norm.bias.data, norm.running_mean):
            value.normal_()
        published[f"{i}_conv.weight"] = torch.randn_like(own.weight)
        published |= {f"{i}_bn.{key}": value for key, value in norm.state_dict().items()}
        norms.append(norm)
    body.adopt(published)
    for i, own in list(enumerate(body.convolutions()))[:4]:
        x = torch.randn(1, own.in_channels, 12, 12)
        padded = F.pad(x, own.around) if own.around else x
        kernel = published[f"{i}_conv.weight"]
        wanted = norms[i](F.conv2d(padded, kernel, stride=own.stride, groups=own.groups))
        wanted = F.relu6(wanted) if own.clipped else wanted
        torch.testing.assert_close(own(x), wanted, atol=1e-4, rtol=1e-4)
    published["0_conv.weight"] = torch.zeros(8, 3, 3, 3)
    with pytest.raises(ValueError, match="EfficientNet"):
        body.adopt(published)


def test_training_it_learns_what_is_where_and_leaves_edges_and_textures_alone(network):
    torch.manual_seed(2)
    network.train()
    frozen = network.body.stem.weight.clone()
    picture = torch.rand(2, 3, 192, 192) * 0.2
    picture[:, 2, :96] += 0.7
    masks = torch.zeros(2, len(CLASSES), 24, 24)
    masks[:, CLASSES.index("sky"), :12] = 1
    words, present = torch.randn(2, 20, 384), torch.ones(2, 20, dtype=torch.bool)
    moved = torch.eye(len(CLASSES))[:2]
    loss, parts = SegmentationLoss(CPU, half=False), []
    free = [p for p in network.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(free, lr=2e-3)
    for _ in range(12):
        value, part, count = loss(network, (picture, masks, words, present, moved))
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        parts.append(part)
    assert count == 2
    for name in ("cross", "missed", "read"):
        assert parts[-1][name] < 0.8 * parts[0][name], name
    assert torch.equal(network.body.stem.weight, frozen)


def test_captions_say_which_classes_they_move():
    assert moved_by(["clouds", "snow"]) == {"sky"}
    assert moved_by(["stars", "rays", "fog", "still"]) == set()
    assert moved_by(["river"]) == {"water", "falling water"}
    assert moved_by(["waves"]) == {"water", "boats"}, "boats bob on waves"
    assert "birds" not in moved_by(["alive"]) and "trees" in moved_by(["alive"])
    assert moved_by(["other"]) == set()


def test_the_shipped_network_reads_sentences_it_never_saw(shipped):
    """Captions of another seed than the bank's, and people and animals that move nothing of ours."""
    rng, right, wrong = random.Random(77), 0, 0
    told = [e for e in EFFECTS if e not in ("alive", "still")]
    with torch.inference_mode():
        for effect in told * 3:
            reads = shipped.read(*text_encoder().words(caption([effect], rng).text))[0] > 0
            right += {c for c, r in zip(CLASSES, reads.tolist(), strict=True) if r} == moved_by(
                [effect]
            )
        for _ in range(40):
            wrong += bool((shipped.read(*text_encoder().words(unrelated(rng).text)) > 0).any())
    assert right > 0.95 * 3 * len(told)
    assert wrong < 4
