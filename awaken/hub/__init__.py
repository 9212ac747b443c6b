"""Finding, checking and downloading model weights.

A release is looked for in this order: the folder of models (``--models DIR`` or ``AWAKEN_MODELS``,
one folder or tar per release), our own download folder, the Hugging Face cache. Nothing is downloaded
unless somebody asks for it.
"""

from awaken.hub.download import download
from awaken.hub.files import (
    check_content,
    check_files,
    load_weights,
    pick,
    read_header,
    read_json,
    read_state,
    variant,
    write_sums,
)
from awaken.hub.places import (
    command,
    commands,
    download_folder,
    find,
    missing,
    models_folder,
    require,
    unpack,
)
from awaken.hub.release import Release, gigabytes, needs_gpu, weights

__all__ = [
    "Release",
    "check_content",
    "check_files",
    "command",
    "commands",
    "download",
    "download_folder",
    "find",
    "gigabytes",
    "load_weights",
    "missing",
    "models_folder",
    "needs_gpu",
    "pick",
    "read_header",
    "read_json",
    "read_state",
    "require",
    "unpack",
    "variant",
    "weights",
    "write_sums",
]
