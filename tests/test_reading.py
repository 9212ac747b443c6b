"""What a sentence asks for: stillness, direction and speed, by rules that are texts in, texts out."""

import pytest

from awaken.miniature.classes import classes_of
from awaken.miniature.reading import read

# sentence -> (what of it moves, what must stay still)
STILLNESS = {
    "The clouds do not move": ("", "The clouds"),
    "the clouds don't drift": ("", "the clouds"),
    "the clouds aren't moving": ("", "the clouds"),
    "clouds that never move": ("", "clouds"),
    "don't let the clouds move": ("", "the clouds"),
    "do not move the clouds": ("", "the clouds"),
    "let the clouds stand still": ("", "the clouds"),
    "the sea is calm": ("", "the sea"),
    "a still lake": ("", "lake"),
    "the motionless boat": ("", "boat"),
    "no motion": ("", "everything"),
    "neither the clouds nor the sea move": ("", "the clouds; the sea"),
    "the boat and the clouds stay still": ("", "the boat; the clouds"),
    "the boat sails and the clouds stay still": ("the boat sails", "the clouds"),
    "keep the sky still while the waves roll": ("the waves roll", "the sky"),
    "move the boat but keep the clouds frozen": ("move the boat", "the clouds"),
    "the water ripples, no clouds": ("the water ripples", "clouds"),
    "the water flows without the clouds moving": ("the water flows", "the clouds"),
    "water flows as the clouds rest": ("water flows", "the clouds"),
    "trees sway, but not the grass": ("trees sway", "the grass"),
    "the waves roll but do not break": ("the waves roll", ""),
    "everything moves except the sky": ("everything moves", "the sky"),
    "everything but the boat moves": ("everything moves", "the boat"),
    "nothing moves except the water": ("the water moves", ""),
    "nothing but the water moves": ("the water moves", ""),
    "everything stays still except the water": ("the water moves", ""),
    "the clouds, not the boat, move": ("the clouds move", "the boat"),
    "the boat moves instead of the clouds": ("the boat moves", "the clouds"),
    "the water flows, everything else stays still": ("the water flows", ""),
    "the water flows and nothing else moves": ("the water flows", ""),
    "a boat sails, no wind": ("a boat sails", ""),
    "no motion in the sky, the water ripples": ("the water ripples", "the sky"),
    "sky static, water moving": ("water moving", "sky"),
    "waves roll but the clouds don't": ("waves roll", "the clouds"),
    "please keep the sky frozen; the sea should roll": ("the sea should roll", "the sky"),
    "clouds remain where they are": ("", "clouds"),
    "Nothing moves.": ("", "everything"),
    "frozen": ("", "everything"),
    "云不动": ("", "the clouds"),
    "小船向前滑行，云不要动": ("the boat glides forward", "the clouds"),
}
# what asks for motion in words of stillness: left as it is
MOTION = (
    "the clouds drift across the sky", "the clouds still drift", "the water is still flowing",
    "the calm water ripples", "the waves never stop rolling", "the river never rests",
    "the wind blows without stopping", "nothing stays still", "the sea is not calm",
    "a still life with a flickering candle", "waves roll and the sea surges", "make it move",
    "the boat moves up and down", "the boat sails across the calm sea",
)  # fmt: skip
DIRECTIONS = {
    "the clouds drift to the left": (-1, 0),
    "the clouds drift from the right": (-1, 0),
    "the boat sails from left to right": (1, 0),
    "the river runs left": (-1, 0),
    "smoke rises upwards": (0, -1),
    "snow falls from the sky": (0, 1),
    "leaves fall from above": (0, 1),
    "leaves fall gently down": (0, 1),
    "the clouds drift to the upper left": (-1, -1),
    "clouds drift from the upper right": (-1, 1),
    "the clouds stay still and the boat sails to the right": (1, 0),
    "the boat sails and smoke rises up": None,
    "the boat sails to the left and snow falls from the sky": (-1, 0),
    "the birds fly upwards and the clouds drift": None,
    "the boat on the left sails": None,
    "the boat sails to the left of the tree": None,
    "the boat moves back and forth": None,
    "the clouds drift across the sky": None,
}
UNREAD = {
    "waves roll towards us": "depth",
    "the boat comes closer": "depth",
    "the clouds drift northwards": "compass",
    "the stars turn clockwise": "rotation",
    "the clouds drift to the left and the boat sails to the right": "directions",
    "waves roll towards the shore": "",
    "the water flows slowly and the clouds drift fast": "speeds",
    "the birds fly upwards and the clouds drift": "directions",
    "the boat sails and smoke rises up": "",
    "the clouds drift to the left, the boat sails to the left": "",
}
SPEEDS = {
    "the clouds drift": (1, 1),
    "the clouds drift slowly": (0.3, 0.7),
    "very slowly the clouds drift": (0.1, 0.45),
    "the clouds barely move": (0.1, 0.45),
    "the clouds drift, not too fast": (0.3, 0.7),
    "the clouds do not move fast": (0.3, 0.7),
    "slow-moving clouds": (0.3, 0.7),
    "clouds drift at high speed": (1.3, 2.2),
    "云缓缓飘动": (0.3, 0.7),
    "the clouds drift fast": (1.3, 2.2),
    "the waves roll very quickly": (1.8, 2.5),
    "the sea surges violently": (1.3, 2.2),
    "the sea surges steadfastly": (1, 1),
}


@pytest.mark.parametrize("sentence", STILLNESS)
def test_what_stays_still_is_taken_out_of_the_motion(sentence):
    moving, still = STILLNESS[sentence]
    found = read(sentence)
    assert (found.moving, "; ".join(found.still)) == (moving, still)


@pytest.mark.parametrize("sentence", MOTION)
def test_motion_in_words_of_stillness_is_motion(sentence):
    found = read(sentence)
    assert found.moving == sentence and found.still == ()


@pytest.mark.parametrize("sentence", DIRECTIONS)
def test_directions_say_where_things_go(sentence):
    assert read(sentence).direction == DIRECTIONS[sentence]


@pytest.mark.parametrize("sentence", UNREAD)
def test_what_cannot_be_done_is_said(sentence):
    assert " ".join(read(sentence).unread) == UNREAD[sentence]


@pytest.mark.parametrize(
    ("sentence", "moving"),
    [
        ("the clouds drift very slowly, the boat sails", "the clouds drift, the boat sails"),
        ("the clouds drift from the right", "the clouds drift to the left"),
        ("the boat sails from the left bank", "the boat sails from the left bank"),
        ("the water flows slowly and the clouds drift fast",) * 2,
    ],
)
def test_the_networks_read_no_pace_twice_and_only_ways_that_they_learnt(sentence, moving):
    assert read(sentence).moving == moving


def test_everything_but_something_is_spelt_out_for_the_networks():
    found = read("everything moves except the sky")
    assert "the water ripples" in found.words and "clouds" not in found.words
    assert "boat" not in read("除了小船，一切都动").words
    assert read("everything moves").words == "everything moves"


@pytest.mark.parametrize(
    ("things", "classes"),
    [
        ("the clouds", {"sky"}), ("the sea and the ships", {"water", "boats"}),
        ("the waterfall", {"falling water"}), ("her flag", {"flags"}), ("the house", set()),
        ("the sailors", set()),
    ],
)  # fmt: skip
def test_still_things_are_looked_for_by_plain_words(things, classes):
    assert classes_of(things) == classes


@pytest.mark.parametrize("sentence", SPEEDS)
def test_adverbs_are_factors_on_the_motion(sentence):
    low, high = SPEEDS[sentence]
    assert low <= read(sentence).speed <= high


def test_no_sentence_takes_long_to_read():
    """Patterns that try every way to read a text would take for ever with one of these."""
    for sentence in ("the clouds " * 55, "not " * 150, "without " * 75, ", but " * 100, "a" * 600):
        assert read(sentence).speed == 1
