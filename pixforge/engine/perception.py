"""The prompt term and its gradient on the picture, computed in chunks of cutouts on one or several devices.

A perceptor's pass over some cutouts depends on no other cutout, and the term is a sum over cutouts. So each chunk goes
forward and backward alone and leaves its gradient on its own cutouts; from there one pass takes the gradient of all
cutouts to the picture. Geometry and noise were drawn for all of them before: they do not depend on the chunk.

Prompts with a region are kept apart: each region has a gradient of its own on the cutouts, which is multiplied by the
region's mask when it arrives at the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import reduce
from typing import Any

import torch
from torch.nn.functional import normalize

from pixforge.contracts import Region, RunContext
from pixforge.contracts.constants import constant
from pixforge.contracts.gradients import root_of
from pixforge.engine.attribution import returned
from pixforge.engine.chunks import even_parts
from pixforge.engine.cutouts import CutoutPlan, CutoutSampler
from pixforge.engine.frames import Box
from pixforge.engine.perceptors import DeviceReplica, PerceptorGroup
from pixforge.engine.prompts import Prompts, prompt_values
from pixforge.engine.regions import Masks
from pixforge.engine.warp import sent
from pixforge.errors import InputError

Pass = tuple[list[torch.Tensor], torch.Tensor]
"""The gradient of cutouts `[n, C, S, S]` from each region's prompts, and their terms `[n]`."""
Work = Callable[..., list[Any]]


class Perception:
    """All perceptors of a run, each on every device of it.

    Raises:
        InputError: a perceptor averages cutouts, but prompts have regions; or there are fewer cutouts than regions.

    Args:
        groups: the perceptors; each has a replica on each device.
        prompts: weights, stops and regions.
        sampler: takes the cutouts, on the first device.
        context: the run.
        masks: of the regions.
        pulled: whether losses will pull at the embeddings.
    """

    def __init__(
        self,
        groups: list[PerceptorGroup],
        prompts: Prompts,
        sampler: CutoutSampler,
        context: RunContext,
        masks: Masks,
        *,
        pulled: bool = False,
    ) -> None:
        self.groups = groups
        self._prompts = prompts
        self._sampler = sampler
        self._context = context
        self._masks = masks
        anywhere: list[None] = [None] if pulled or None in prompts.regions else []
        self._regions: list[Region | None] = list(dict.fromkeys([*anywhere, *prompts.regions]))
        """Each region once; None, which is the whole picture, comes first."""
        self._members = [
            torch.tensor([each == region for each in prompts.regions], device=context.device)
            for region in self._regions
        ]
        """Which prompts have each region, `[P]`."""
        if self._regions != [None] and (averaged := [group.name for group in groups if group.averaging]):
            raise InputError(
                f"perceptors: averaging of {averaged[0]} compares all cutouts at once, so no prompt can have `where`"
            )
        if self._regions != [None]:
            sampler.check_frames(self._frames(context.height, context.width))
        count = len(groups[0].replicas)
        self._pool = ThreadPoolExecutor(count, "pixforge perceptor") if count > 1 else None

    @property
    def sizes(self) -> list[int]:
        """The input sizes of the perceptors, each once."""
        return list(dict.fromkeys(group.perceptor.input_size for group in self.groups))

    def plan(self, leaf: torch.Tensor, step: int) -> CutoutPlan:
        """The cutouts of a step."""
        height, width = leaf.shape[-2:]
        return self._sampler.plan((width, height), step, min(self.sizes), frames=self._frames(height, width))

    def _frames(self, height: int, width: int) -> list[Box | None]:
        """Where the cutouts of each region lie, each place once."""
        return list(dict.fromkeys(self._masks.frame(region, height, width) for region in self._regions))

    def terms(
        self, leaf: torch.Tensor, step: int, pulls: Mapping[str, torch.Tensor] | None = None
    ) -> dict[str, torch.Tensor]:
        """Put the gradient of the prompt term on the picture `leaf` `[B, C, H, W]`.

        `pulls` has gradients `[B, K, D]` of losses on the embeddings of a perceptor, by its name; they join.

        Returns the term, and each perceptor's where there are several, each `[B]`, detached.
        """
        plan = self.plan(leaf, step)
        shares = [self._context.value(group.weight, step) for group in self.groups]
        whole = sum(shares) or 1.0
        sights = self._sights(plan, leaf)
        parts: list[torch.Tensor] = []
        single: dict[str, torch.Tensor] = {}
        for size in self.sizes:
            cutouts = self._sampler.cut(leaf, plan, size)
            gradients: list[torch.Tensor] = []
            for group, share in zip(self.groups, shares, strict=True):
                if group.perceptor.input_size == size:
                    pull = (pulls or {}).get(group.name)
                    targets = group.targets(step, plan)
                    weights = self._weights(sights, step, group.name)
                    more, term = self._averaged(
                        group, cutouts.detach(), targets, weights, share / whole, step, pull
                    )
                    gradients = (
                        more if not gradients else [a + b for a, b in zip(gradients, more, strict=True)]
                    )
                    single[f"prompt/{group.name}"] = term
                    parts.append(term if share == whole else term * (share / whole))
            self._to_picture(leaf, cutouts, gradients)
        return {"prompt": _summed(parts), **(single if len(single) > 1 else {})}

    @torch.no_grad()
    def features(self, leaf: torch.Tensor, step: int) -> dict[str, torch.Tensor]:
        """What each perceptor sees: unit vectors `[B, K, D]` of the cutouts of a step, by its name, without gradient."""
        plan = self.plan(leaf, step)
        cut = {size: self._sampler.cut(leaf, plan, size) for size in self.sizes}
        return {group.name: self._embed(group, cut[group.perceptor.input_size]) for group in self.groups}

    def _embed(self, group: PerceptorGroup, cutouts: torch.Tensor) -> torch.Tensor:
        flat = cutouts.flatten(0, 1)

        def work(replica: DeviceReplica, start: int, stop: int, size: int) -> list[torch.Tensor]:
            with torch.no_grad(), _on(replica.device):
                parts = even_parts(start, stop, size)
                encode = replica.perceptor.encode_image
                return [encode(_there(flat[slice(*part)], replica)).to(flat.device) for part in parts]

        return torch.cat(self._spread(group, len(flat), work)).view(*cutouts.shape[:2], -1)

    def _weights(self, sights: list[torch.Tensor] | None, step: int, perceptor: str) -> list[torch.Tensor]:
        """The weights of the prompts of each region: `[P]`, or `[N, P]` where a region says how much a cutout counts.

        The prompts of other regions weigh 0.
        """
        weights = self._prompts.weights(step, perceptor)
        if sights is None:
            return [weights]
        return [
            seen[:, None] * (weights * members) for members, seen in zip(self._members, sights, strict=True)
        ]

    def _sights(self, plan: CutoutPlan, leaf: torch.Tensor) -> list[torch.Tensor] | None:
        """How much each of the N cutouts counts for each region, `[N]`; None where no prompt has a region.

        A cutout counts most when it shows all of the region and nothing else: the square of the share of it that lies
        inside, times the share of the region that it shows. All cutouts have the mean 1, so that a small region pulls
        no less than a large one.
        """
        if self._regions == [None]:
            return None
        height, width = leaf.shape[-2:]
        frames = self._frames(height, width)
        found = []
        for region in self._regions:
            frame = frames.index(self._masks.frame(region, height, width))
            seen = self._counts(plan, region, frame, leaf)
            found.append((seen / seen.mean(dim=1, keepdim=True).clamp(min=1e-6)).flatten())
        return found

    def _counts(
        self, plan: CutoutPlan, region: Region | None, frame: int, leaf: torch.Tensor
    ) -> torch.Tensor:
        """`[B, K]`: how much each cutout counts for a region. Those of other frames do not count."""
        owners = plan.owners or (frame,) * plan.warps.shape[1]
        counts = constant([float(owner == frame) for owner in owners], leaf.device).expand(leaf.shape[0], -1)
        if region is None:
            return counts
        mask = self._masks.of(region, *leaf.shape[-2:])
        inside = self._sampler.share(mask, plan)
        (area,) = sent([torch.linalg.det(plan.warps[..., :2, :2]).abs()], leaf.device)
        covered = (inside * area / mask.mean().clamp(min=1e-6)).clamp(max=1)
        counted: torch.Tensor = counts * (inside * covered).square()
        return counted

    def _averaged(
        self,
        group: PerceptorGroup,
        cutouts: torch.Tensor,
        targets: torch.Tensor,
        weights: list[torch.Tensor],
        share: float,
        step: int,
        pull: torch.Tensor | None,
    ) -> Pass:
        """What `_look` gives, with the mean embedding of all cutouts in place of some of what each of them says."""
        mixed = group.averaging
        if not mixed:
            return self._look(group, cutouts, targets, weights, share, step, pull)
        value, pulled = mean_pull(
            self._embed(group, cutouts), targets, weights[0], self._prompts.stops(step), group.similarity
        )
        pulled = pulled * (mixed * share)
        pull = pulled if pull is None else pull + pulled
        gradients, term = self._look(group, cutouts, targets, weights, share * (1 - mixed), step, pull)
        return gradients, term * (1 - mixed) + value * mixed

    def _look(
        self,
        group: PerceptorGroup,
        cutouts: torch.Tensor,
        targets: torch.Tensor,
        weights: list[torch.Tensor],
        share: float,
        step: int,
        pull: torch.Tensor | None,
    ) -> Pass:
        """One perceptor's share from `[B, K, C, S, S]`: a gradient `[N, C, S, S]` for each region, and its term `[B]`."""
        batch, count = cutouts.shape[:2]
        flat = cutouts.flatten(0, 1)
        stops = self._prompts.stops(step)

        def one(replica: DeviceReplica, start: int, stop: int) -> Pass:
            part = _there(flat[start:stop], replica).requires_grad_()
            embedded = returned(
                replica.perceptor,
                "encode_image",
                replica.perceptor.encode_image(part),
                (stop - start, targets.shape[-1]),
            )
            cosine = torch.bmm(
                _targets_of(targets, replica, start, stop, count), embedded.unsqueeze(-1)
            ).squeeze(-1)
            limits = None if stops is None else _there(stops, replica)
            values = [
                prompt_values(
                    cosine,
                    _there(each if each.dim() == 1 else each[start:stop], replica),
                    limits,
                    group.similarity,
                )
                for each in weights
            ]
            roots = [each * (share / count) for each in values] if pull is not None else values
            if pull is not None:
                roots[0] = roots[0] + (embedded * _there(pull.flatten(0, 1)[start:stop], replica)).sum(dim=-1)
            scale = 1.0 if pull is not None else share / count
            gradients = _gradients(roots, part, scale)
            total = _summed([value.detach() for value in values])
            return [each.to(flat.device) for each in gradients], total.to(flat.device)

        def work(replica: DeviceReplica, start: int, stop: int, size: int) -> list[Pass]:
            with torch.enable_grad(), _on(replica.device):
                return [one(replica, *part) for part in even_parts(start, stop, size)]

        gradients, values = zip(*self._spread(group, len(flat), work), strict=True)
        return [_joined(each) for each in zip(*gradients, strict=True)], _joined(values).view(
            batch, count
        ).mean(dim=1)

    def _spread(self, group: PerceptorGroup, total: int, work: Work) -> list[Any]:
        """What `work` gives for all cutouts, in their order, in chunks that memory suffices for."""
        largest = -(-total // len(group.replicas))
        return group.chunk.adapt(largest, lambda size: self._attempt(group, total, work, size))

    def _attempt(self, group: PerceptorGroup, total: int, work: Work, size: int) -> list[Any]:
        """Every device's share, in the order of the cutouts: whole canvases, or the cutouts of one."""
        if self._pool is None:
            return work(group.replicas[0], 0, total, size)
        shares = even_parts(0, total, -(-total // len(group.replicas)))
        futures = [
            self._pool.submit(work, replica, *share, size)
            for replica, share in zip(group.replicas, shares, strict=False)
        ]
        failures = [error for future in futures if (error := future.exception()) is not None]
        if failures:  # all have ended, so nothing of them is left when the step is repeated
            raise failures[0]
        return [each for future in futures for each in future.result()]

    def _to_picture(self, leaf: torch.Tensor, cutouts: torch.Tensor, gradients: list[torch.Tensor]) -> None:
        """From the cutouts to the picture; what comes from a region's prompts stays in the region."""
        if self._regions == [None]:
            root_of(cutouts, gradients[0].view_as(cutouts)).backward()  # type: ignore[no-untyped-call]
            return
        for index, (region, gradient) in enumerate(zip(self._regions, gradients, strict=True)):
            more = index + 1 < len(gradients)
            root = root_of(cutouts, gradient.view_as(cutouts))
            (found,) = torch.autograd.grad(root, leaf, retain_graph=more)
            if region is not None:
                found = found * self._masks.of(region, *leaf.shape[-2:])
            leaf.grad = found if leaf.grad is None else leaf.grad + found


def mean_pull(
    seen: torch.Tensor,
    targets: torch.Tensor,
    weights: torch.Tensor,
    stops: torch.Tensor | None,
    similarity: str,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The prompt term `[B]` of the mean of embeddings `[B, K, D]`, and its gradient on each of them."""
    with torch.enable_grad():
        leaf = seen.detach().requires_grad_()
        whole = targets if targets.dim() == 3 else normalize(targets.mean(dim=1), dim=-1)
        cosine = (whole * normalize(leaf.mean(dim=1), dim=-1).unsqueeze(1)).sum(dim=-1)
        value = prompt_values(cosine, weights, stops, similarity)
        (gradient,) = torch.autograd.grad(value.sum(), leaf)
    return value.detach(), gradient


def _gradients(roots: list[torch.Tensor], part: torch.Tensor, scale: float) -> list[torch.Tensor]:
    """The gradient on the cutouts of each root `[n]`, times `scale`."""
    found = []
    for index, root in enumerate(roots):
        more = index + 1 < len(roots)
        known = root_of(root, torch.full_like(root, scale))
        (gradient,) = torch.autograd.grad(known, part, retain_graph=more)
        found.append(gradient)
    return found


def _targets_of(
    targets: torch.Tensor, replica: DeviceReplica, start: int, stop: int, count: int
) -> torch.Tensor:
    """`[n, P, D]` for the cutouts from `start` to `stop` of all canvases' `count` cutouts."""
    canvas, skipped = divmod(start, count)
    last = (stop - 1) // count
    here = _there(targets[canvas : last + 1], replica)
    if here.dim() == 3:
        here = here.unsqueeze(1).expand(-1, count, -1, -1)
    return here.flatten(0, 1)[skipped : skipped + stop - start]


def _summed(parts: Sequence[torch.Tensor]) -> torch.Tensor:
    return reduce(torch.add, parts)


def _joined(parts: tuple[torch.Tensor, ...]) -> torch.Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _there(tensor: torch.Tensor, replica: DeviceReplica) -> torch.Tensor:
    """On the replica's device, cut off from its history."""
    return tensor.detach().to(replica.device, non_blocking=True)


def _on(device: torch.device) -> Any:
    return torch.cuda.device(device) if device.type == "cuda" else nullcontext()
