"""English and Chinese: the same keys and blanks, nothing left in English, every sentence known."""

from __future__ import annotations

import ast
import json
import re
import string
import threading
import urllib.request
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from awaken.backends import BACKENDS
from awaken.examples import load_index
from awaken.miniature.reading import read
from awaken.proxies import PROXIES
from awaken.ui import texts
from awaken.ui.page.language_switch import in_language
from awaken.ui.texts import lab_en, messages, page_en, prompt_reading, stage_words
from awaken.ui.texts.languages import current_language, use_language
from awaken.ui.texts.prompts_zh import SENTENCES, in_english
from tests.page import served_page

ROOT = Path(__file__).parent.parent
TWINS = {
    "texts": (page_en.ENGLISH, texts.CHINESE),
    "laboratory_texts": (lab_en.ENGLISH, lab_en.CHINESE),
    "stage": (stage_words.ENGLISH, stage_words.CHINESE),
}
# Rooms whose words no page shows: the command lines, training, the networks, the Space's check.
SILENT = (
    "ui", "models", "__main__", "bench", "examples", "report", "train", "training",
    "bank", "labels", "scenes", "evaluate",
)  # fmt: skip
# Callables whose words go to a programmer or a log.
UNHEARD = {
    "ValueError", "TypeError", "AssertionError", "AttributeError", "OSError", "FileNotFoundError",
    "RuntimeError", "info", "warning", "exception", "add_argument", "setting",
}  # fmt: skip
UNSHOWN = (  # sentences that models read, bundles carry, or only the Space's check prints
    "Same painting a few seconds later", "Photo-realistic, 8k", "Made with an independent",
    "README.md", "The front matter", "The Space would", "Put python_version", "Python <", "There is no "
    "requirements", "Ready to be pushed", "Not ready", "All ", "The Hub refuses", "<1> is <2>; it must be one of", "<1> files,",
)  # fmt: skip
# Names and signs that stay as they are in Chinese.
NAMES = re.compile(
    r"AnimateAnything|ConsistI2V|Cinemo|I4VGen|SDXL Refiner|SDXL|InvSR|MasaCtrl|SD-Turbo|InstructPix2Pix|"
    r"Z-Image-Turbo|FLUX\.2 klein 4B|Qwen-Image-Edit 2511|Stable Diffusion|Stable Video Diffusion XT|"
    r"Wan 2\.\d [A-Z0-9]+-[A-Z0-9]+|LTX-Video 2B( 0\.9\.5)?|AnimateDiff with SparseCtrl|HunyuanVideo-1\.5|"
    r"CogVideoX 1\.5 5B|SkyReels-V2 1\.3B|I2VGen-XL|Sana-Video 2B|LTX-2|PIA|ModelScope text-to-video|"
    r"Every Painting Awakened: A Training-free Framework for Painting-to-Animation Generation|"
    r"CreativeML Open ?RAIL(\+\+)?-M|OpenRAIL\+\+-M|OpenRAIL-M|Stability AI Community License|"
    r"NTU S-Lab License 1\.0|Apache-2\.0 \(diffusers\)|"
    r"English|This page in English|[Hh]ubble|NASA|danielbuechele|vultilion|Flickr"
)
ENGLISH_WORDS = re.compile(r"[A-Za-z][a-z'’]+(?:[ ,]+[A-Za-z][a-z'’]+){2,}")


@pytest.mark.parametrize("room", TWINS)
def test_both_languages_have_the_same_keys_and_blanks(room):
    english, chinese = TWINS[room]
    assert english.keys() - chinese.keys() == set(), "these keys need a Chinese text"
    assert chinese.keys() - english.keys() == set(), "these Chinese texts have no English key"
    for key, text in english.items():
        assert _blanks(text) == _blanks(chinese[key]), key


def test_every_text_is_given_exactly_the_values_that_it_has_blanks_for():
    """By the source: wherever ``say`` is called with a key and values."""
    checked = 0
    for path in sorted((ROOT / "awaken" / "ui").rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        modules = {
            a.name: n.module
            for n in ast.walk(tree)
            if isinstance(n, ast.ImportFrom)
            for a in n.names
        }
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            words = ast.unparse(call.func)
            if words not in ("say", "texts.say") or not isinstance(call.args[0], ast.Constant):
                continue
            of_lab = words == "say" and modules["say"].endswith("lab_en")
            text = (lab_en if of_lab else page_en).ENGLISH[call.args[0].value]
            values = {keyword.arg for keyword in call.keywords}
            if values and None not in values:  # without values the browser's script fills it in
                assert values == _blanks(text), f"{path.name}: {ast.unparse(call)}"
                checked += 1
    assert checked > 50


def test_sentences_from_below_keep_their_blanks():
    for english, chinese in messages.SENTENCES.items():
        assert _blanks(chinese) <= _blanks(english), english


def _blanks(text: str) -> set[str]:
    try:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError:  # a brace that stands for itself
        return set()


def test_every_sentence_from_below_is_known_in_chinese():
    """By the source: whatever a room below can say has its Chinese, with any filling."""
    unknown = []
    for path in sorted((ROOT / "awaken").rglob("*.py")):
        if not set(SILENT) & {path.stem, *path.relative_to(ROOT).parts}:
            for sentence in _sentences(ast.parse(path.read_text("utf-8"))):
                if not sentence.startswith(UNSHOWN) and not _chinese(_told(sentence)):
                    unknown.append(f"{path.name}: {sentence}")
    assert not unknown, "these need a Chinese twin in awaken/ui/texts/messages_zh.py"


def _told(sentence: str) -> str:
    with use_language("zh"):
        return messages.translate(sentence)


def _chinese(text: str) -> bool:
    return re.search(r"[\u4e00-\u9fff]", text) is not None


def _sentences(node: ast.AST) -> list[str]:
    """Strings that read as sentences; a blank of an f-string becomes <1>, <2>, ..."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return []  # a docstring
    if isinstance(node, ast.Call):
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name in UNHEARD:
            return []
    text = _text(node)
    if text is not None:
        spoken_to_people = re.match(r"[A-Z<]", text) and re.search(r"[.…]$|\. ", text.strip())
        return [text] if spoken_to_people and text.count(" ") > 1 else []
    return [s for child in ast.iter_child_nodes(node) for s in _sentences(child)]


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        blanks = iter(range(1, 100))
        return "".join(
            str(v.value) if isinstance(v, ast.Constant) else f"<{next(blanks)}>"
            for v in node.values
        )
    return None


def test_a_sentence_is_told_with_its_filling():
    assert _told("There is no variant called 'x'; choose one of a, b.") == (
        "没有名为 'x' 的变体；请从中选择：a, b。"
    )
    assert _told("The setting 'steps' is 1; it must be a whole number from 2 to 100.") == (
        "“去噪步数”现为 1；它必须是 2 到 100 之间的整数。"
    )
    assert "、" in _told(
        "The miniature has hardly learnt waterfalls, birds flying: expect little of it."
    )
    assert _told("Nobody has foreseen this sentence.") == "Nobody has foreseen this sentence."
    assert messages.translate("Nothing.") == "Nothing."


def test_everything_that_models_say_of_themselves_is_known_in_chinese():
    for spec in (*BACKENDS.values(), *PROXIES.values()):
        told = [spec.summary, spec.needs, *spec.__dict__.get("presets", {})]
        for option in spec.options.values():
            told += [option.label, option.help] if option.help else [option.label]
        for sentence in filter(None, told):
            assert _chinese(_told(sentence)), sentence


def test_everything_about_the_bundled_pictures_is_known_in_chinese():
    for example in load_index():
        for text in (example.title, example.failure or "大"):
            assert _chinese(_told(text)), text
        for prompt in (example.prompt, *example.suggestions):
            assert prompt in SENTENCES.values(), prompt


def test_the_chinese_page_holds_no_english_sentence():
    """Every text that the built page sends, names and licences aside."""
    url = served_page().url
    html = urllib.request.urlopen(url + "zh").read().decode()
    config = json.loads(re.search(r"window\.gradio_config = (\{.*?\});</script>", html)[1])
    left = []
    for component in config["components"]:
        for text in _visible(component["props"]):
            for reading in SENTENCES.values():  # what a model read, beside the words for it
                text = text.replace(f"（{reading}）", "")
            plain = re.sub(r"https?://\S+|`[^`]*`|```.*?```", "", NAMES.sub("", text), flags=re.S)
            left += ENGLISH_WORDS.findall(plain)
    assert not left


def _visible(props: dict) -> list[str]:
    shown = [props.get(name) for name in ("label", "info", "placeholder")]
    value = props.get("value")
    words = re.match(r"const (?:texts|words) = (\{.*?\});", props.get("js_on_load") or "")
    shown += [value, props.get("words"), [c[0] for c in props.get("choices") or []]]
    shown += [json.loads(words[1])] if words else []
    return [text for text in _strings(shown) if "/" not in text.split(" ")[0]]


def _strings(value) -> list[str]:
    if isinstance(value, dict):
        hidden = ("licence", "credit", "url", "path", "files", "thumb", "id", "read")
        return [s for k, v in value.items() if k not in hidden for s in _strings(v)]
    if isinstance(value, list | tuple):
        return [s for v in value for s in _strings(v)]
    return [value] if isinstance(value, str) else []


def test_a_generator_speaks_its_language_on_every_thread():
    def moments():
        while True:
            yield current_language()

    steps, heard = in_language("zh", moments)(), []
    for _ in range(3):
        taking = threading.Thread(target=lambda: heard.append(next(steps)))
        taking.start()
        taking.join()
    assert heard == ["zh"] * 3
    assert current_language() == "en"


def test_closing_a_generator_closes_what_it_wraps():
    ended = []

    def moments():
        try:
            yield 1
        finally:
            ended.append(True)

    steps = in_language("zh", moments)()
    next(steps)
    steps.close()
    assert ended


@pytest.mark.parametrize(
    "chinese, english, unknown",
    [
        ("云朵飘过天空", "the clouds drift across the sky", []),
        ("河水缓缓流淌。", "the river flows slowly", []),
        (
            "树叶轻轻摇曳，白云向左飘动",
            "the leaves sway gently and white clouds drift to the left",
            [],
        ),
        ("下大雪，夜空中星星闪烁", "heavy snow falls and the stars twinkle in the night sky", []),
        ("水面上波光闪动", "the water shimmers", []),
        ("云飘动，云飘动，云飘动", "the clouds drift", []),
        ("火焰跳动和烟缓缓升起", "the flames flicker and smoke rises slowly", []),
        ("蝴蝶飞舞，云飘动", "the clouds drift", ["蝴蝶飞舞"]),
        ("少女在风中回眸", "", ["少女在风中回眸"]),
    ],
)
def test_a_chinese_prompt_of_known_words_becomes_english(chinese, english, unknown):
    assert in_english(chinese) == (english, unknown)


def test_only_the_miniature_needs_english():
    prompt = "云朵飘过天空"
    assert (
        prompt_reading.for_models(prompt, "miniature", "miniature")
        == "the clouds drift across the sky"
    )
    assert (
        prompt_reading.for_models(prompt, "miniature", "upload")
        == "the clouds drift across the sky"
    )
    assert prompt_reading.for_models(prompt, "cinemo", "qwen_image_edit") == prompt
    assert prompt_reading.remark("the clouds drift", "miniature", "miniature") == ""
    assert "the clouds drift" in prompt_reading.remark(prompt, "miniature", "miniature")


def test_our_font_has_every_character_of_the_texts():
    known = TTFont(ROOT / "assets" / "fonts" / "noto-sans-sc.woff2").getBestCmap()
    used = {c for path in (ROOT / "awaken" / "ui").rglob("*.py") for c in path.read_text("utf-8")}
    needed = {c for c in used if ord(c) >= 0x2E80}
    assert len(needed) > 500
    missing = "".join(sorted(c for c in needed if ord(c) not in known))
    assert not missing, "make assets/fonts/noto-sans-sc.woff2 anew: see the README beside it"


@pytest.mark.parametrize(
    ("chinese", "moving", "still"),
    [
        ("云不动", "", "the clouds"),
        ("云朵静止，水在流", "the water flows", "the clouds"),
        ("不要让云动", "", "the clouds"),
        ("别让云飘", "", "the clouds"),
        ("湖面平静", "", "the lake"),
        ("没有波浪", "", "the waves"),
        ("树一动不动", "", "the trees"),
        ("云和树不动", "", "the clouds; the trees"),
        ("船航行，云不动", "the boat sails", "the clouds"),
        ("除了天空，一切都动", "everything moves", "the sky"),
        ("除了小船以外都不动", "the boat moves", ""),
        ("波浪不停地翻滚", "the waves roll", ""),
        ("水不断流淌", "the water flows", ""),
        ("不同的云飘动", "the clouds drift", ""),
        ("云从右边飘来", "the clouds drift to the left", ""),
        ("clouds drift over the sea，水不动", "clouds drift over the sea", "the water"),
        ("the clouds drift 云", "the clouds drift", ""),
    ],
)
def test_chinese_says_what_stays_still(chinese, moving, still):
    """Through the dictionary and the reader of English sentences, as a run takes it."""
    found = read(in_english(chinese)[0])
    assert (found.moving, "; ".join(found.still)) == (moving, still)
