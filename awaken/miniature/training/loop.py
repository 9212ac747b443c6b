"""The loop that all parts of the miniature are trained with: a budget of minutes, kept in files.

A run can be stopped at any moment and started again with the same command: it goes on from the last
checkpoint. Checkpoints are safetensors shards of at most 14 MB with a JSON beside them, and
``resume.pt``, the optimiser's state, which only matters on the machine it was made on.
"""

from __future__ import annotations

import copy
import json
import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import nn

from awaken.miniature.loading import SCALE, SUM, content_sum, load_shards

log = logging.getLogger(__name__)

SHARD_BYTES = 14_000_000


@dataclass(frozen=True)
class Budget:
    """minutes: the whole budget, over all restarts; rate: peak learning rate; decay: the last share
    of the budget, in which the rate falls to 2 % on a cosine; average: EMA of the weights;
    save_every: minutes between checkpoints."""

    minutes: float
    rate: float = 5e-4
    decay: float = 0.4
    average: float = 0.998
    save_every: float = 2.0


@dataclass
class Notes:
    """What has happened so far; written beside the weights."""

    part: str
    iterations: int = 0
    minutes: float = 0.0
    samples: int = 0
    config: dict = field(default_factory=dict)
    curve: list[dict] = field(default_factory=list)


def save_shards(
    weights: dict[str, torch.Tensor], folder: Path, name: str, in_bytes: bool = False
) -> None:
    """Write bfloat16 tensors into name-00.safetensors, name-01..., each below ``SHARD_BYTES``.

    in_bytes: kernels of convolutions as int8 with one scale per output channel, half as large.
    """
    from safetensors.torch import save

    weights = dict(weights)
    for key in [k for k, value in weights.items() if in_bytes and value.dim() == 4]:
        kernel = weights[key].detach().float()
        scale = kernel.abs().amax((1, 2, 3)).clamp(min=1e-12) / 127
        weights[key] = (kernel / scale[:, None, None, None]).round().to(torch.int8)
        weights[key + SCALE] = scale

    shards: list[dict[str, torch.Tensor]] = [{}]
    size = 0
    for key, value in weights.items():
        kind = torch.bfloat16 if value.is_floating_point() else value.dtype
        value = value.detach().to("cpu", kind).contiguous()
        if size + value.nbytes > SHARD_BYTES and shards[-1]:
            shards.append({})
            size = 0
        shards[-1][key] = value
        size += value.nbytes
    for old in folder.glob(f"{name}-*.safetensors"):
        old.unlink()
    for i, shard in enumerate(shards):
        data = save(shard, {SUM: content_sum(save(shard))})
        (folder / f"{name}-{i:02d}.safetensors").write_bytes(data)


def learning_rate(budget: Budget, notes: Notes, since_start: int) -> float:
    """Warm-up over 80 iterations after every start, constant, then a cosine to 2 %."""
    done = min(1.0, notes.minutes / budget.minutes)
    warm = min(1.0, (since_start + 1) / 80)
    tail = max(0.0, (done - (1 - budget.decay)) / budget.decay)
    return budget.rate * warm * max(0.02, 0.5 * (1 + math.cos(math.pi * tail)))


def train(
    part: str,
    network: nn.Module,
    batches: Iterator,
    loss: Callable[[nn.Module, object], tuple[torch.Tensor, dict[str, torch.Tensor], int]],
    budget: Budget,
    folder: Path,
    config: dict,
) -> Notes:
    """Minimise until the budget is spent. ``loss`` returns (loss, parts to report, samples).

    The averaged weights are what is saved as ``part``; a folder that holds only shards (brought
    from another machine) is enough to go on from.
    """
    folder.mkdir(parents=True, exist_ok=True)
    device = next(network.parameters()).device
    averaged = copy.deepcopy(network).requires_grad_(False)
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=budget.rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True
    )
    notes = Notes(part, config=config)
    file, resume = folder / f"{part}.json", folder / f"{part}-resume.pt"
    if file.exists():
        notes = Notes(**json.loads(file.read_text()))
        averaged.load_state_dict(load_shards(folder, part))
        network.load_state_dict(averaged.state_dict())
        if resume.exists():
            state = torch.load(resume, map_location=device, weights_only=True)
            if state["iterations"] == notes.iterations:
                network.load_state_dict(state["network"])
                optimiser.load_state_dict(state["optimiser"])
        log.info("%s goes on after %.1f minutes", part, notes.minutes)

    def save() -> None:
        save_shards(averaged.state_dict(), folder, part)
        state = {
            "iterations": notes.iterations,
            "network": network.state_dict(),
            "optimiser": optimiser.state_dict(),
        }
        torch.save(state, resume.with_suffix(".new"))
        resume.with_suffix(".new").replace(resume)
        file.write_text(json.dumps(asdict(notes), indent=1))

    running: dict[str, float] = {}
    before, saved, first = time.monotonic(), notes.minutes, notes.iterations
    while notes.minutes < budget.minutes:
        rate = learning_rate(budget, notes, notes.iterations - first)
        for group in optimiser.param_groups:
            group["lr"] = rate
        value, parts, samples = loss(network, next(batches))
        value.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        notes.iterations += 1
        notes.samples += samples
        keep = min(budget.average, (notes.iterations + 1) / (notes.iterations + 20))
        with torch.no_grad():
            for mean, weight in zip(averaged.parameters(), network.parameters(), strict=True):
                mean.lerp_(weight, 1 - keep)
        now = time.monotonic()
        notes.minutes += (now - before) / 60
        before = now
        if notes.iterations % 10 == 0:  # .item() waits for the device: not at every step
            for key, part_value in parts.items():
                old = running.get(key, part_value.item())
                running[key] = 0.85 * old + 0.15 * part_value.item()
        if notes.iterations % 100 == 0:
            entry = {k: round(v, 5) for k, v in running.items()}
            entry |= {"iteration": notes.iterations, "minutes": round(notes.minutes, 2)}
            notes.curve.append(entry)
            log.info("%s rate %.1e, %d samples", entry, rate, notes.samples)
        if notes.minutes - saved > budget.save_every:
            save()
            saved = notes.minutes
    save()
    return notes
