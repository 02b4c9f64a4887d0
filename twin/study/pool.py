"""Independent jobs over processes: this one, workers of its own, or a cluster's.

Dask runs them. Workers of our own are fresh processes with one thread each, which compile (or load
what is compiled) once and then take job after job.
"""

import logging
import os
import signal
import sys
from collections.abc import Callable, Generator, Iterator, MutableMapping, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from types import ModuleType
from typing import TYPE_CHECKING, Any

from twin.errors import InputError, is_stop
from twin.plugins import load_plugins
from twin.registry import PLUGIN_TEXTS

if TYPE_CHECKING:
    from distributed import Client

_AHEAD = 1000
"""Jobs handed to the scheduler at a time, so that it need not hold all of a large study."""
_ANSWER_S = 5
"""How long to wait for a scheduler."""
_PATIENCE_S = 60
"""How long to wait for a cluster's first worker."""
_NOBODY = ModuleType("__main__")
"""Takes the place of the caller's script while workers of our own run."""
_CONFIG = {
    "distributed.worker.multiprocessing-method": "spawn",
    "distributed.worker.profile.enabled": False,
    "distributed.scheduler.allowed-failures": 1,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "5s",
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.nanny.pre-spawn-environ": dict.fromkeys(
        ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), 1
    ),
}
"""No process is forked from one with threads, no pages are served, and little is monitored.
Dask's default returns memory to the system often, which would cost a fifth of the time."""


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Processes that jobs run in.

    Attributes
    ----------
    workers : int, optional
        How many; all processors by default, none at all (jobs run in this process) for 1.
    plugins : sequence of str
        Plug-ins that they load: files or modules.
    progress : callable
        Called with (jobs done, jobs in all).
    """

    workers: int | None = None
    plugins: Sequence[str] = ()
    progress: Callable[[int, int], None] = lambda done, total: None  # noqa: ARG005

    def map(
        self,
        job: Callable[..., Any],
        arguments: Sequence[tuple[Any, ...]],
        *,
        keys: Sequence[str] | None = None,
        kept: MutableMapping[Any, Any] | None = None,
        advice: str = "start it again",
    ) -> list[Any]:
        """Call ``job(*arguments[i])`` for every i and return the results in that order.

        Parameters
        ----------
        job : callable
            Importable at module level.
        arguments : sequence of tuple
            One call each.
        keys : sequence of str, optional
            What the result of each call is kept by.
        kept : mapping, optional
            Results by their keys: those that are there are not computed, others are added as they
            end.
        advice : str
            What is said of an interruption.
        """
        results: MutableMapping[Any, Any] = {} if kept is None else kept
        names = range(len(arguments)) if keys is None else keys
        missing = [i for i, name in enumerate(names) if name not in results]
        calls = [(job, tuple(self.plugins), *arguments[i]) for i in missing]
        done, total = len(names) - len(missing), len(names)
        self.progress(done, total)
        try:
            # Closed at once, so that an error ends the workers before it is shown.
            with closing(run_jobs(_with_plugins, calls, workers=self.workers)) as ended:
                for i, result in ended:
                    if isinstance(result, Exception):
                        raise result
                    results[names[missing[i]]] = result
                    done += 1
                    self.progress(done, total)
        except BaseException as error:
            if is_stop(error) or isinstance(error, OSError):
                fate = ", none is kept" if kept is None else " and are kept"
                error.add_note(f"{done} of {total} were done{fate}; {advice}")
            raise
        return [results[name] for name in names]


def _with_plugins(job: Callable[..., Any], plugins: Sequence[str], *arguments: Any) -> Any:
    load_plugins(plugins)
    return job(*arguments)


def run_jobs[T](
    job: Callable[..., T],
    arguments: Sequence[tuple[Any, ...]],
    *,
    workers: int | None = None,
    scheduler: str | None = None,
) -> Generator[tuple[int, T | Exception]]:
    """Call ``job(*arguments[i])`` for every i; yield (i, result) as they end.

    A call that raises, or whose process dies again and again, yields its exception, and the others
    go on. Closing the iterator ends the workers, and calls that did not begin are given up.

    Parameters
    ----------
    job : callable
        Importable at module level, on a cluster also by its workers.
    arguments : sequence of tuple
        One call each.
    workers : int, optional
        Processes; all processors by default, none at all (in this process) for 1.
    scheduler : str, optional
        Address of a Dask scheduler whose workers are used instead.

    Raises
    ------
    InputError
        If no scheduler or worker answers at that address, or no longer does.
    """
    workers = min(workers or _processors(), len(arguments))
    if scheduler is None and workers <= 1:
        for i, args in enumerate(arguments):
            yield i, _outcome(job, args)
        return
    with ExitStack() as stack:
        client = _local(stack, workers) if scheduler is None else _remote(stack, scheduler)
        try:
            yield from _ended(client, job, arguments)
        except CancelledError:
            raise InputError(f"--scheduler {scheduler}: the connection is lost") from None


def _processors() -> int:
    """How many this process may use: fewer than there are under `taskset` or a batch system."""
    usable = getattr(os, "sched_getaffinity", None)  # not everywhere
    return len(usable(0)) if usable else os.cpu_count() or 1


def _outcome[T](job: Callable[..., T], args: tuple[Any, ...]) -> T | Exception:
    try:
        return job(*args)
    except Exception as error:
        return error


def _ended[T](
    client: "Client", job: Callable[..., T], arguments: Sequence[tuple[Any, ...]]
) -> Generator[tuple[int, T | Exception]]:
    from distributed import as_completed

    def submit(i: int) -> Any:
        # Never the result of an equal call: a study that is asked to compute, computes.
        future = client.submit(job, *arguments[i], pure=False)
        index[future.key] = i
        return future

    index: dict[Any, int] = {}
    waiting = iter(range(len(arguments)))
    ended = as_completed([submit(i) for i, _ in zip(waiting, range(_AHEAD), strict=False)])
    for future in ended:
        if future.cancelled():
            raise CancelledError
        yield index.pop(future.key), _survived(_outcome(future.result, ()))
        future.release()
        for i in waiting:
            ended.add(submit(i))
            break


def _survived[T](outcome: T | Exception) -> T | Exception:
    """The outcome, or who is to blame where no process lived long enough for one."""
    from distributed import KilledWorker

    if not isinstance(outcome, KilledWorker):
        return outcome
    loaded = ", ".join(PLUGIN_TEXTS)
    cause = f"it runs the plug-ins {loaded}" if loaded else "out of memory, or killed from outside"
    return InputError(f"every worker process that took a job died of it; {cause}")


@contextmanager
def _main_hidden() -> Iterator[None]:
    """Keep workers from running the caller's script again, which is what a new process does."""
    main = sys.modules["__main__"]
    if main is _NOBODY:  # another thread's cluster has hidden it, and brings it back
        yield
        return
    sys.modules["__main__"] = _NOBODY
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _signals_held() -> Iterator[None]:
    """Keep signals from threads and processes that are made here: this one ends them itself.

    Else Ctrl-C, which reaches all processes of a terminal, ends workers with tracebacks.
    """
    resource_tracker.ensure_running()  # when it begins, it lets them through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _local(stack: ExitStack, workers: int) -> "Client":
    import dask.config
    from distributed import Client, LocalCluster

    # As long as the cluster: a worker that died is started again.
    stack.enter_context(_main_hidden())
    stack.enter_context(dask.config.set(_CONFIG))
    with _signals_held():
        cluster = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
            memory_limit=0,
            silence_logs=logging.CRITICAL,
        )
    stack.enter_context(cluster)
    return stack.enter_context(Client(cluster))


def _remote(stack: ExitStack, scheduler: str) -> "Client":
    from distributed import Client

    try:
        client = stack.enter_context(Client(scheduler, timeout=_ANSWER_S))
    except (OSError, ValueError) as error:
        raise InputError(f"--scheduler {scheduler}: no answer: {error}") from None
    try:
        client.wait_for_workers(1, timeout=_PATIENCE_S)
    except TimeoutError:
        raise InputError(
            f"--scheduler {scheduler}: no worker within {_PATIENCE_S} s; start some with: "
            f"dask worker {scheduler}"
        ) from None
    return client
