"""Stops a run in the middle, as Ctrl-C does."""

import signal


class Stopper:
    """A progress that sends a signal after a step."""

    def __init__(self, step):
        self.step = step

    def start(self, recipe, steps):
        pass

    def update(self, report):
        if report.step == self.step:
            signal.raise_signal(signal.SIGINT)

    def finish(self, result):
        pass
