"""What a release is: where its weights come from, and which files must be there."""

from __future__ import annotations

from dataclasses import dataclass

from awaken.message import Message

# Whole, in shards, in half precision; safetensors before pickles. Names as diffusers and transformers
# write them.
_ENDINGS = tuple(
    f"{half}{kind}" if whole else f"{kind}.index.{half}json"
    for kind in ("safetensors", "bin")
    for half in ("", "fp16.")
    for whole in (True, False)
)


@dataclass(frozen=True)
class Release:
    """Where the weights of one model come from, and which files must be there.

    Attributes:
        name: our name for it; also the name of its folder under ``AWAKEN_MODELS``.
        size: announced download size in bytes.
        files: what must be there; each entry is a tuple of accepted alternatives.
        repo, revision, patterns: Hugging Face id, and which of its files to fetch.
        archive: URL of a public tar instead.
        gated: the hub asks for an account that accepted the licence.
    """

    name: str
    size: int
    files: tuple[tuple[str, ...], ...]
    repo: str | None = None
    revision: str | None = None
    patterns: tuple[str, ...] = ()
    archive: str | None = None
    gated: bool = False

    @property
    def address(self) -> str:
        """Where a person finds it."""
        return self.archive or f"https://huggingface.co/{self.repo}"


def weights(folder: str, name: str = "diffusion_pytorch_model") -> tuple[str, ...]:
    """The names that a network's weights, or the index of their shards, may have in ``folder``."""
    return tuple(f"{folder}/{name}.{ending}" for ending in _ENDINGS)


def gigabytes(size: int) -> str:
    """Bytes for people: 1.4 GB, 135 MB."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{max(1, round(size / 1e6))} MB"


def needs_gpu(
    size: float, memory: int, *, about: bool = False, less: int = 0, way: str = "",
    hours: bool = False, account: bool = False,
) -> Message:  # fmt: skip
    """What a model asks of a machine, for people.

    size: of its download, in GB; ``about``: it is an estimate. memory: of the GPU, in GB; ``less``
    are enough in a slower ``way``: in turns, layer by layer or in 8 bits. hours: a processor works.
    account: of Hugging Face.
    """
    size = f"{size:.2g}" if size < 10 else f"{size:.0f}"
    told = {"size": Message("About {size} GB", size=size) if about else f"{size} GB"}
    told["memory"] = memory
    if less:
        return Message(
            "{size} to download, a GPU with {memory} GB ({less} GB {way}).",
            **told,
            less=less,
            way=way,
        )
    if hours:
        return Message(
            "{size} to download, a GPU with {memory} GB; a processor takes hours.", **told
        )
    if account:
        return Message("{size} to download, with an account; a GPU with {memory} GB.", **told)
    return Message("{size} to download, a GPU with {memory} GB.", **told)
