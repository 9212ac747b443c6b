"""The page: ``python app.py`` brings it up; the parts are in ``awaken/ui``, the work in ``awaken``.

``demo`` is made on first use, so that ``--help`` answers at once and importing this file, as
``gradio app.py`` does, still finds it. Torch is imported by a background thread once the server is
up.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import gradio as gr

    from awaken.ui.run.engine_holder import EngineHolder


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line; the environment variables of Gradio give the defaults."""
    parser = argparse.ArgumentParser(
        description="Every Painting Awakened: turn a painting and a sentence into a video, "
        "with and without the paper's method, side by side."
    )
    parser.add_argument(
        "--host",
        default=os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"),
        help="address to listen on (GRADIO_SERVER_NAME; default 127.0.0.1, this machine only)",
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=os.environ.get("GRADIO_SERVER_PORT"),
        help="port (GRADIO_SERVER_PORT; default: the first free one from 7860)",
    )
    parser.add_argument(
        "--models",
        metavar="DIR",
        help="folder with model weights, one folder or tar per model (AWAKEN_MODELS)",
    )
    parser.add_argument(
        "--ray",
        nargs="?",
        const="local",
        metavar="ADDRESS",
        help="let replicas of the engine on a Ray cluster do the work (AWAKEN_RAY): its head's "
        "HOST:PORT, or auto for the one this machine belongs to; without ADDRESS Ray starts here",
    )
    parser.add_argument(
        "--replicas",
        metavar="N",
        help="with --ray: how many, or bounds such as 1-4 (AWAKEN_REPLICAS; default: one per GPU)",
    )
    gpu = parser.add_argument_group("on a CUDA GPU, for the paper's models")
    ahead = gpu.add_mutually_exclusive_group()
    ahead.add_argument(
        "--compile",
        metavar="MODEL",
        choices=("animate_anything", "consisti2v", "cinemo"),
        help="load this video model at start and compile its blocks before the first run; else that "
        "is done in the background after it (AWAKEN_COMPILE)",
    )
    ahead.add_argument("--no-compile", action="store_true", help="compile nothing")
    gpu.add_argument(
        "--graphs", action="store_true", help="run networks as CUDA graphs (AWAKEN_GRAPHS=1)"
    )
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    parser.add_argument(
        "--present",
        nargs="?",
        const="",
        metavar="DIR",
        help="only show the bundles of a folder (default: the examples) on the stage for talks: "
        "no model, no network",
    )
    parser.add_argument(
        "--link",
        metavar="URL",
        help="with --present: the address whose QR code the key Q shows to the hall",
    )
    return parser.parse_args(argv)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:6]) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number up to 65535")
    return int(text)


@cache
def page() -> tuple[gr.Blocks, EngineHolder]:
    """The page and the engine's holder; made once."""
    from awaken import space

    ready = space.prepare()  # on ZeroGPU: spaces before torch, the models before the server
    from awaken.ui.run.engine_holder import EngineHolder
    from awaken.ui.server.serving import make_page

    if ready:
        return make_page(EngineHolder(lambda: ready))
    address = os.environ.get("AWAKEN_RAY")
    return make_page(_replicated(address) if address else None)


def _replicated(address: str) -> EngineHolder:
    from awaken.replicas import Cluster
    from awaken.ui.jobs.manager import JobManager
    from awaken.ui.run.engine_holder import EngineHolder

    cluster = Cluster(address, os.environ.get("AWAKEN_REPLICAS", ""))
    return EngineHolder(cluster.engine, JobManager(cluster.most))


def __getattr__(name: str) -> Any:
    if name == "demo":
        return page()[0]
    raise AttributeError(name)


def main(argv: list[str] | None = None) -> int:
    """Serve the page until interrupted."""
    args = arguments(argv)
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    if args.host in ("127.0.0.1", "localhost", "::1"):  # the visitor is the machine's owner
        os.environ.setdefault("AWAKEN_DOWNLOADS", "1")
    for name in ("models", "ray", "replicas"):
        if value := getattr(args, name):
            os.environ[f"AWAKEN_{name.upper()}"] = value
    if args.compile or args.no_compile:
        os.environ["AWAKEN_COMPILE"] = "off" if args.no_compile else "ahead"
        os.environ["AWAKEN_BACKEND"] = args.compile or "miniature"
    if args.graphs:
        os.environ["AWAKEN_GRAPHS"] = "1"
    if args.present is not None:
        from awaken.ui.server import present

        return present.serve(args.present, args.host, args.port, args.open, args.link)
    from awaken.types import RequestError
    from awaken.ui.server.startup import check

    try:
        check(args.host, args.port)  # before anything heavy is imported
        from awaken.ui.server.serving import launch

        demo, holder = page()
        launch(demo, holder, host=args.host, port=args.port, open_browser=args.open)
    except (RequestError, OSError, ValueError) as error:  # Gradio's: of a port, of its environment
        logging.getLogger(__name__).debug("the page cannot start", exc_info=True)
        print(f"awaken: {error}", file=sys.stderr)
        return 2
    holder.warm_up()
    demo.block_thread()
    return 0


if __name__ == "__main__":
    sys.exit(main())
