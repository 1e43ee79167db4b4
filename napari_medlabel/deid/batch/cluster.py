"""The workers of a Dask cluster: the same tasks, on computers that share the folders."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from napari_medlabel._optional import require
from napari_medlabel.deid.batch.codes import Codes
from napari_medlabel.deid.batch.one_file import Job, Worked, work
from napari_medlabel.deid.batch.sources import Listed
from napari_medlabel.errors import InputError, SaveError

_EXTRA = "cluster"
_CONNECT_S = 15
_SCHEMES = frozenset({"tcp", "tls", "ws", "wss", "ucx"})
_LOOK_S = 5.0
_PATIENCE_S = 120.0
_AHEAD = 4  # chunks for each thread of the cluster that wait or are worked on


class Cluster:
    """A running Dask cluster.

    Each task carries rules and key, so that any worker can take it over from one that was
    lost. Workers must reach source and target under the same paths.

    Parameters
    ----------
    job : Job
        What is worked on.
    address : str
        Of the scheduler, such as ``tcp://10.0.0.1:8786`` or ``tls://...``.
    clock : callable
        Seconds that only grow.

    Raises
    ------
    InputError
        When nobody answers there.
    MissingPackageError
        When dask.distributed is not installed.
    """

    def __init__(
        self, job: Job, address: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = _connected(address)
        self._job, self._clock = job, clock
        self._killed: type[Exception] = require(
            "distributed.scheduler", extra=_EXTRA
        ).KilledWorker

    @property
    def lost(self) -> tuple[type[Exception], ...]:
        """What tells that worker after worker ended at a task."""
        return (self._killed,)

    @property
    def ahead(self) -> int:
        """Count of chunks that may be given away at once."""
        threads: int = sum(self._client.ncores().values())
        return _AHEAD * max(1, threads)

    def submit(self, files: Sequence[Listed], codes: Codes) -> Remote:
        """Give some files away."""
        return Remote(
            self._client.submit(work, self._job, tuple(files), codes, pure=False), self
        )

    def wait(self, future: Any) -> Worked:
        """Wait for a task, as long as there are workers.

        Raises
        ------
        SaveError
            When the scheduler is gone, or there has been no worker for two minutes.
        """
        since = self._clock()
        while True:
            try:
                worked: Worked = future.result(timeout=_LOOK_S)
            except TimeoutError:
                if self._client.ncores():
                    since = self._clock()
                elif self._clock() - since > _PATIENCE_S:
                    raise _gone("has had no worker for two minutes") from None
            except self._killed:
                raise
            except (OSError, _cancelled()) as err:
                raise _gone("was lost") from err
            else:
                return worked

    def close(self) -> None:
        """Leave the cluster, which goes on without us."""
        self._client.close()


@dataclass(frozen=True)
class Remote:
    """A task on the cluster.

    Parameters
    ----------
    future : distributed.Future
        Of the cluster's own kind.
    cluster : Cluster
        Where it is.
    """

    future: Any
    cluster: Cluster

    def done(self) -> bool:
        """Whether it is finished."""
        return bool(self.future.done())

    def result(self) -> Worked:
        """Wait for it."""
        return self.cluster.wait(self.future)


def check_scheduler(address: str) -> None:
    """Make sure that a cluster answers, before anything begins.

    Parameters
    ----------
    address : str
        As for `Cluster`.

    Raises
    ------
    InputError, MissingPackageError
        As `Cluster`.
    """
    _connected(address).close()


def _connected(address: str) -> Any:
    """Return a client of the cluster."""
    distributed = require("distributed", extra=_EXTRA)
    host, port = _place_of(address)
    try:
        # Whoever is not there is found without Dask, whose client goes on trying by itself.
        socket.create_connection((host, port), timeout=_CONNECT_S).close()
        return distributed.Client(address, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as err:
        raise InputError(
            "The scheduler of a Dask cluster was expected at --scheduler, and none "
            f"answered within {_CONNECT_S} s.",
            hint="Start one with `dask scheduler` and workers with `dask worker ADDRESS`.",
        ) from err


def _place_of(address: str) -> tuple[str, int]:
    """Return host and port.

    Raises
    ------
    InputError
        When the address is not of the form that Dask has.
    """
    parts = urlsplit(address)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if parts.scheme not in _SCHEMES or not host or not port:
        raise InputError(
            "--scheduler was expected to be an address such as tcp://HOST:8786.",
            hint="`dask scheduler` prints it when it starts.",
        )
    return host, port


def _cancelled() -> type[BaseException]:
    """Return what the cluster raises for tasks that nobody knows any more."""
    found: type[BaseException] = require("distributed.client", extra=_EXTRA).CancelledError
    return found


def _gone(what: str) -> SaveError:
    return SaveError(
        f"The cluster {what}.",
        hint="Start workers again; with --resume what is done already is not done twice.",
    )
