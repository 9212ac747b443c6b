"""Sentences that name what moves, and nothing else: the words the miniature learns from.

Every *effect* below is something the video network can do. A caption is drawn from an effect's
phrases and may carry a direction, a speed and an amount word; each of these words has a meaning in
the motion that is synthesised beside it (``Wording``), so that the network can learn to obey it.
Two special effects complete the vocabulary: ``alive`` names nothing in particular (everything that
can move does so gently) and ``still`` says that nothing moves.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

# effect -> phrases. {v} takes an adverb or nothing; {d} a direction; {n} an amount.
PHRASES: dict[str, tuple[str, ...]] = {
    "clouds": (
        "clouds drift{v} across the sky{d}",
        "white clouds drift{d}",
        "the clouds are moving{v}{d}",
        "clouds move{v} in the sky",
        "the clouds in the sky float by{d}",
        "drifting clouds",
        "the sky is full of moving clouds",
        "the wind pushes the clouds{d}",
        "clouds pass{v} overhead",
        "time lapse of clouds",
        "dark clouds roll across the sky{d}",
        "a cloudy sky in motion",
        "the storm clouds move{v}{d}",
        "clouds sail{v} in the heavens{d}",
        "the sky moves{v}",
        "clouds over the hills drift{v}{d}",
        "the clouds race{d}",
        "clouds glide past{d}",
        "the storm drives the clouds{d}",
        "a stormy sky with racing clouds",
    ),
    "billow": (
        "the clouds in the sky surge and billow",
        "clouds billow{v}",
        "billowing clouds",
        "the clouds swirl{v}",
        "the clouds churn and roll{v}",
        "clouds boil in the stormy sky",
        "the swirling sky",
        "the sky swirls{v}",
        "the clouds surge{v}",
        "stormy clouds swirl{v}",
        "clouds tumble and billow above the hills",
        "the starry sky swirls{v}",
        "the sky whirls",
    ),
    "waves": (
        "the waves{v} lap against the shore",
        "waves lap the shore{v}",
        "the sea is rolling{v}",
        "waves roll{v}{d}",
        "waves crash on the beach",
        "the sea laps at the shore",
        "ocean waves",
        "the waves move{v}{d}",
        "waves rise and fall{v}",
        "the water ripples{v}",
        "ripples on the lake",
        "the lake ripples{v}",
        "the sea surges{v}",
        "a rough sea with moving waves",
        "the surf rolls in",
        "waves break on the rocks",
        "the surface of the water moves{v}",
        "the tide comes in",
        "the water is moving{v}",
        "rippling water",
        "the sea heaves{v}",
        "calm water moves{v}",
        "the ocean swells{v}",
        "the pond ripples{v}",
        "waves toss the sea",
        "the stormy sea heaves{v}",
        "a storm whips the waves",
        "storm waves break over the rocks",
        "the sea rages in a storm",
        "a tempest at sea",
    ),
    "river": (
        "the river flows{v}{d}",
        "water flows{v} down the stream",
        "the stream is flowing{v}",
        "the brook runs{v}",
        "flowing water",
        "the water streams past{d}",
        "the stream runs{d}",
        "the current carries the water{d}",
        "the river runs{v} through the landscape",
        "a flowing river",
        "the water flows{v}{d}",
        "the canal flows{v}",
        "a babbling brook",
    ),
    "waterfall": (
        "the waterfall falls{v}",
        "water falls over the rocks",
        "the waterfall pours down{v}",
        "a cascade of falling water",
        "the waterfall plunges{v}",
        "water tumbles down the cliff",
        "the cascade rushes down",
        "a flowing waterfall",
        "water pours from the fountain",
    ),
    "trees": (
        "leaves sway{v} in the wind",
        "the trees sway{v} in the breeze",
        "trees swaying{v}",
        "the tall trees sway{v}",
        "leaves flutter{v}",
        "leaves rustle in the wind",
        "the branches move{v} in the wind",
        "wind blows through the trees",
        "the foliage trembles",
        "the poplar trees sway{v}",
        "the forest moves{v} in the wind",
        "the leaves are trembling",
        "the cypresses bend{v} in the wind",
        "the palm trees sway{v}",
        "the willow sways{v}",
        "the wind shakes the trees{d}",
        "treetops sway{v}",
        "the storm shakes the trees",
        "the trees bend in a gale",
    ),
    "grass": (
        "the grass sways{v} in the wind",
        "the flowers sway{v} in the wind",
        "the wheat waves{v}",
        "the wheat field waves{v} in the wind",
        "the reeds sway{v}",
        "grass ripples{v} in the breeze",
        "the flowers in the field sway like waves",
        "wind blows over the meadow{d}",
        "swaying grass",
        "the meadow moves{v} in the wind",
        "the field of wheat moves{v}",
        "the rye ripples{v}",
        "flowers dance{v} in the breeze",
        "the cornfield sways{v}",
        "the lilies sway{v}",
        "the wheat bends before the storm",
    ),
    "boats": (
        "the boat sails{v}{d}",
        "the boats{v} sail towards the distance",
        "sailing ships on calm water",
        "the ship sails{v} across the sea{d}",
        "a boat is moving{v}{d}",
        "boats sail{v} on the water",
        "the boat drifts{v}{d}",
        "the sailing boat moves{v}{d}",
        "the ships glide{v} over the water",
        "the boat floats by{d}",
        "a ship is sailing{d}",
        "the sailboat sails away",
        "the barge moves{d}",
        "the fishing boats sail{v}{d}",
        "the rowing boat glides{v}{d}",
        "the vessel sails{v}{d}",
    ),
    "toss": (
        "the ship fights the storm",
        "a ship is tossed by the storm",
        "the boat rocks{v}",
        "the boats rock{v} on the waves",
        "the boat bobs{v} on the water",
        "the ship rolls{v} in the swell",
        "the waves toss the ship",
        "the ships sway{v} at anchor",
        "the moored boats rock{v}",
        "the storm tosses the ships",
        "a ship rocks{v} in the rough sea",
    ),
    "birds": (
        "birds fly{v} in the sky",
        "the bird is flying{d}",
        "a flock of birds flies past{d}",
        "birds flying{d}",
        "seagulls fly{v} over the water",
        "the birds fly away{d}",
        "the bird flies{v} across the sky{d}",
        "gulls glide{v}{d}",
        "crows fly{v} over the field",
    ),
    "flags": (
        "the flag waves{v} in the wind",
        "flags flutter{v}",
        "the flag flies{v}",
        "a waving flag",
        "banners stream{v} in the wind",
        "the pennant flutters{v}",
        "flags flap{v} in the breeze",
    ),
    "smoke": (
        "smoke rises{v}",
        "smoke rises{v} from the chimney",
        "smoke drifts upward{d}",
        "the smoke billows{v}",
        "smoke curls{v} into the air",
        "steam rises{v}",
        "rising smoke",
        "smoke floats up{v}",
        "smoke pours from the volcano",
        "the smoke is rising{v}{d}",
        "steam billows from the train",
        "the volcano smokes{v}",
    ),
    "fog": (
        "{n}fog drifts{v} over the water{d}",
        "mist drifts{v} through the valley{d}",
        "the fog rolls in{d}",
        "{n}mist rises from the lake",
        "the haze drifts{v}",
        "fog creeps{v} over the land",
        "drifting fog",
        "morning mist floats{v}{d}",
        "the mist moves{v}",
        "a veil of mist drifts{v}{d}",
    ),
    "snow": (
        "{n}snow falls{v}",
        "{n}snow is falling{v}",
        "snowflakes fall{v}",
        "it is snowing",
        "snowfall",
        "{n}falling snow",
        "snow drifts down{v}",
        "a day with {n}falling snow",
        "a blizzard blows{d}",
        "it snows{v}{d}",
        "snowflakes swirl down",
    ),
    "rain": (
        "{n}rain falls{v}",
        "it is raining",
        "{n}rain pours down",
        "raindrops fall",
        "{n}falling rain",
        "a rain shower passes",
        "the rain beats down",
        "it rains{v}{d}",
        "a downpour",
    ),
    "petals": (
        "petals fall{v}",
        "petals drift down{v}{d}",
        "{n}blossoms fall from the trees",
        "falling petals",
        "cherry blossom petals float down{v}",
        "rose petals fall{v}",
        "pink petals drift{v}{d}",
        "flower petals flutter down",
    ),
    "leaves": (
        "autumn leaves fall{v}",
        "leaves are falling",
        "{n}leaves fall{v} to the ground",
        "golden leaves drift down{v}{d}",
        "falling leaves",
        "the leaves drop from the trees",
        "the wind carries fallen leaves{d}",
        "yellow leaves float down{v}",
    ),
    "fire": (
        "the fire burns{v}",
        "flames flicker{v}",
        "the candle flickers{v}",
        "a flickering flame",
        "the candle flame dances",
        "the fire blazes",
        "flames leap{v}",
        "the torch burns{v}",
        "candlelight flickers{v}",
        "the lamp flickers",
        "the lanterns glow and flicker",
    ),
    "sparks": (
        "sparks fly{v}",
        "{n}sparks rise from the fire",
        "embers float up{v}",
        "glowing embers drift{v}",
        "{n}sparks shower",
        "fireflies float{v}",
        "fireworks sparkle",
        "the volcano throws sparks",
    ),
    "stars": (
        "the stars twinkle{v}",
        "stars twinkle in the night sky",
        "twinkling stars",
        "the stars glitter{v}",
        "the stars sparkle",
        "the starlight shimmers{v}",
        "shining stars",
    ),
    "glitter": (
        "moonlight glitters on the water",
        "the moonlight shimmers{v} on the sea",
        "moonlight on the river",
        "sunlight sparkles on the water",
        "the water shimmers{v}",
        "the reflection of the sun glitters",
        "light dances on the water",
        "the lake shimmers{v}",
        "the reflection of the moon glimmers{v}",
        "the water glistens{v}",
    ),
    "rays": (
        "sun rays move{v} through the clouds",
        "rays of light shine down",
        "the sunlight shifts{v}",
        "sunbeams shine through the trees",
        "light rays move{v}{d}",
        "the sun shines{v}",
        "beams of sunlight sweep{v}{d}",
        "the sunset glows",
        "the light changes{v}",
    ),
    "alive": (
        "the painting comes alive",
        "make it move",
        "bring this painting to life",
        "animate this",
        "a living painting",
        "gentle motion",
        "everything moves{v}",
        "a beautiful landscape",
        "an oil painting",
        "subtle movement",
        "a breeze",
        "the wind blows{v}",
        "a masterpiece in motion",
        "a peaceful scene",
        "it moves",
        "a windy day",
        "painting with motion",
    ),
    "still": (
        "nothing moves",
        "a still picture",
        "everything is still",
        "a frozen moment",
        "no motion",
        "a motionless scene",
        "standing still",
        "a photograph of a painting",
    ),
}
EFFECTS: tuple[str, ...] = tuple(PHRASES)

# Who does what, in sentences that name nothing of the above: what moves none of it is learnt too.
_WHO = (
    "a woman", "the old man", "two children", "the knight", "a king", "an angel", "the crowd",
    "the dancers", "soldiers", "a saint", "the girl with the pearl", "his wife", "her dress",
    "a horse", "the horses", "cows", "a white dog", "the cat", "sheep", "the lion", "a dragon",
    "the house", "a castle", "the bridge", "the mountain", "a town", "the tower", "a train",
    "a car", "the machine", "the clock", "an apple", "the face", "the curtain", "the camera",
    "the painting", "a robot", "the bread on the table",
)  # fmt: skip
_DOES = (
    "smiles", "turns around", "dances", "rides away", "runs", "jumps", "sings", "reads a book",
    "walks towards us", "fights", "talks", "eats", "sleeps", "looks up", "waves goodbye",
    "plays the lute", "zooms in", "pans to the left", "opens", "collapses", "grows",
    "turns to gold", "gallops", "grazes", "laughs", "prays", "works in the kitchen", "rotates",
    "changes colour", "explodes", "blinks", "comes closer",
)  # fmt: skip

# What an effect is called when the page lists what the miniature knows.
IDEAS: dict[str, str] = {
    "clouds": "clouds drifting", "billow": "skies swirling", "waves": "waves and ripples",
    "river": "rivers flowing", "waterfall": "waterfalls", "trees": "trees swaying",
    "grass": "grass and fields swaying", "boats": "boats sailing", "toss": "boats rocking",
    "birds": "birds flying", "flags": "flags waving", "smoke": "smoke rising",
    "fog": "fog drifting", "snow": "snow falling",
    "rain": "rain falling", "petals": "petals falling", "leaves": "leaves falling",
    "fire": "fire flickering", "sparks": "sparks flying", "stars": "stars twinkling",
    "glitter": "light on water", "rays": "sun rays", "alive": "gentle motion", "still": "stillness",
}  # fmt: skip

# Found in less than a third of the held-out pictures that show them: the page says so.
HARDLY: tuple[str, ...] = ("waterfall", "birds", "fire", "smoke")

# adverb -> factor on the motion's strength
SPEEDS: dict[str, float] = {
    "slowly": 0.55,
    "gently": 0.6,
    "softly": 0.6,
    "calmly": 0.6,
    "lazily": 0.5,
    "barely": 0.35,
    "quickly": 1.5,
    "fast": 1.6,
    "swiftly": 1.5,
    "wildly": 1.7,
    "strongly": 1.4,
    "violently": 1.8,
}
# direction -> unit vector (x to the right, y down) of where things go
DIRECTIONS: dict[str, tuple[float, float]] = {
    "to the left": (-1, 0),
    "leftwards": (-1, 0),
    "towards the left": (-1, 0),
    "from right to left": (-1, 0),
    "to the right": (1, 0),
    "rightwards": (1, 0),
    "towards the right": (1, 0),
    "from left to right": (1, 0),
}
AMOUNTS: dict[str, float] = {
    "light ": 0.35,
    "a little ": 0.35,
    "thin ": 0.35,
    "heavy ": 1.0,
    "thick ": 1.0,
    "dense ": 1.0,
}
_JOIN = (" and ", ", ", " while ", " as ", " and ")
_SUFFIX = ("",) * 6 + (
    ", oil painting",
    ", painting",
    " in a landscape painting",
    ", impressionist painting",
    ", masterpiece",
    ", highly detailed",
)


@dataclass(frozen=True)
class Wording:
    """One caption and what its words ask for.

    Attributes:
        text: the sentence.
        speed: factor on the motion's strength that its adverbs ask for, 1 when it has none.
        direction: -1 left, 1 right, 0 when no direction is named.
        amount: 0 to 1 for light or heavy snow, rain, mist...; 0.65 when it is not said.
    """

    text: str
    speed: float = 1.0
    direction: int = 0
    amount: float = 0.65


def vocabulary() -> dict[str, dict]:
    """Ideas and their captions without adverbs and directions, as ``Vocabulary`` reads them."""
    ideas: dict[str, dict] = {
        IDEAS[effect]: {"captions": [phrase.format(v="", d="", n="") for phrase in phrases]}
        for effect, phrases in PHRASES.items()
    }
    for effect in HARDLY:
        ideas[IDEAS[effect]]["hardly"] = True
    return ideas


def unrelated(rng: random.Random) -> Wording:
    """A sentence about people, animals, buildings or the camera: it moves nothing that we know."""
    parts = [f"{rng.choice(_WHO)} {rng.choice(_DOES)}" for _ in range(rng.choice((1, 1, 2)))]
    return Wording(rng.choice(_JOIN).join(parts) + rng.choice(_SUFFIX))


def caption(effects: Sequence[str], rng: random.Random) -> Wording:
    """A sentence that names these effects (keys of ``PHRASES``), in this order.

    At most one direction, one speed and one amount occur, so that a sentence has one meaning.
    """
    speed, direction, amount = 1.0, 0, 0.65
    worded = {"v": False, "d": False, "n": False}
    parts = []
    for effect in effects:
        phrase = rng.choice(PHRASES[effect])
        words = {"v": "", "d": "", "n": ""}
        if "{v}" in phrase and not worded["v"] and rng.random() < 0.4:
            adverb = rng.choice(tuple(SPEEDS))
            words["v"], speed, worded["v"] = f" {adverb}", SPEEDS[adverb], True
        if "{d}" in phrase and not worded["d"] and rng.random() < 0.45:
            place = rng.choice(tuple(DIRECTIONS))
            words["d"], direction, worded["d"] = f" {place}", DIRECTIONS[place][0], True
        if "{n}" in phrase and not worded["n"] and rng.random() < 0.5:
            adjective = rng.choice(tuple(AMOUNTS))
            words["n"], amount, worded["n"] = adjective, AMOUNTS[adjective], True
        parts.append(phrase.format(**words))
    text = parts[0]
    for part in parts[1:]:
        text += rng.choice(_JOIN) + part
    text += rng.choice(_SUFFIX)
    if rng.random() < 0.4:
        text = text[0].upper() + text[1:]
    if rng.random() < 0.3:
        text += "."
    return Wording(text, speed, direction, amount)
