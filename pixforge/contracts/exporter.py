"""Exporters: the files that a run writes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING

from pixforge.contracts.component import C, Component
from pixforge.contracts.output import Output
from pixforge.contracts.report import StepReport

if TYPE_CHECKING:
    import torch
    from typing_extensions import Self


class Exporter(Component[C]):
    """Writes the run to a file while it runs; the file must be usable whenever `close` is called.

    `write` gets the start (step 0, or `output.first_step`) and then every step in order. It runs in the thread of the
    run, so slow work belongs in a thread of the exporter's own. To resume a run, the engine builds a new exporter and
    calls `resume` before the first `write`; the folder then holds the files that the last process left.
    """

    kind = "exporter"

    def __init__(self, config: C, output: Output) -> None:
        self.config = config
        self.output = output

    @abstractmethod
    def write(self, report: StepReport) -> None:
        """Write the picture of a step."""

    @abstractmethod
    def close(self) -> None:
        """Finish the file. Called once, also after an interruption or an error."""

    @classmethod
    def claims(cls, config: C, canvases: int) -> list[str]:  # noqa: ARG003 - here none
        """The names of all files that it may write in the run folder; `*` stands for any characters.

        A recipe whose exporters could write one file is refused before the run.
        """
        return []

    def state(self) -> dict[str, torch.Tensor]:
        """The tensors that `resume` needs to continue after the last written step.

        Called between writes, whenever a checkpoint is made. Data in files that `resume` relies on must be flushed to
        disk first.
        """
        return {}

    def resume(self, state: Mapping[str, torch.Tensor], report: StepReport) -> None:  # noqa: ARG002 - here none
        """Continue after the step of `report`; `state` is what `state()` returned then.

        `state` is empty if the exporter had failed. The default writes the report, which suits exporters that save
        only the last picture.
        """
        self.write(report)

    def files(self) -> list[str]:
        """The names of the files that the exporter made in the run folder, the main one first."""
        return []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
