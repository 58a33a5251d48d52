"""The server's socket: decodes, orders, answers, and beats while the simulation is at work."""

from __future__ import annotations

import logging
import queue
import re
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

import numpy as np
import zmq

from . import protocol
from .protocol import ProtocolError
from .request_check import check_request
from .router import Curve, open_guard, open_router
from .session_order import ServeError, SessionOrder
from .step_memory import StepMemory
from .stranger_limit import QuietLog, StrangerLimit
from .visible import visible

log = logging.getLogger("firstsolo_sim")

BEAT = 1.0
"""Seconds between two signs that a request is being worked on."""

MOMENT = 0.05
"""Seconds of a request's work in which nobody looks at the socket."""
_LOOK = 200
"""Milliseconds after which whoever waits for a message looks up."""

_STAGES = {
    "hello": "loading",
    "reset": "resetting",
    "step": "stepping",
    "snapshot": "saving",
    "restore": "restoring",
}


@dataclass
class Job:
    """A request for the simulation; ``to`` changes when the driver asks again over a new connection."""

    request: dict[str, Any]
    tensors: dict[str, np.ndarray]
    to: bytes
    since: float
    beat: float
    frames: list[Any] = field(default_factory=list)
    as_frames: Optional[Callable[[], list[Any]]] = None
    """The reply without shared memory, where its arrays lie there."""
    failed: bool = False
    unused: bool = False
    """It was refused without its number being used up."""


class ServedSocket:
    """Owns the ROUTER socket. Two threads use it in turns: the simulation's, while it has nothing to simulate, and
    one that watches, while a request takes longer than a moment. So a short step is read, made and answered by one
    thread: handing it to another and back costs more than the rest of it together.
    """

    def __init__(
        self,
        context: zmq.Context,
        bind: Optional[str],
        connect: Optional[str],
        curve: Optional[Curve],
        *,
        once: bool = False,
    ) -> None:
        self.epoch = secrets.token_hex(12)
        self.jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        """What the simulation shall do."""
        self.stopping = False
        self._once = once
        self._order = SessionOrder()
        self._steps = StepMemory()
        self._limit = StrangerLimit()
        self._quiet = QuietLog(log.info)
        self._driver = b""
        self._job: Optional[Job] = None
        self._as_frames: Optional[Callable[[], list[Any]]] = None
        self._turn = threading.Lock()
        self._wanted = False
        self._bell, self._knock = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
        self._bell.bind("inproc://turn")
        self._knock.connect("inproc://turn")
        self._guard = open_guard(context, curve)
        self._router = open_router(context, bind, connect, curve)
        self._router.rcvtimeo = _LOOK
        self.endpoint = self._router.getsockopt_string(zmq.LAST_ENDPOINT).rstrip("\0")

    def next_job(self) -> Optional[Job]:
        """Serves the socket until there is something to simulate; None: nothing more."""
        self._take_turn()
        try:
            while self.jobs.empty():
                if self.stopping:
                    return None
                try:
                    frames = self._router.recv_multipart()
                except zmq.Again:
                    continue
                self._receive(frames)
        finally:
            self._turn.release()
        return self.jobs.get()

    def finish(self, job: Job) -> None:
        """Answers what was carried out."""
        self._take_turn()
        try:
            self._deliver(job)
        finally:
            self._turn.release()

    def _take_turn(self) -> None:
        if not self._turn.acquire(blocking=False):
            self._wanted = True
            self._knock.send(b"")  # the watch may be waiting for a message
            self._turn.acquire()

    def watch(self) -> None:
        """A thread of its own: serves the socket while the simulation holds the other one."""
        while not self.stopping:
            time.sleep(MOMENT)
            job = self._job
            if job is None or time.monotonic() - job.since < MOMENT or not self._turn.acquire(blocking=False):
                continue
            try:
                self._stand_in()
            finally:
                self._turn.release()

    def _stand_in(self) -> None:
        poller = zmq.Poller()
        poller.register(self._router, zmq.POLLIN)
        poller.register(self._bell, zmq.POLLIN)
        while self._job is not None and not self._wanted and not self.stopping:
            if self._router in dict(poller.poll(_LOOK)):
                self._receive(self._router.recv_multipart())
            self._beat()
        if self._wanted and self._bell.poll(_LOOK):  # it was rung, or is about to be
            self._bell.recv()
        self._wanted = False

    def close(self) -> None:
        """Once no other thread uses it."""
        time.sleep(0.05)  # LINGER 0 drops what is not on its way: a moment for the last reply
        for socket in (self._router, self._bell, self._knock):
            socket.close(0)
        if self._guard is not None:
            self._guard.stop()

    def _receive(self, frames: list[bytes]) -> None:
        peer, seq = frames[0], 0
        if peer != self._driver and not self._limit.admits(peer, time.monotonic()):
            return
        try:
            known = self._steps.recall(frames)
            if known is not None:
                request, tensors = known
                seq = request["seq"]
            else:
                header, tensors = protocol.decode(frames[1:])
                if isinstance(header.get("seq"), int):
                    seq = max(0, header["seq"])
                request = check_request(header)
                self._steps.learn(frames, request)
            self._dispatch(peer, request, tensors)
            if self._order.drives(request["session"]):
                self._driver = peer
        except (ProtocolError, ServeError) as error:
            self._send(peer, protocol.encode(error_header(error, seq, self.epoch)))
        except Exception as error:  # whatever arrives, the socket goes on
            log.exception("a message could not be handled")
            problem = ProtocolError("malformed", "header", type(error).__name__)
            self._send(peer, protocol.encode(error_header(problem, seq, self.epoch)))

    def _dispatch(self, peer: bytes, request: dict[str, Any], tensors: Any) -> None:
        kind, seq, session, now = request["type"], request["seq"], request["session"], time.monotonic()
        if kind == "ping":
            self._order.hear(session, now)
            if request.get("spare") is True:
                self._quiet.say("the runner flies another simulator: this is a spare", now)
            self._reply(peer, {"type": "pong", "seq": seq})
            return
        verdict = self._order.judge(request, now)
        if verdict == "replay":
            again = self._as_frames if request.get("shared") is None else None
            self._send(peer, self._order.last_reply if again is None else again())
        elif verdict == "working":
            if self._job is not None:
                self._job.to, self._job.beat = peer, now - BEAT
        elif kind == "close":
            self._reply(peer, {"type": "closed", "seq": seq})
            if self._order.drives(session):
                self._order.free(session)
                self.jobs.put(Job(request, {}, peer, now, now))
                self.stopping = self.stopping or self._once
        else:
            if kind == "hello":
                self._order.open(request, now)
                log.info("driven by %s", visible(request["client"]["name"]))
            else:
                self._order.begin(seq)
            self._job = Job(request, tensors, peer, now, now)
            self.jobs.put(self._job)

    def _deliver(self, job: Job) -> None:
        session, seq = job.request["session"], job.request["seq"]
        if self._job is job:
            self._job = None
        if job.unused:
            self._order.undo(session, seq)
            self._send(job.to, job.frames)
            return
        if not self._order.finish(session, seq, job.frames, time.monotonic()):
            return
        self._as_frames = job.as_frames
        self._send(job.to, job.frames)
        if job.failed and job.request["type"] == "hello":
            self._order.free(session)

    def _beat(self) -> None:
        job, now = self._job, time.monotonic()
        if job is None or now - job.beat < BEAT:
            return
        job.beat = now
        kind, seq, elapsed = job.request["type"], job.request["seq"], now - job.since
        beat = {"type": "progress", "seq": seq, "stage": _STAGES[kind], "elapsed": elapsed}
        self._reply(job.to, beat)

    def _reply(self, peer: bytes, header: dict[str, Any]) -> None:
        self._send(peer, protocol.encode({**header, "epoch": self.epoch}))

    def _send(self, peer: bytes, frames: list[Any]) -> None:
        try:
            self._router.send_multipart([peer, *frames])
        except zmq.ZMQError:
            pass  # gone, or not reading: the reply is kept, and the driver asks again


def error_header(error: Exception, seq: int, epoch: str) -> dict[str, Any]:
    """An ``error`` reply. Errors with ``code`` and ``hint`` keep their words; others never show a traceback."""
    code, hint = getattr(error, "code", None), getattr(error, "hint", None)
    explained = isinstance(code, str) and isinstance(hint, str)
    if not explained:
        log.error("the simulator failed", exc_info=error)
    header = {
        "type": "error",
        "seq": seq,
        "epoch": epoch,
        "code": code if explained and re.fullmatch("[a-z][a-z0-9-]{0,63}", code) else "simulator-failed",
        "message": _line(str(error) if explained else f"{type(error).__name__}: {error}"),
        "hint": _line(hint) if explained else "The simulator's own log says more.",
        "retryable": getattr(error, "retryable", False) is True,
        "fatal": not explained or code == "version-mismatch" or getattr(error, "fatal", False) is True,
    }
    if isinstance(getattr(error, "field", None), str):
        header["field"] = _line(error.field)
    if code == "version-mismatch":
        header["protocol"] = protocol.PROTOCOL_VERSION
    return header


def _line(text: str) -> str:
    clean = visible(" ".join(text.split()))
    return clean if len(clean) <= 1000 else clean[:999] + "…"
