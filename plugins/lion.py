"""An optimizer: Lion, which moves along the sign of a mean of gradients (Chen et al., 2023).

plugins: [plugins/lion.py]
optimizer: {type: plain_lion, learning_rate: 0.02}
"""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

import pixforge

if TYPE_CHECKING:
    import torch

Share = Annotated[float, Field(ge=0, lt=1)]


class LionConfig(pixforge.OptimizerConfig):
    """Its two memories and its decay."""

    type: Literal["plain_lion"] = "plain_lion"
    betas: tuple[Share, Share] = Field(
        (0.9, 0.99), description="Memory of the mean in the step, and of the mean that is kept."
    )
    weight_decay: float = Field(0.0, ge=0, description="Pulls the latent towards zero.")


class Lion(pixforge.Optimizer[LionConfig]):
    """Every number moves by the learning rate, up or down; one moment instead of Adam's two."""

    def make(self, groups: list[dict[str, Any]], rate: float) -> "torch.optim.Optimizer":
        """An optimizer with the moment `exp_avg`."""
        import torch

        config = self.config

        class Steps(torch.optim.Optimizer):
            @torch.no_grad()
            def step(self, closure: Any = None) -> None:  # noqa: ARG002 - torch's interface
                for group in self.param_groups:
                    for each in group["params"]:
                        if each.grad is None:
                            continue
                        mean = self.state[each].setdefault("exp_avg", torch.zeros_like(each))
                        way = mean.lerp(each.grad, 1 - config.betas[0]).sign_()
                        each.mul_(1 - group["lr"] * config.weight_decay).add_(way, alpha=-group["lr"])
                        mean.lerp_(each.grad, 1 - config.betas[1])

        return Steps(groups, {"lr": rate})


@pixforge.hookimpl
def pixforge_optimizers() -> list[type[Lion]]:
    """The list that makes it known."""
    return [Lion]
