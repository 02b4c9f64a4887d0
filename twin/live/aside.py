"""One piece of work at a time in a process of its own, so that the mirror never waits for it."""

from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from types import TracebackType
from typing import Any, Self


class Aside[Result]:
    """What has a process that works aside; use it as a context manager.

    Parameters
    ----------
    works : bool
        Whether it has one at all.
    """

    def __init__(self, *, works: bool) -> None:
        self._works = works
        self._pool: ProcessPoolExecutor | None = None
        self._at_work: Future[Result] | None = None

    def __enter__(self) -> Self:
        if self._works:
            # Not a fork of this process, which has threads.
            self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=error is None, cancel_futures=True)

    @property
    def open(self) -> bool:
        """Whether it takes work at all: it has been entered, and is wanted."""
        return self._pool is not None

    @property
    def busy(self) -> bool:
        """Whether it has work whose result has not been taken."""
        return self._at_work is not None

    def begin(self, work: Callable[..., Result], *about: Any) -> None:
        """Begin; it must be open, and not busy."""
        assert self._pool is not None
        assert self._at_work is None
        self._at_work = self._pool.submit(work, *about)

    def take(self, *, wait: bool = False) -> Result | None:
        """Return a result that is there, once; None if there is none yet."""
        if self._at_work is None or not (wait or self._at_work.done()):
            return None
        done, self._at_work = self._at_work, None
        return done.result()
