"""The built-in commands, in the order of the help; they come through the hook that plugins use."""

from __future__ import annotations

from pixforge.contracts.command import Command
from pixforge.plugins.hookspecs import hookimpl

NAME = "pixforge"


class Builtins:
    """The plugin that brings them."""

    @staticmethod
    @hookimpl
    def pixforge_commands() -> list[type[Command]]:
        """All of them. Their modules are small: what is heavy is imported when a command runs."""
        from pixforge.cli.bench import Bench
        from pixforge.cli.check import Check
        from pixforge.cli.classify import Classify
        from pixforge.cli.collage import Collage
        from pixforge.cli.completion import Completion
        from pixforge.cli.cutouts import Cutouts
        from pixforge.cli.diff import Diff
        from pixforge.cli.direction import Direction
        from pixforge.cli.doctor import Doctor
        from pixforge.cli.evolve import Evolve
        from pixforge.cli.import_ import Import
        from pixforge.cli.index import IndexFolder
        from pixforge.cli.models import ModelsCommand
        from pixforge.cli.plugins import Plugins
        from pixforge.cli.rank import Rank
        from pixforge.cli.report import Report
        from pixforge.cli.resume import Resume
        from pixforge.cli.run import Run
        from pixforge.cli.schema import Schema
        from pixforge.cli.search import Search
        from pixforge.cli.sweep import Sweep

        return [
            Run, Resume, Sweep, Evolve, Report, Collage, Diff, Check, Cutouts, Classify, IndexFolder, Search, Rank, Direction, Import, Schema, Plugins, ModelsCommand, Doctor, Bench,
            Completion,
        ]  # fmt: skip
