"""Write log lines in a thread of their own: nobody waits for a slow disk or a full pipe."""

import logging
import threading
import time
from collections import deque
from typing import TextIO

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.02
"""What is logged meanwhile is written at once."""
MOST_WAITING = 20_000
"""Lines. A reader that has stopped costs us its log, and not our memory."""
SETTLE_SECONDS = 5.0


class LineWriter(logging.Handler):
    """Lines are worded where they are logged, and written together with those that follow."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._waiting: deque[str | threading.Event] = deque()
        self._some_wait = threading.Event()
        self._lost = self._told = 0
        self._is_settled = False
        threading.Thread(target=self._write_for_ever, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001  # as logging's own handlers do: to log must not fail
            self.handleError(record)
            return
        if self._is_settled:
            self._write([line])
        elif len(self._waiting) < MOST_WAITING:
            self._add(line)
        else:
            self._lost += 1

    def flush(self) -> None:
        """Wait until all is written that was logged before."""
        written = threading.Event()
        self._add(written)
        written.wait(SETTLE_SECONDS)

    def settle(self) -> None:
        """Write what waits, and from now on each line at once: the process is about to end."""
        if not self._is_settled:
            self._is_settled = True
            self.flush()

    def close(self) -> None:
        self.settle()
        super().close()

    def _add(self, waiting: str | threading.Event) -> None:
        self._waiting.append(waiting)
        # To wake the thread costs more than to look whether it is awake.
        if not self._some_wait.is_set():
            self._some_wait.set()

    def _write_for_ever(self) -> None:
        while True:
            self._some_wait.wait()
            time.sleep(GATHER_SECONDS)
            # Before the lines are taken, so that none is left behind without a wake-up.
            self._some_wait.clear()
            batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
            self._write([line for line in batch if isinstance(line, str)])
            self._tell_of_lost()
            for written in batch:
                if isinstance(written, threading.Event):
                    written.set()

    def _write(self, lines: list[str]) -> None:
        try:
            self._stream.write("".join(f"{line}\n" for line in lines))
            self._stream.flush()
        except (OSError, ValueError):
            # The reader is gone, and there is nowhere else to say so.
            return

    def _tell_of_lost(self) -> None:
        # Without the handler's lock: at the end of a program logging holds it and waits for us.
        lost = self._lost - self._told
        if lost:
            self._told += lost
            text, facts = "log lines lost", {"lines": lost}
            record = log.makeRecord(log.name, logging.WARNING, "", 0, text, (), None, extra=facts)
            self._write([self.format(record)])


def settle_lines() -> None:
    """Write what waits of the log; what is logged afterwards is written at once."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, LineWriter):
            handler.settle()
