"""An optimizer for pixforge: every number of the latent moves by the same amount."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

import pixforge

if TYPE_CHECKING:
    import torch


class PlaceholderConfig(pixforge.OptimizerConfig):
    """What a recipe may say: `{type: placeholder, momentum: 0.8, learning_rate: 0.01}`."""

    type: Literal["placeholder"] = "placeholder"
    momentum: float = Field(0.5, ge=0, lt=1, description="Share of the last step that goes into the next.")


class Placeholder(pixforge.Optimizer[PlaceholderConfig]):
    """Descent along the sign of the gradient."""

    def make(self, groups: list[dict[str, Any]], rate: float) -> torch.optim.Optimizer:
        """The engine sets `lr` of each group before each step; moments are in `state_dict()`."""
        import torch

        class Signs(torch.optim.SGD):
            def step(self, closure: Any = None) -> Any:
                for group in self.param_groups:
                    for each in group["params"]:
                        if each.grad is not None:
                            each.grad.sign_()
                return super().step(closure)

        return Signs(groups, lr=rate, momentum=self.config.momentum)


@pixforge.hookimpl
def pixforge_optimizers() -> list[type[pixforge.Optimizer[Any]]]:
    """What this plugin adds."""
    return [Placeholder]
