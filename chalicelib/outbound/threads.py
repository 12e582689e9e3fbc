"""Work that may hang where nothing can stop it, such as in a resolver: done in another thread.

Who waits goes on at the deadline and leaves the thread behind. How many can be left is bounded:
past `most_left_behind`, nothing is begun until one of them ends. At worst there are as many more
as callers that were waiting at that moment.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

T = TypeVar("T")


class TooManyLeftBehindError(Exception):
    """As many threads hang as may."""


class Threads:
    """Runs each piece of work in a thread of its own."""

    def __init__(self, most_left_behind: int) -> None:
        self._most = most_left_behind
        self._left_behind = 0
        self._lock = Lock()

    def run(self, work: Callable[[], T], seconds: float) -> T:
        """What `work` returns or raises within `seconds`.

        Raises TimeoutError, and TooManyLeftBehindError if it was not begun.
        """
        with self._lock:
            if self._left_behind >= self._most:
                raise TooManyLeftBehindError
        pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="exchange")
        running = pool.submit(work)
        pool.shutdown(wait=False)
        try:
            return running.result(seconds)
        except TimeoutError:
            self._leave_behind(running)
            raise

    def _leave_behind(self, running: Future[T]) -> None:
        with self._lock:
            self._left_behind += 1
        running.add_done_callback(self._has_ended)

    def _has_ended(self, _: Future[T]) -> None:
        with self._lock:
            self._left_behind -= 1
