"""CLIPSIM (GODIVA, Wu et al. 2021): how well the frames go with the prompt, by CLIP.

100 times the mean over frames of the cosine between CLIP's embeddings of frame and prompt. The
paper does not say which CLIP it used; GODIVA and most who followed took ViT-B/32.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from awaken.evaluate.weights import sha256
from awaken.types import ModelError

DEFAULT = "openai/clip-vit-base-patch32"
_TOKENS = 77


class ClipSim:
    """A CLIP model of transformers' layout, from a folder or from the Hugging Face cache.

    Raises ModelError with what to fetch; nothing is downloaded unasked.
    """

    def __init__(self, name: str, device: str = "cpu") -> None:
        from transformers import CLIPModel, CLIPProcessor

        try:
            self.model = CLIPModel.from_pretrained(name, local_files_only=True)
            self.processor = CLIPProcessor.from_pretrained(name, local_files_only=True)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"CLIPSIM needs CLIP, which is not here ({name}): run `hf download {DEFAULT}` "
                "(605 MB), or name a folder of the same layout with --clip."
            ) from error
        self.model = self.model.to(device).eval()
        self.device = device
        self.about = f"{name} ({_identity(Path(name), self.model)})"

    def score(self, frames: np.ndarray, prompt: str) -> float:
        """(f, h, w, 3) uint8 -> the mean over frames, times 100."""
        import torch

        with torch.inference_mode():
            words = self.processor(
                text=[prompt], return_tensors="pt", truncation=True, max_length=_TOKENS
            )
            looks = self.processor(images=list(frames), return_tensors="pt")
            text = self.model.get_text_features(**words.to(self.device))
            image = self.model.get_image_features(**looks.to(self.device))
            text, image = map(_embedding, (text, image))
            cosine = torch.nn.functional.cosine_similarity(image, text)
        return float(100 * cosine.mean())


def _embedding(features: Any) -> Any:
    """transformers 5 returns an output object, whose projected embedding is ``pooler_output``."""
    return getattr(features, "pooler_output", features).float()


def _identity(folder: Path, model: Any) -> str:
    """What tells two models of one name apart: a hash of the file, or the hub's revision."""
    files: Sequence[Path] = sorted(folder.glob("*.safetensors")) or sorted(folder.glob("*.bin"))
    if folder.is_dir() and files:
        return f"sha256 {sha256(files[0])[:16]}"
    return f"revision {getattr(model.config, '_commit_hash', None) or 'unknown'}"
