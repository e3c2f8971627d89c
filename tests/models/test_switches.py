"""Process-wide switches that are changed while a model loads are restored afterwards, also with several threads."""

import logging
import threading
import warnings

from huggingface_hub import constants

from pixforge.models.files import offline, quiet


def test_overlapping_threads_leave_logging_warnings_and_the_hub_as_they_were():
    before = logging.root.manager.disable, len(logging.root.handlers), constants.HF_HUB_OFFLINE
    filters = list(warnings.filters)
    entered, first_may_leave, first_left = (threading.Event() for _ in range(3))

    def first():
        with offline(), quiet():
            entered.set()
            first_may_leave.wait(5)
        first_left.set()

    def second():
        entered.wait(5)
        threading.Timer(0.2, first_may_leave.set).start()
        with offline(), quiet():
            first_left.wait(5)

    threads = [threading.Thread(target=each) for each in (first, second)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(10)
    assert (logging.root.manager.disable, len(logging.root.handlers), constants.HF_HUB_OFFLINE) == before
    assert warnings.filters == filters
