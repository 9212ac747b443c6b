"""The arms: those of Table 1, and the method with other settings (Fig. 6 to 8)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from awaken.types import ALPHA_KINDS, BOUNDS, SETTINGS, VARIANTS, RequestError

METHOD = "+V&S"
GROUPS: dict[str, tuple[str, ...]] = {
    "table1": tuple(VARIANTS),
    "fig6": tuple(f"alpha={kind}" for kind in ALPHA_KINDS),
    "fig7": ("p=0.2", "p=0.4", "p=0.6", "p=0.8", "p=1"),
    "fig8": ("proxy=sdxl_refiner", "proxy=invsr", "proxy=masactrl"),
}
_SLUGS = {"baseline": "baseline", "+V": "V", "+S": "S", "+V&U": "VU", METHOD: "VS"}
_NUMBERS = (*BOUNDS, "motion")
_CHOICES = ("alpha", "proxy", "start")
_TEXTS = ("negative_prompt", "proxy_template")  # of the whole protocol only: no folder's name


@dataclass(frozen=True)
class Arm:
    """A variant of Table 1 and the settings in which it differs from the protocol's."""

    variant: str
    changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """For people and JSON: "+V&S", "p=0.4"."""
        if not self.changes:
            return self.variant
        given = " ".join(f"{k}={_short(v)}" for k, v in self.changes.items())
        return given if self.variant == METHOD else f"{self.variant} {given}"

    @property
    def slug(self) -> str:
        """For a folder: "VS", "VS_p=0.4"."""
        given = [f"{k}={_short(v)}" for k, v in self.changes.items()]
        return "_".join([_SLUGS[self.variant], *given])


def parse(words: Iterable[str], settings: Mapping[str, Any]) -> list[Arm]:
    """Arms from the command line: groups, variants, and "NAME=VALUE[,NAME=VALUE]" of the method
    (start=noise: of the baseline).

    settings: the protocol's own; an arm that changes nothing of them is the method itself, and no
    arm stands there twice. The baseline comes first: it shares its stages with all others.

    Raises:
        RequestError: a word that is none of these.
    """
    arms = {"baseline": Arm("baseline")}
    for word in (w for name in words for w in GROUPS.get(name, (name,))):
        if word in VARIANTS:
            arm = Arm(word)
        elif "=" in word:
            given = dict(setting(part, _CHOICES) for part in word.split(","))
            # Only the baseline reads where it starts from.
            variant = "baseline" if given.keys() == {"start"} else METHOD
            arm = Arm(variant, {k: v for k, v in given.items() if v != _now(k, settings)})
        else:
            known = ", ".join((*GROUPS, *VARIANTS))
            raise RequestError(f"There is no arm {word!r}; choose {known}, or NAME=VALUE.")
        arms.setdefault(arm.slug, arm)
    return list(arms.values())


def setting(text: str, words: tuple[str, ...] = (*_CHOICES, *_TEXTS)) -> tuple[str, Any]:
    """NAME=VALUE of a run. Raises RequestError for what an evaluation cannot set."""
    name, _, value = text.partition("=")
    name = name.strip().replace("-", "_")
    if name in words:
        return name, value
    if name not in _NUMBERS or name == "seed":
        choices = ", ".join(sorted({*words, *_NUMBERS} - {"seed"}))
        raise RequestError(f"There is no setting {name!r}; choose one of {choices}.")
    try:
        number = float(value)
    except ValueError:
        raise RequestError(f"Write NAME=NUMBER; {text!r} is not.") from None
    return name, int(number) if number.is_integer() else number


def _now(name: str, settings: Mapping[str, Any]) -> Any:
    return settings.get(name, SETTINGS[name].default)


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)
