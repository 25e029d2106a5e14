"""Ctrl-C and SIGTERM ask a training to stop at its next safe point instead of killing it."""

import signal
import threading
from types import FrameType
from typing import Any


class Interrupted(KeyboardInterrupt):
    """A training was asked to stop and has saved."""

    def __init__(self, where: str):
        """`where` in words: a step, of which stage where there are several, or the end of one."""
        super().__init__(f"stopped at {where}, saved")
        self.where = where


class Stopping:
    """A context in which the first SIGINT or SIGTERM sets `asked`; a second SIGINT stops at once, as ever."""

    def __init__(self) -> None:
        self.asked = False
        self.before: dict[int, Any] = {}

    def __enter__(self) -> "Stopping":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self.before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.asked = True
