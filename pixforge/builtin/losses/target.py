"""Target: near a picture, or near the one that the run started from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from pixforge.contracts import Generator, Loss, LossConfig, View
from pixforge.contracts.paths import RecipePath, RecipeVideo
from pixforge.errors import InputError

if TYPE_CHECKING:
    import torch

    from pixforge.media.footage import Footage


class TargetConfig(LossConfig):
    """Which picture, and how the distance is measured."""

    type: Literal["target"] = "target"
    image: RecipePath | None = Field(None, description="The picture; the first picture of the run if absent.")
    video: RecipeVideo | None = Field(
        None, description="Instead of a picture, a video; each frame of a film has its own target."
    )
    stride: Annotated[int, Field(ge=1, le=10_000, strict=True)] | None = Field(
        None, description="Of the video, every so-manieth frame; when absent, it plays as fast as it did."
    )
    distance: Literal["mse", "l1", "edges", "hsv", "features"] = Field(
        "mse",
        description="mse, l1: of the channels; edges: of the Sobel gradients of the lightness; hsv: in the cone of hue, "
        "saturation and value; features: of what a network sees in places, as LPIPS without its learned weights.",
    )
    fit: Literal["cover", "stretch"] = Field(
        "cover", description="How an `image` of other proportions is fitted; a video always covers."
    )
    network: RecipePath | None = Field(
        None,
        description="For features: torchvision's file of VGG-16 or VGG-19; the embedded perceptor if absent.",
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.image is not None and self.video is not None:
            raise ValueError("either `image` or `video` is the target, not both")
        if self.stride is not None and self.video is None:
            raise ValueError("`stride` is for `video` alone")
        if self.fit == "stretch" and self.video is not None:
            raise ValueError("`fit: stretch` is for `image` alone; a video fills the size")
        return self

    @model_validator(mode="after")
    def _network_is_used(self) -> Self:
        if self.network is not None and self.distance != "features":
            raise ValueError("`network` is for `distance: features` alone")
        return self


class Target(Loss[TargetConfig]):
    """The distance from a picture: Pixray's init loss of pixels, pytti's direct image prompts and edges, disco's init scale.

    With a region, it looks there alone. The first picture of a run is taken before the filters.
    """

    def prepare(self, generator: Generator[Any]) -> None:
        """Read the picture, or remember the start."""
        from pixforge.contracts.alpha import MIDDLE, over
        from pixforge.media.images import cover, resize

        config, context = self.config, self.context
        self._network = None
        if config.distance == "features":
            from pixforge.builtin.features import feature_network

            self._network = feature_network(config.network, context)
        self._footage: Footage | None = None
        self._frame = 0
        if config.video is not None:
            self._footage = self._opened(config.video)
            picture = self._footage.picture(0).to(context.device)
        elif config.image is None:
            picture = over(generator.forward(0).detach(), MIDDLE)
        else:
            fit = cover if config.fit == "cover" else resize
            picture = fit(context.read_image(config.image).unsqueeze(0), context.size)
        self._picture = picture
        self._known: dict[tuple[int, ...], list[torch.Tensor]] = {}

    def forward(self, view: View) -> torch.Tensor:
        """`[B]`, 0 when the picture is the target."""
        import torch

        self._turn_to(view.step)
        size = tuple(view.image.shape[-2:])
        if size not in self._known:
            from pixforge.media.images import resize

            with torch.no_grad():
                self._known[size] = self._seen(resize(self._picture, (size[1], size[0])))
        pairs = zip(self._seen(view.image), self._known[size], strict=True)
        parts = [self._distance(view, now, wanted) for now, wanted in pairs]
        return torch.stack(parts).mean(dim=0)

    def _opened(self, name: str) -> Footage:
        from pixforge.media.footage import Footage

        context = self.context
        if context.film is None:
            raise InputError(
                "losses: target: video needs `film:` in the recipe; for one picture, use `image`"
            )
        count = context.film.count(context.steps)
        return Footage(context.folder / name, context.size, count, context.film.fps, self.config.stride)

    def _turn_to(self, step: int) -> None:
        """Take the frame of the video that belongs to the frame of the film that a step makes."""
        if self._footage is None or self.context.film is None:
            return
        frame = self.context.film.making(step)
        if frame != self._frame:
            self._frame, self._known = frame, {}
            self._picture = self._footage.picture(frame).to(self.context.device)

    def _seen(self, images: torch.Tensor) -> list[torch.Tensor]:
        """What is compared, `[B, C, h, w]` each."""
        import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

        if self._network is not None:
            return [F.normalize(each, dim=1, eps=1e-6) for each in self._network.see(images)]
        if self.config.distance == "edges":
            return [sobel(images)]
        return [hsv_cone(images) if self.config.distance == "hsv" else images]

    def _distance(self, view: View, now: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        away = now - wanted
        cost = away.abs() if self.config.distance == "l1" else away.square()
        if self._network is None:
            return view.mean(cost)
        cost = cost.sum(dim=1, keepdim=True)
        if view.mask is None:
            return cost.mean(dim=(1, 2, 3))
        import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

        mask = F.adaptive_avg_pool2d(view.mask, (cost.shape[-2], cost.shape[-1]))
        return (cost * mask).sum(dim=(1, 2, 3)) / mask.sum().clamp(min=1e-6)

    def provenance(self) -> dict[str, Any]:
        """The network, if it uses one."""
        return {} if self._network is None else self._network.provenance()


def sobel(images: torch.Tensor) -> torch.Tensor:
    """`[B, 2, H, W]`: the derivative of the lightness to the right and downwards, by Sobel's kernels over 8."""
    import torch
    import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

    from pixforge.builtin.luma import luma

    light = luma(images)
    across = images.new_tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8
    kernels = torch.stack([across, across.T]).unsqueeze(1)
    return F.conv2d(F.pad(light, (1, 1, 1, 1), mode="replicate"), kernels)


def hsv_cone(images: torch.Tensor) -> torch.Tensor:
    """`[B, 3, H, W]`: chroma times the cosine and the sine of the hue, and the value.

    Hue itself jumps at red and means nothing for gray, so that differences of it are of no use.
    """
    import torch

    red, green, blue = images[:, :3].unbind(dim=1)
    return torch.stack(
        [red - (green + blue) / 2, (green - blue) * 3**0.5 / 2, images[:, :3].amax(dim=1)], dim=1
    )
