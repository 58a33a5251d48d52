"""The socket's thread: decodes, orders, answers, and beats while the simulation is at work."""

from __future__ import annotations

import logging
import queue
import re
import secrets
import socket as sockets
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Optional, Sequence

import numpy as np
import zmq
import zmq.auth.thread

from . import protocol
from .protocol import ProtocolError
from .sessions import ServeError, SessionDesk

log = logging.getLogger("firstsolo_sim")

BEAT = 1.0
"""Seconds between two signs that a request is being worked on."""

_STAGES = {
    "hello": "loading",
    "reset": "resetting",
    "step": "stepping",
    "snapshot": "saving",
    "restore": "restoring",
}


@dataclass(frozen=True)
class Curve:
    """CURVE keys in Z85: the server's own, and the public keys of the clients that may come in."""

    public_key: bytes
    secret_key: bytes
    allowed_clients: Sequence[bytes]

    def callback(self, domain: str, key: bytes) -> bool:
        """Whether a client may come in; called by pyzmq's authenticator."""
        return key in [_bytes(allowed) for allowed in self.allowed_clients]


@dataclass
class Job:
    """A request for the simulation; ``to`` changes when the driver asks again over a new connection."""

    request: dict[str, Any]
    tensors: dict[str, np.ndarray]
    to: bytes
    since: float
    beat: float
    frames: list[Any] = field(default_factory=list)
    failed: bool = False


class Front:
    """Owns the ROUTER socket; everything but the attributes named here belongs to its thread.

    ``jobs`` holds what the simulation shall do (None: nothing more), ``done`` what it did.
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
        self.jobs: queue.SimpleQueue[Optional[Job]] = queue.SimpleQueue()
        self.done: deque[Job] = deque()
        self.stopping = False
        self._once = once
        self._context = context
        self._desk = SessionDesk()
        self._job: Optional[Job] = None
        self._bell = context.socket(zmq.PAIR)
        self._bell.bind("inproc://done")
        self._guard = _guard(context, curve)
        self._router = _router(context, bind, connect, curve)
        self.endpoint = self._router.getsockopt_string(zmq.LAST_ENDPOINT).rstrip("\0")

    def connect_worker(self) -> zmq.Socket:
        """The bell that the simulation's thread rings after it has put a job into ``done``."""
        knock = self._context.socket(zmq.PAIR)
        knock.connect("inproc://done")
        return knock

    def run(self) -> None:
        poller = zmq.Poller()
        poller.register(self._router, zmq.POLLIN)
        poller.register(self._bell, zmq.POLLIN)
        try:
            while not self.stopping:
                ready = dict(poller.poll(200))
                if self._bell in ready:
                    self._bell.recv()
                    self._deliver(self.done.popleft())
                if self._router in ready:
                    self._receive(self._router.recv_multipart())
                self._beat()
        finally:
            time.sleep(0.05)  # LINGER 0 drops what is not on its way: a moment for the last reply
            self._router.close(0)
            self._bell.close(0)
            if self._guard is not None:
                self._guard.stop()
            self.jobs.put(None)

    def _receive(self, frames: list[bytes]) -> None:
        peer, seq = frames[0], 0
        try:
            header, tensors = protocol.decode(frames[1:])
            if isinstance(header.get("seq"), int):
                seq = max(0, header["seq"])
            self._dispatch(peer, protocol.check_request(header), tensors)
        except (ProtocolError, ServeError) as error:
            self._send(peer, protocol.encode(error_header(error, seq, self.epoch)))
        except Exception as error:  # whatever arrives, the socket goes on
            log.exception("a message could not be handled")
            problem = ProtocolError("malformed", "header", type(error).__name__)
            self._send(peer, protocol.encode(error_header(problem, seq, self.epoch)))

    def _dispatch(self, peer: bytes, request: dict[str, Any], tensors: Any) -> None:
        kind, seq, session, now = request["type"], request["seq"], request["session"], time.monotonic()
        if kind == "ping":
            self._desk.hear(session, now)
            self._reply(peer, {"type": "pong", "seq": seq})
            return
        verdict = self._desk.judge(request, now)
        if verdict == "replay":
            self._send(peer, self._desk.last_reply)
        elif verdict == "working":
            if self._job is not None:
                self._job.to, self._job.beat = peer, now - BEAT
        elif kind == "close":
            self._reply(peer, {"type": "closed", "seq": seq})
            if self._desk.drives(session):
                self._desk.free(session)
                self.jobs.put(Job(request, {}, peer, now, now))
                self.stopping = self.stopping or self._once
        else:
            if kind == "hello":
                self._desk.open(session, seq, now)
                log.info("driven by %s", request["client"]["name"])
            else:
                self._desk.begin(seq)
            self._job = Job(request, tensors, peer, now, now)
            self.jobs.put(self._job)

    def _deliver(self, job: Job) -> None:
        session, seq = job.request["session"], job.request["seq"]
        if self._job is job:
            self._job = None
        if not self._desk.finish(session, seq, job.frames, time.monotonic()):
            return
        self._send(job.to, job.frames)
        if job.failed and job.request["type"] == "hello":
            self._desk.free(session)

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
    clean = " ".join(text.split()).encode(errors="replace").decode()
    return clean if len(clean) <= 1000 else clean[:999] + "…"


def _bytes(key: Any) -> bytes:
    return key.encode() if isinstance(key, str) else bytes(key)


def _guard(context: zmq.Context, curve: Optional[Curve]) -> Any:
    """Without it, CURVE encrypts but admits anyone who knows the server's public key."""
    if curve is None:
        return None
    guard = zmq.auth.thread.ThreadAuthenticator(context)
    guard.start()
    guard.configure_curve_callback(domain="*", credentials_provider=curve)
    return guard


def _router(
    context: zmq.Context, bind: Optional[str], connect: Optional[str], curve: Optional[Curve]
) -> zmq.Socket:
    if (bind is None) == (connect is None):
        raise ServeError("bad-endpoint", "exactly one of bind and connect is needed", "Give one.")
    router = context.socket(zmq.ROUTER)
    router.linger = 0
    router.rcvhwm = router.sndhwm = 4
    router.sndtimeo = 1000
    router.maxmsgsize = protocol.MAX_FRAME_BYTES
    router.router_mandatory = 1
    router.reconnect_ivl, router.reconnect_ivl_max = 100, 2000
    if curve is not None:
        router.curve_server = 1
        router.curve_publickey = _bytes(curve.public_key)
        router.curve_secretkey = _bytes(curve.secret_key)
    if connect is not None:
        router.connect(connect)
        return router
    _refuse_open_door(bind, curve)
    _refuse_taken_file(bind)
    try:
        router.bind(re.sub(":0$", ":*", bind))
    except zmq.ZMQError as error:
        hint = "Choose another address, or stop the process that listens there."
        raise ServeError("bind-failed", f"{bind}: {error}", hint) from error
    return router


def _refuse_open_door(bind: str, curve: Optional[Curve]) -> None:
    host = re.sub(r":[^:]*$", "", bind.replace("tcp://", "", 1))
    local = bind.startswith(("ipc://", "inproc://")) or host in ("localhost", "[::1]")
    if local or re.fullmatch(r"127(\.\d{1,3}){3}", host):
        return
    if curve is None or not curve.allowed_clients:
        message = f"{bind} can be reached from the network, and nothing says who may come in"
        hint = "Bind to ipc:// or 127.0.0.1, or give a Curve with the clients' public keys."
        raise ServeError("unprotected-endpoint", message, hint)


def _refuse_taken_file(bind: str) -> None:
    """ZeroMQ takes over a socket file that another process listens on, without a word; this asks first.

    A server that was just closed lets go a moment later, so it asks a few times.
    """
    if not bind.startswith("ipc://"):
        return
    for _ in range(5):
        with sockets.socket(sockets.AF_UNIX) as probe:
            probe.settimeout(1)
            try:
                probe.connect(bind[len("ipc://") :])
            except OSError:
                return
        time.sleep(0.2)
    raise ServeError("address-in-use", f"{bind}: another process listens there", "Stop it first.")
