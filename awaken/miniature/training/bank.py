"""Captions with their word vectors, made once: training needs no text encoder in its loop.

``python -m awaken.miniature.training.bank --out FILE.npz`` makes one. A bank holds several
captions for every effect and every ordered pair of effects, as int8 with one scale per word piece,
padding left out (about 20 MB for 5,000 captions).
"""

from __future__ import annotations

import argparse
import itertools
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from awaken.miniature.training.captions import EFFECTS, Wording, caption, unrelated
from awaken.miniature.training.repaint import LIGHTS

_ALONE = ("alive", "still")
_OTHER = ("other",)


class Bank:
    """wordings: the captions; words (n, 20, 384) float16 and present (n, 20) bool, by caption."""

    def __init__(
        self,
        keys: Sequence[tuple[str, ...]],
        wordings: Sequence[Wording],
        words: torch.Tensor,
        present: torch.Tensor,
    ) -> None:
        self.keys, self.wordings = list(keys), list(wordings)
        self.words, self.present = words, present
        self._by_key: dict[tuple[str, ...], list[int]] = {}
        self._by_text = {w.text: i for i, w in enumerate(self.wordings)}
        for i, key in enumerate(self.keys):
            self._by_key.setdefault(key, []).append(i)

    @classmethod
    def make(cls, singles: int, pairs: int, others: int = 0, lit: int = 0, seed: int = 0) -> Bank:
        """``singles`` captions of every effect, ``pairs`` of every ordered pair, ``others`` that name
        nothing of it, ``lit`` of every effect in every light; about a minute."""
        from awaken.miniature.text import text_encoder

        rng = random.Random(seed)
        named = [e for e in EFFECTS if e not in _ALONE]
        wanted = [((e,), singles) for e in EFFECTS]
        wanted += [(pair, pairs) for pair in itertools.permutations(named, 2)]
        found: dict[str, tuple[tuple[str, ...], Wording]] = {}
        for key, count in wanted:
            for _ in range(count):
                wording = caption(key, rng)
                found.setdefault(wording.text, (key, wording))
        for effect, light in itertools.product(EFFECTS, LIGHTS):
            for _ in range(lit):
                wording = caption((effect,), rng)
                wording = replace(wording, text=f"{wording.text} {rng.choice(LIGHTS[light])}")
                found.setdefault(wording.text, ((effect, light), wording))
        for _ in range(others):
            wording = unrelated(rng)
            found.setdefault(wording.text, (_OTHER, wording))
        keys, wordings = zip(*found.values(), strict=True)
        encoded = [text_encoder().words(w.text) for w in wordings]
        words = torch.cat([w for w, _ in encoded]).half()
        return cls(keys, wordings, words, torch.cat([p for _, p in encoded]))

    def caption(self, effects: Sequence[str], rng: random.Random) -> Wording:
        """One of the bank's captions that name exactly these effects, in this order."""
        return self.wordings[rng.choice(self._by_key[tuple(effects)])]

    def vectors(self, texts: Sequence[str], device) -> tuple[torch.Tensor, torch.Tensor]:
        """Word vectors (b, 20, 384) float32 and presence (b, 20) of captions of this bank."""
        index = torch.tensor([self._by_text[t] for t in texts])
        return self.words[index].float().to(device), self.present[index].to(device)

    def save(self, path: Path) -> None:
        """Write the bank as one .npz file, word vectors in int8."""
        flat = self.words[self.present].float()
        scale = flat.abs().amax(1, keepdim=True) / 127
        np.savez_compressed(
            path,
            keys=np.array([" ".join(k) for k in self.keys]),
            texts=np.array([w.text for w in self.wordings]),
            meaning=np.array([(w.speed, w.direction, w.amount) for w in self.wordings]),
            present=np.packbits(self.present.numpy()),
            values=(flat / scale).round().to(torch.int8).numpy(),
            scale=scale.half().numpy(),
        )

    @classmethod
    def load(cls, path: Path) -> Bank:
        """Read what ``save`` wrote."""
        with np.load(path) as file:
            texts = file["texts"].tolist()
            present = np.unpackbits(file["present"], count=len(texts) * 20).reshape(-1, 20)
            present = torch.from_numpy(present.astype(bool))
            words = torch.zeros(*present.shape, 384, dtype=torch.float16)
            values = torch.from_numpy(file["values"]).half() * torch.from_numpy(file["scale"])
            words[present] = values
            keys = [tuple(k.split(" ")) for k in file["keys"].tolist()]
            meaning = file["meaning"].tolist()
        wordings = [
            Wording(text, speed, int(direction), amount)
            for text, (speed, direction, amount) in zip(texts, meaning, strict=True)
        ]
        return cls(keys, wordings, words, present)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Make captions with their word vectors.")
    parser.add_argument("--singles", type=int, default=70, help="captions of every effect")
    parser.add_argument("--pairs", type=int, default=6, help="captions of every ordered pair")
    parser.add_argument("--others", type=int, default=900, help="captions that name none of them")
    parser.add_argument(
        "--lit", type=int, default=0, help="captions of every effect in every light"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    Bank.make(args.singles, args.pairs, args.others, args.lit, args.seed).save(args.out)


if __name__ == "__main__":
    main()
