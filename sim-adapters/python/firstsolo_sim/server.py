"""Serves any object with a spec, a reset and a step to Firstsolo; README.md says what it must offer.

The simulation runs on the thread that calls ``serve`` (simulators with a graphics context demand the main
one), and so do reading and answering. A second thread takes the socket over while the simulation holds the first
one for more than a moment, answers whoever asks and tells the driver that work goes on.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import threading
import time
from typing import Any, Callable, Iterator, Optional

import zmq

from . import protocol
from .env_calls import EnvCalls
from .router import Curve, is_local
from .served_socket import Job, ServedSocket, error_header
from .session_order import ServeError

__all__ = ["Curve", "ServeError", "serve"]

log = logging.getLogger("firstsolo_sim")


def serve(
    env: Any,
    bind: Optional[str] = None,
    connect: Optional[str] = None,
    *,
    curve: Optional[Curve] = None,
    name: str = "firstsolo-sim",
    version: str = "0.1.0",
    once: bool = False,
    on_ready: Optional[Callable[[str], None]] = None,
) -> None:
    """Serves until interrupted; with ``once`` until the first session closes.

    ``env`` is an environment, or a callable ``open(settings, num_envs, groups)`` that builds one when a driver
    asks. Give exactly one of ``bind`` (listen there) and ``connect`` (dial out to a driver that listens).
    ``on_ready`` receives the address with its real port. Raises ServeError when the address may not be used.
    """
    with _audible():
        _serve(env, bind, connect, curve, name, version, once, on_ready)


def _serve(
    env: Any,
    bind: Optional[str],
    connect: Optional[str],
    curve: Optional[Curve],
    name: str,
    version: str,
    once: bool,
    on_ready: Optional[Callable[[str], None]],
) -> None:
    context = zmq.Context()
    socket = ServedSocket(context, bind, connect, curve, once=once)
    watch = threading.Thread(target=socket.watch, name="firstsolo-watch", daemon=True)
    try:
        watch.start()
        log.info("serving at %s", socket.endpoint)
        if on_ready is not None:
            on_ready(socket.endpoint)
        local = is_local(bind or connect or "")
        _simulate(EnvCalls(env, name, version, local=local), socket)
    except KeyboardInterrupt:
        log.info("stopped")
    finally:
        socket.stopping = True
        watch.join(timeout=3)
        socket.close()
        context.destroy(linger=0)


@contextlib.contextmanager
def _audible() -> Iterator[None]:
    """A program that has not set up logging hears on stderr that it serves, and whom."""
    if log.hasHandlers():
        yield
        return
    handler, level = logging.StreamHandler(), log.level
    handler.setFormatter(logging.Formatter("sim: %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


def _simulate(calls: EnvCalls, socket: ServedSocket) -> None:
    """Carries out one job after the other until there are no more."""
    try:
        while (job := socket.next_job()) is not None:
            if job.request["type"] == "close":
                calls.driver_left()
                continue
            job.frames, job.failed = _carry_out(calls, socket, job)
            socket.finish(job)
    finally:
        calls.driver_left()


def _carry_out(calls: EnvCalls, socket: ServedSocket, job: Job) -> tuple[list[Any], bool]:
    seq = job.request["seq"]
    try:
        header, tensors = calls.answer(job.request, job.tensors)
        if header["type"] in ("frame", "result"):
            timing = header.setdefault("timing", {})
            timing["total"] = time.monotonic() - job.since
        header.update(seq=seq, epoch=socket.epoch)
        shared = calls.share(job.request, tensors)
        if shared is None:
            return protocol.encode(header, tensors), False
        job.as_frames = functools.partial(protocol.encode, header, tensors)
        return protocol.encode({**header, "shared": shared}), False
    except Exception as error:
        job.unused = getattr(error, "code", None) == "bad-shared-memory"
        return protocol.encode(error_header(error, seq, socket.epoch)), True
