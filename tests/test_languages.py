"""English and Chinese: the same keys and blanks, nothing left in English, every sentence known."""

from __future__ import annotations

import ast
import json
import pickle
import re
import string
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from fontTools.ttLib import TTFont

from awaken.backends import BACKENDS
from awaken.examples import load_index
from awaken.message import Message
from awaken.miniature.prompts_zh import SENTENCES, in_english
from awaken.miniature.reading import read
from awaken.proxies import PROXIES
from awaken.types import SETTINGS, Failed, RequestError
from awaken.ui import texts
from awaken.ui.page.language_switch import in_language
from awaken.ui.texts import lab_en, messages, prompt_reading, stage_words
from awaken.ui.texts.languages import current_language, use_language
from tests.page import served_page

ROOT = Path(__file__).parent.parent
TWINS = {
    "texts": (texts.LANGUAGES["en"], texts.LANGUAGES["zh"]),
    "laboratory_texts": (lab_en.ENGLISH, lab_en.CHINESE),
    "stage": (stage_words.ENGLISH, stage_words.CHINESE),
}
# Rooms that say nothing to a page, or in the page's own words.
UNHEARD = ("evaluate", "training", "models", "api", "server", "texts")
SAYING = {"Message": None, "AwakenError": None, "RequestError": None, "ModelError": None,
          "NumericsError": None}  # fmt: skip
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
            known = lab_en.ENGLISH if of_lab else texts.LANGUAGES["en"]
            text = known[call.args[0].value]
            values = {keyword.arg for keyword in call.keywords}
            if values and None not in values:  # without values the browser's script fills it in
                assert values == _blanks(text), f"{path.name}: {ast.unparse(call)}"
                checked += 1
    assert checked > 50


def test_messages_keep_their_blanks():
    for entry in messages.catalogue("zh"):
        if entry.id:
            assert entry.string and not entry.fuzzy, entry.id
            assert _blanks(entry.string) <= _blanks(entry.id), entry.id


def _blanks(text: str) -> set[str]:
    try:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError:  # a brace that stands for itself
        return set()


def test_the_catalogue_holds_what_the_rooms_below_say_and_nothing_else():
    """Templates by Babel's own extraction; names that only tables hold, by these tables."""
    found = extract_from_dir(
        ROOT / "awaken", [("**.py", "python")], keywords=SAYING, comment_tags=(),
        directory_filter=lambda folder: Path(folder).name not in UNHEARD,
    )  # fmt: skip
    said = {row[2] for row in found if row[0] not in ("__main__.py", "bench.py")}
    known = {entry.id for entry in messages.catalogue("zh") if entry.id}
    assert said - known == set(), "these need their Chinese in awaken/ui/texts/zh.po"
    ideas = json.loads((ROOT / "assets" / "miniature" / "captions.json").read_text("utf-8"))
    named = {*ideas, *SETTINGS, *map(repr, SETTINGS), *_names_of_models(), *_names_of_pictures()}
    named |= {row.called for row in SETTINGS.values()} | {"painting", "proxy image"}
    assert known - said - named == set(), "these entries of zh.po are said no more"


def _names_of_models() -> Iterator[str]:
    """What specs say of themselves, with the values of their messages."""
    for spec in (*BACKENDS.values(), *PROXIES.values()):
        own = [spec.title, spec.summary, spec.needs, spec.code_licence, spec.weight_licence]
        own += [*getattr(spec, "presets", {}), getattr(spec, "learnt_from", "")]
        own += [text for option in spec.options.values() for text in (option.label, option.help)]
        for text in own:
            yield text
            for value in getattr(text, "values", {}).values():
                yield from value if isinstance(value, tuple) else (value,)


def _names_of_pictures() -> Iterator[str]:
    for example in load_index():
        yield from (example.title, example.artist, example.year, example.licence)
        yield example.failure or ""


def _told(sentence: str) -> str:
    with use_language("zh"):
        return messages.translate(sentence)


def _chinese(text: str) -> bool:
    return re.search(r"[\u4e00-\u9fff]", text) is not None


def test_a_message_is_told_with_its_values():
    choices = Message("There is no {name} called {value!r}; choose one of {choices}.",
                      name="variant", value="x", choices=["a", "b"])  # fmt: skip
    assert choices == "There is no variant called 'x'; choose one of a, b."
    assert _told(choices) == "没有名为 'x' 的变体；请从中选择：a、b。"
    with pytest.raises(RequestError) as refused:
        SETTINGS["steps"].check("steps", 1)
    assert (
        str(refused.value) == "The setting 'steps' is 1; it must be a whole number from 2 to 100."
    )
    assert _told(refused.value.message) == "“去噪步数”现为 1；它必须是 2 到 100 之间的整数。"
    assert _told("Nobody has foreseen this {sentence.") == "Nobody has foreseen this {sentence."
    assert messages.translate(choices) == choices


def test_a_message_travels_between_processes():
    """As ZeroGPU sends events: the template arrives too."""
    inner = Message("{count:.0f} px right", count=3.2)
    sent = Failed("request", Message("{title}: {why}", title="Miniature", why=inner))
    came = pickle.loads(pickle.dumps(sent)).message
    assert came == "Miniature: 3 px right" and _told(came) == "微缩模型：偏右 3 像素"


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
    assert prompt_reading.remark(prompt, "cinemo", "qwen_image_edit") == ""
    assert prompt_reading.remark("the clouds drift", "miniature", "miniature") == ""
    assert "the clouds drift" in prompt_reading.remark(prompt, "miniature", "miniature")
    assert read(prompt).moving == "the clouds drift across the sky"
    assert (
        read("少女在风中回眸").moving == "少女在风中回眸"
    )  # what is not understood stays as it is


def _texts() -> Iterator[Path]:
    return (p for p in (ROOT / "awaken").rglob("*.*") if p.suffix in (".py", ".po"))


def test_our_font_has_every_character_of_the_texts():
    known = TTFont(ROOT / "assets" / "fonts" / "noto-sans-sc.woff2").getBestCmap()
    used = {c for path in _texts() for c in path.read_text("utf-8")}
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
    found = read(chinese)
    assert (found.moving, "; ".join(found.still)) == (moving, still)
