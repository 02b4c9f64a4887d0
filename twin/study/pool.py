"""Independent jobs over worker processes, results in the order of the jobs."""

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any


def map_jobs[T](
    job: Callable[..., T],
    arguments: Sequence[tuple[Any, ...]],
    *,
    workers: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,  # noqa: ARG005
) -> list[T]:
    """Call ``job(*arguments[i])`` for every i and return the results in that order.

    Parameters
    ----------
    job : callable
        Importable at module level.
    arguments : sequence of tuple
        One call each.
    workers : int, optional
        Processes; all processors by default, none at all (in this process) for 1.
    progress : callable
        Told (jobs done, jobs in all).
    """
    workers = min(workers or os.cpu_count() or 1, len(arguments))
    progress(0, len(arguments))
    if workers <= 1:
        results = []
        for i, args in enumerate(arguments):
            results.append(job(*args))
            progress(i + 1, len(arguments))
        return results
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        futures = [pool.submit(job, *args) for args in arguments]
        try:
            for done, future in enumerate(as_completed(futures), start=1):
                future.result()
                progress(done, len(arguments))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
        return [future.result() for future in futures]
