"""Chinese prompts and the English ones that the miniature reads.

``in_english`` is a small dictionary, no translator: whole sentences that the page itself offers, and
clauses made of the things, movements, manners, places and directions that the miniature was taught.
What it does not know it names, so that the page can say so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from awaken.types import MAX_PROMPT

_Meaning = TypeVar("_Meaning")

# The page's own suggestions and the prompts of the bundled pictures, word for word.
SENTENCES: dict[str, str] = {
    "云朵飘过天空": "the clouds drift across the sky",
    "流水潺潺": "the water flows",
    "海浪涌向岸边": "waves roll towards the shore",
    "树木在风中摇曳": "the trees sway in the wind",
    "青草在微风中起伏": "the grass ripples in the breeze",
    "小船向前滑行": "the boat glides forward",
    "烟缓缓升起": "smoke rises slowly",
    "星空旋转": "the starry sky swirls",
    "星星在夜空中闪烁": "the stars twinkle in the night sky",
    "波涛翻滚，大海汹涌": "waves roll and the sea surges",
    "小船随浪漂流": "the boats drift on the waves",
    "水波荡漾，小船漂流": "the water ripples, boats drift",
    "水面轻轻荡漾": "the water ripples gently",
    "薄雾飘过港湾": "mist drifts over the harbour",
    "云朵翻卷，麦田在风中起伏": "clouds swirl and the wheat sways in the wind",
    "麦浪在风中起伏": "the wheat field waves in the wind",
    "大海起伏，云朵飘过天空": "the sea heaves and the clouds drift across the sky",
    "云飘动，溪水流淌": "clouds drift, the stream flows",
    "树木在微风中摇曳": "the trees sway in the breeze",
    "溪水流淌": "the stream flows",
    "红色的天空缓缓旋动": "the red sky swirls slowly",
    "桥后的水在流": "the water flows behind the bridge",
    "水面泛起涟漪": "the water ripples",
    "柳树在微风中摇曳": "the willow sways in the breeze",
    "乌云飘动，海浪翻滚": "storm clouds drift and the waves roll",
    "海浪拍打礁石": "waves break on the rocks",
    "船只在风暴中颠簸": "the ships pitch in the storm",
    "火山火花飞溅": "the volcano throws sparks",
    "火花从火中升起": "sparks rise from the fire",
    "烟从火山升起": "smoke rises from the volcano",
    "云飘动，树叶颤动": "clouds drift and the leaves tremble",
    "河水流淌": "the river flows",
    "云朵飘过夜空": "clouds drift across the night sky",
    "月光在河面闪烁": "moonlight shimmers on the river",
    "青草在风中摇曳": "the grass sways in the wind",
    "湖面泛起涟漪": "the lake ripples",
    "花朵在风中摇曳": "the flowers sway in the wind",
    "树叶在微风中摇曳": "the leaves sway in the breeze",
    "星星闪烁": "the stars twinkle",
    "一位女子走过桥": "a woman walks across the bridge",
    "日落时，波涛翻滚，大海汹涌": "waves roll and the sea surges at sunset",
    "白天阳光下，树木摇曳，云飘动": "the trees sway and the clouds drift on a bright day",
    "金色的光里，花瓣飘落": "petals fall in golden light",
    "夜里，火山冒烟": "smoke pours from the volcano at night",
    "日出时，水波荡漾，小船漂流": "the water ripples and the boats drift at sunrise",
    "阳光下，云飘动，树叶颤动": "clouds drift and the leaves tremble in the sun",
    "让画活起来": "the painting comes alive",
    "让画动起来": "make it move",
    "烟囱冒烟": "smoke rises from the chimney",
    "风吹麦浪": "the wheat field waves in the wind",
}


def _by_word(table: Mapping[str, _Meaning]) -> dict[str, _Meaning]:
    """Words that mean the same stand in one key, between spaces; here each has its own."""
    return {word: meaning for words, meaning in table.items() for word in words.split()}


# Things: Chinese words -> (English, its verb ends in -s, the movement when none is named).
_THINGS: Mapping[str, tuple[str, bool, str]] = _by_word(
    {
        "乌云 暴风云": ("the storm clouds", False, "drift"),
        "白云": ("white clouds", False, "drift"),
        "云朵 云彩 浮云 云": ("the clouds", False, "drift"),
        "星空": ("the starry sky", True, "swirl"),
        "天空 天": ("the sky", True, "move"),
        "海浪 波浪 波涛 浪花 巨浪 浪": ("the waves", False, "roll"),
        "大海 海水 海面 海": ("the sea", True, "heave"),
        "湖水 湖面 湖": ("the lake", True, "ripple"),
        "池水 池塘 水池": ("the pond", True, "ripple"),
        "水面 水波 涟漪": ("the water", True, "ripple"),
        "河水 河流 江水 河 江": ("the river", True, "flow"),
        "溪水 小溪 溪流 溪": ("the stream", True, "flow"),
        "流水 水流 水": ("the water", True, "flow"),
        "瀑布": ("the waterfall", True, "pour down"),
        "落叶": ("autumn leaves", False, "fall"),
        "树叶 叶子": ("the leaves", False, "sway"),
        "树枝 枝条": ("the branches", False, "move"),
        "柳树 垂柳 杨柳 柳": ("the willow", True, "sway"),
        "柏树 丝柏": ("the cypresses", False, "bend"),
        "树林 森林": ("the forest", True, "move"),
        "树木 大树 树": ("the trees", False, "sway"),
        "麦田 麦浪 麦子 稻田": ("the wheat field", True, "wave"),
        "芦苇": ("the reeds", False, "sway"),
        "草地 草原 草丛 青草 小草 草": ("the grass", True, "sway"),
        "花瓣": ("petals", False, "fall"),
        "花朵 鲜花 花": ("the flowers", False, "sway"),
        "帆船": ("the sailing boat", True, "move"),
        "渔船": ("the fishing boats", False, "sail"),
        "小船 船只 小舟 轻舟 船 舟": ("the boat", True, "sail"),
        "海鸥": ("seagulls", False, "fly"),
        "鸟儿 小鸟 飞鸟 鸟": ("the birds", False, "fly"),
        "旗帜 旗子 旗": ("the flag", True, "wave"),
        "炊烟": ("smoke from the chimney", True, "rise"),
        "烟雾 浓烟 烟云 烟": ("smoke", True, "rise"),
        "蒸汽 热气": ("steam", True, "rise"),
        "晨雾": ("morning mist", True, "float"),
        "大雾 浓雾 雾气 雾": ("fog", True, "drift"),
        "薄雾 云雾 轻雾 岚": ("mist", True, "drift"),
        "大雪": ("heavy snow", True, "fall"),
        "雪花 飞雪 雪": ("snow", True, "fall"),
        "大雨 暴雨": ("heavy rain", True, "fall"),
        "细雨 小雨": ("light rain", True, "fall"),
        "雨点 雨水 雨": ("rain", True, "fall"),
        "火焰 火苗": ("the flames", False, "flicker"),
        "烛光 蜡烛 烛火": ("the candle", True, "flicker"),
        "篝火 火": ("the fire", True, "burn"),
        "火花 火星": ("sparks", False, "fly"),
        "萤火虫": ("fireflies", False, "float"),
        "星星 繁星 星光 群星": ("the stars", False, "twinkle"),
        "月光": ("the moonlight", True, "shimmer on the water"),
        "波光": ("the water", True, "shimmer"),
        "阳光 日光": ("the sunlight", True, "shift"),
        "火山": ("the volcano", True, "smoke"),
        "微风 清风": ("a breeze", True, "blow"),
        "狂风 大风 风": ("the wind", True, "blow"),
        "一切 万物 整幅画 画面 画": ("everything", True, "move"),
    }
)
# Movements: Chinese words -> an English verb.
_MOVES: Mapping[str, str] = _by_word(
    {
        "飘动 飘浮 漂浮 漂流 飘荡 飘移 飘 漂": "drift",
        "流动 流淌 奔流 流过 流": "flow",
        "翻滚 翻涌 滚动 涌动": "roll",
        "汹涌 咆哮": "surge",
        "起伏": "heave",
        "翻卷 旋转 旋动 盘旋 打旋": "swirl",
        "荡漾 泛起": "ripple",
        "摇曳 摇摆 摇动 摆动 晃动": "sway",
        "颤动 抖动": "tremble",
        "升起 上升 升腾 冒": "rise",
        "飘落 落下 降下 洒落 下落 下着 下 落": "fall",
        "闪烁 闪耀 闪": "twinkle",
        "闪动 波动": "shimmer",
        "跳动 跃动": "flicker",
        "燃烧": "burn",
        "飞翔 飞过 飞舞 飞": "fly",
        "航行 行驶 驶过 驶": "sail",
        "滑行": "glide",
        "飘扬 招展": "wave",
        "吹过 吹动 吹拂 吹": "blow",
        "倾泻 奔泻": "pour down",
        "移动 动": "move",
    }
)
_MANNERS: Mapping[str, str] = _by_word(
    {
        "缓缓 慢慢 缓慢 徐徐 悠悠": "slowly",
        "轻轻 微微 轻柔 柔和 温柔": "gently",
        "静静 悄悄": "calmly",
        "快速 飞快 迅速 很快": "quickly",
        "猛烈 剧烈 狂暴": "violently",
        "疯狂": "wildly",
        "强烈 用力": "strongly",
    }
)
_PLACES: Mapping[str, str] = {
    "在风中": "in the wind", "随风": "in the wind", "迎风": "in the wind",
    "在微风中": "in the breeze", "在天上": "across the sky", "在空中": "in the sky",
    "在天空中": "across the sky", "过天空": "across the sky", "过夜空": "across the night sky",
    "在夜空中": "in the night sky", "天空中": "in the sky", "夜空中": "in the night sky",
    "天上": "in the sky", "空中": "in the air", "水面上": "on the water", "湖面上": "on the lake",
    "海面上": "on the sea", "河面上": "on the river", "在水面上": "on the water", "在水上": "on the water",
    "在海上": "on the sea", "在湖上": "on the lake", "在河上": "on the river",
    "拍打岸边": "against the shore", "向岸边": "towards the shore", "向远方": "towards the distance",
    "向前": "forward",
    "从左向右": "from left to right", "从右向左": "from right to left", "由左向右": "from left to right",
    "由右向左": "from right to left", "从右边": "to the left", "从右": "to the left", "从左边": "to the right", "从左": "to the right",
    "向左": "to the left", "往左": "to the left",
    "向右": "to the right", "往右": "to the right",
}  # fmt: skip
_SILENT = set("的地得着了在里中上边面起来一这那让使正也都会把片阵朵只条叶片。 　")
_CLAUSES = re.compile(r"[，,。；;、！!？?\n]+|同时|并且|而且|以及|和|与|并")
# Escapes are of characters that the page never shows, so that its font need not have them.
_UNCEASING = re.compile("从?不(?:停|断|\u606f|止|住|绝)(?:地|的)?")
_STILL = re.compile(
    "(?:一动|\u7eb9丝|保持)?不动|静止|平静|停止|停下|\u51dd固|定住|保持|不要|不许|不会|不能|不再|没有|(?<!特)别(?![的人处])|不(?![同少远时但])|没"
)
_EXCEPT = re.compile(
    "除了?(.+?)(?:之外|以外|外)?[，,、 ]*((?:其他|其它|别的|一切|所有|什么|全|都).*)"
)
_LATIN = re.compile(r"[A-Za-z][A-Za-z'’ -]*")
_CHINESE = re.compile(r"[\u3400-\u9fff]")


def is_chinese(prompt: str) -> bool:
    """Whether any part of a prompt is written in Chinese characters."""
    return bool(_CHINESE.search(prompt))


def in_english(prompt: str) -> tuple[str, list[str]]:
    """What the miniature reads for a Chinese prompt, and the words that are not in the dictionary.

    "" when nothing at all was understood.
    """
    whole = prompt.strip().rstrip("。.！!")
    if whole in SENTENCES:
        return SENTENCES[whole], []
    clauses, unknown, still = [], [], False
    if excepted := _EXCEPT.fullmatch(whole):
        thing = _clause(excepted[1], still=True)[0].rpartition(" stay")[0]
        if thing:
            head = "nothing moves" if _STILL.search(excepted[2]) else "everything moves"
            return f"{head} except {thing}", []
    for part in reversed([part for part in _CLAUSES.split(whole) if part.strip()]):
        own = " ".join(words.strip() for words in _LATIN.findall(part))
        part = _UNCEASING.sub(" ", _LATIN.sub("", part))
        # "the clouds and the trees do not move": the first has no movement of its own
        still = bool(_STILL.search(part)) or (still and _only_a_thing(part))
        english, strange = (SENTENCES[part], []) if part in SENTENCES else _clause(part, still)
        clauses[:0] = [words for words in (own, english) if words]
        unknown[:0] = strange
    told = list(dict.fromkeys(clauses))
    while len(" and ".join(told)) > MAX_PROMPT:
        told.pop()
    return " and ".join(told), unknown


def in_chinese(prompt: str) -> str | None:
    """The Chinese for a prompt that the page itself offers; None for any other."""
    return _BACK.get(prompt)


_BACK = {english: chinese for chinese, english in SENTENCES.items()}
_LEXICON: dict[str, tuple[str, str]] = (
    {word: ("thing", word) for word in _THINGS}
    | {word: ("move", verb) for word, verb in _MOVES.items()}
    | {word: ("manner", manner) for word, manner in _MANNERS.items()}
    | {word: ("place", place) for word, place in _PLACES.items()}
)
_LONGEST = max(map(len, _LEXICON))


def _only_a_thing(text: str) -> bool:
    return any(text.strip().endswith(word) for word in _THINGS) and not any(
        word in text for word in _MOVES
    )


def _clause(text: str, still: bool = False) -> tuple[str, list[str]]:
    """One clause, by the longest words first: thing, movement, manner, place.

    still: the thing is not to move.
    """
    text = _STILL.sub("", text) if still else text
    found: dict[str, str] = {}
    unknown, strange, at = [], "", 0
    while at < len(text):
        word = next(
            (text[at : at + n] for n in range(_LONGEST, 0, -1) if text[at : at + n] in _LEXICON), ""
        )
        if word:
            kind, meaning = _LEXICON[word]
            if kind != "thing" or "move" not in found:  # what moves stands before its movement
                found[kind] = meaning
            found.setdefault(kind, meaning)
            at += len(word)
        elif text[at] not in _SILENT:
            strange += text[at]
            at += 1
            continue
        else:
            at += 1
        unknown += [strange] if strange else []
        strange = ""
    unknown += [strange] if strange else []
    if "thing" not in found:
        return "", [text] if found or unknown else []
    thing, one, move = _THINGS[found["thing"]]
    if still:
        return f"{thing} {'stays' if one else 'stay'} still", unknown
    place = found.get("place", "")
    place = "" if place.endswith(thing.split()[-1]) else place  # the water ... on the water
    words = [thing, _verb(found.get("move", move), one), found.get("manner"), place]
    return " ".join(filter(None, words)), unknown


def _verb(verb: str, one: bool) -> str:
    """A verb as its thing needs it: the clouds drift, the water flows."""
    first, space, rest = verb.partition(" ")
    ending = "s" if not first.endswith(("h", "s", "x")) else "es"
    ending = "ies" if first == "fly" else ending
    stem = first[:-1] if first == "fly" and one else first
    return f"{stem}{ending if one else ''}{space}{rest}"
