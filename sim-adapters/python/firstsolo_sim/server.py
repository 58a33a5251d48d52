"""Serves any object with a spec, a reset and a step to Firstsolo; README.md says what it must offer.

The simulation runs on the thread that calls ``serve`` (simulators with a graphics context demand the main
one). A second thread owns the socket: it decodes, orders and answers, and tells the driver that work goes on
even while the simulation holds the first thread for minutes.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any, Callable, Optional

import zmq

from . import protocol
from .front import Curve, Front, Job, error_header
from .hosting import Host
from .sessions import ServeError

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
    context = zmq.Context()
    front = Front(context, bind, connect, curve, once=once)
    thread = threading.Thread(target=front.run, name="firstsolo-socket", daemon=True)
    try:
        thread.start()
        log.info("serving at %s", front.endpoint)
        if on_ready is not None:
            on_ready(front.endpoint)
        _simulate(Host(env, name, version), front)
    except KeyboardInterrupt:
        log.info("stopped")
    finally:
        front.stopping = True
        thread.join(timeout=3)
        context.destroy(linger=0)


def _simulate(host: Host, front: Front) -> None:
    """Carries out one job after the other until there are no more."""
    knock = front.connect_worker()
    try:
        while (job := front.jobs.get()) is not None:
            if job.request["type"] == "close":
                host.driver_left()
                continue
            job.frames, job.failed = _carry_out(host, front, job)
            front.done.append(job)
            knock.send(b"")
    finally:
        knock.close(0)
        host.driver_left()


def _carry_out(host: Host, front: Front, job: Job) -> tuple[list[Any], bool]:
    seq = job.request["seq"]
    try:
        header, tensors = host.answer(job.request, job.tensors)
        if header["type"] in ("frame", "result"):
            timing = header.setdefault("timing", {})
            timing["total"] = time.monotonic() - job.since
        header.update(seq=seq, epoch=front.epoch)
        return protocol.encode(header, tensors), False
    except Exception as error:
        return protocol.encode(error_header(error, seq, front.epoch)), True
