"""Beyond one machine: one page, and replicas of the engine on a Ray cluster, behind Ray Serve.

The page is never replicated: its queue, its turns and its visitors' files are one. What crosses the
engine's border, a ``Request`` and ``Event``s of numpy arrays, crosses machines as it is. Ray is
optional (``examples/deploy/requirements-ray.txt``) and imported only when asked for.
"""

from __future__ import annotations

import logging
import os
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from awaken.types import ModelError, RequestError

if TYPE_CHECKING:
    from awaken.replicas.driver import Replicas

LOCAL = "local"
_ROOT = Path(__file__).parents[2]
_NOT_SENT = [".git", ".ci", ".venv", "examples", "tests"]  # of this folder, to other machines
_REACHED = 5.0  # s to open a connection to the cluster; Ray itself tries for minutes
_ANSWER = 30.0  # s between two looks whether replicas that do not answer ever will


class Cluster:
    """A Ray cluster, connected to; ``engine`` finds the application on it, or deploys it.

    address: "local" starts Ray on this machine for as long as this process lives, "auto" is the
    cluster that this machine belongs to, HOST:PORT that of a head. replicas: "N", or "LEAST-MOST",
    between which Serve scales; "" is what is there already, else one for each GPU. ``init``: more
    for ``ray.init``. Raises ModelError and RequestError with a sentence.

    Attributes:
        most: runs that may go on at once.
    """

    def __init__(self, address: str = LOCAL, replicas: str = "", **init: Any):
        self._address, self._scale = address, _scale(replicas)
        ray, self._serve = _imported()
        from awaken.replicas.driver import states

        _connect(ray, address, init)
        self._serve.start(proxy_location="Disabled")
        resources = ray.cluster_resources()
        self._gpus, self._cpus = (int(resources.get(kind, 0)) for kind in ("GPU", "CPU"))
        there = sum(states().values())
        self.most = self._scale[1] if self._scale else there or self._gpus or 1
        if address == LOCAL and self.most > (self._gpus or self._cpus):
            raise RequestError(
                "This machine has room for {room} replicas, each with a GPU, or a core where there "
                "is none: give --replicas {room} or less.",
                room=self._gpus or self._cpus,
            )

    def engine(self, make: Callable[[], Any] | None = None) -> Replicas:
        """The driver of the application, once a replica is up. Raises ModelError.

        The application that is there is used if its code is this page's and its scale the one asked
        for; otherwise a new one takes its place, unless a manifest deployed it. make: what makes a
        replica's engine, for tests.
        """
        from awaken.replicas.deployment import APP, NAME, code_version, deployment
        from awaken.replicas.driver import Replicas, states

        least, most = self._scale or (self.most, self.most)
        scale = f"{least}-{most}"
        if states():
            handle = self._serve.get_deployment_handle(NAME, APP)
            about, here = self._about(handle), code_version()
            right = about["scale"] in ("", scale) or not self._scale
            if about["version"] == here and right:
                return Replicas(handle, about["device"])
            if not about["scale"]:
                raise ModelError(
                    "The engines at {address} run version {there} of Awaken, and this page is "
                    "version {here}: start both from the same code.",
                    address=self._address, there=about["version"], here=here,
                )  # fmt: skip
        arguments = {"scale": scale} | ({"make": make} if make else {})
        bound = deployment(**self._options(least, most)).bind(**arguments)
        handle = self._serve.run(bound, name=APP, route_prefix=None)
        return Replicas(handle, self._about(handle)["device"])

    def remove(self) -> None:
        """Take the application away; the next ``engine`` deploys anew."""
        from awaken.replicas.deployment import APP

        self._serve.delete(APP)

    def _options(self, least: int, most: int) -> dict[str, Any]:
        """A GPU for each replica where there are any, and its share of the cores."""
        needs: dict[str, Any] = {
            "num_gpus": 1 if self._gpus else 0, "num_cpus": max(1, self._cpus // most),
        }  # fmt: skip
        if self._address != LOCAL and (models := os.environ.get("AWAKEN_MODELS")):
            needs["runtime_env"] = {"env_vars": {"AWAKEN_MODELS": models}}
        bounds = {"min_replicas": least, "max_replicas": most, "target_ongoing_requests": 1}
        number = {"num_replicas": most} if least == most else {"autoscaling_config": bounds}
        return {"ray_actor_options": needs, **number}

    def _about(self, handle: Any) -> dict[str, str]:
        """What a replica says of itself, as soon as one is free."""
        from awaken.replicas.deployment import APP

        while True:
            try:
                return handle.about.remote().result(timeout_s=_ANSWER)
            except TimeoutError:
                found = self._serve.status().applications.get(APP)
                if found and found.status == "DEPLOY_FAILED":
                    raise ModelError(
                        "The engines at {address} do not start: `serve status` says why.",
                        address=self._address,
                    ) from None


def _scale(replicas: str) -> tuple[int, int] | None:
    if not replicas:
        return None
    found = re.fullmatch(r"(\d{1,4})(?:-(\d{1,4}))?", replicas)
    least, most = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not least <= most or not most:
        raise RequestError(
            "{replicas!r} is no number of replicas: give for example 4, or 1-4 to let it follow "
            "the demand.",
            replicas=replicas,
        )
    return least, most


def _imported() -> tuple[Any, Any]:
    try:
        import ray
        from ray import serve
    except ImportError as error:
        raise ModelError(
            "Ray is not installed ({said}): pip install -r {file}, or start the page without --ray.",
            said=error, file="examples/deploy/requirements-ray.txt",
        ) from None  # fmt: skip
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    return ray, serve


def _connect(ray: Any, address: str, init: dict[str, Any]) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    options: dict[str, Any] = {"logging_level": "WARNING"}
    if address == LOCAL:
        options |= {"include_dashboard": False}
    else:
        options |= {"runtime_env": {"working_dir": str(_ROOT), "excludes": _NOT_SENT}}
    try:
        if address not in (LOCAL, "auto"):
            host, _, port = address.rpartition(":")
            socket.create_connection((host, int(port)), _REACHED).close()
        ray.init(address=address, **options | init)
    except Exception as error:  # Ray's are of many kinds: versions apart, a wrong token, no cluster
        raise ModelError(
            "Ray cannot be reached at {address} ({said}). Give HOST:PORT of its head, or auto on a "
            "machine that has joined the cluster.",
            address=address, said=" ".join(str(error).split()) or type(error).__name__,
        ) from None  # fmt: skip
