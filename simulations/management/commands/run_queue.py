from __future__ import annotations

import signal
from types import FrameType
from typing import Any

from intellifl.environment import environment
from simulations.local_queue import LocalQueue
from simulations.management.recovering import Recovering


class Command(Recovering):
    help = (
        "Take queued simulations, first in first out, INTELLIFL_CONCURRENCY at once, until "
        "SIGTERM or Ctrl-C; what runs then is interrupted, what waits keeps waiting."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        concurrency = environment().concurrency
        queue = LocalQueue(concurrency, report=self.say)

        def shut_down(number: int, frame: FrameType | None) -> None:
            queue.shut_down()

        signal.signal(signal.SIGTERM, shut_down)
        signal.signal(signal.SIGINT, shut_down)
        self.import_folders()
        self.say(f"The local queue takes simulations, {concurrency} at a time.")
        queue.run()
        self.say("The local queue has ended.")
