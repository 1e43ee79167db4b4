"""The heart beats in a thread of its own until it is stopped, from wherever."""

from __future__ import annotations

import threading

from napari_medlabel.audit.writer.heart import Heart


def test_it_beats_until_it_is_stopped() -> None:
    beats = threading.Semaphore(0)
    heart = Heart(beats.release, 0.001)
    for _ in range(3):
        assert beats.acquire(timeout=10)
    heart.stop()
    heart.stop()
    assert not heart._thread.is_alive()


def test_it_can_be_stopped_by_a_beat() -> None:
    ready, beaten = threading.Event(), threading.Event()

    def beat() -> None:
        assert ready.wait(10)
        heart.stop()
        beaten.set()

    heart = Heart(beat, 0.001)
    ready.set()
    assert beaten.wait(10)
    heart._thread.join(10)
    assert not heart._thread.is_alive()
