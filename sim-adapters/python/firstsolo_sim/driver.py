"""Drives any Firstsolo simulator from Python: hello, reset, step, close."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any, Mapping, Optional, Sequence

import numpy as np
import zmq

from . import protocol
from .patience import Patience
from .protocol import ProtocolError
from .router import is_local
from .session_order import ServeError
from .shared_memory import Memory
from .spec import check_spec, refuse_pictures
from .visible import visible


@dataclass(frozen=True)
class Step:
    """What one control period brought; arrays are read-only. Rows are environments."""

    observations: dict[str, np.ndarray]
    rewards: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    final_rows: np.ndarray
    """Environments whose episode ended, ascending; empty when the server does not tell."""
    final_observations: dict[str, np.ndarray]
    log: dict[str, float] = field(default_factory=dict)
    teacher_actions: Optional[np.ndarray] = None
    """What the simulator's own teacher would do now; there when the client asked for it."""
    timing: dict[str, float] = field(default_factory=dict)


_ENVELOPE = (
    "malformed",
    "too-large",
    "unknown-type",
    "version-mismatch",
    "unknown-session",
    "busy",
    "stale-sequence",
    "sequence-gap",
)
"""Codes of section 7 that leave the number of their request unused."""


class Client:
    """One session with a simulator. Every request is repeated until answered, and carried out once.

    Raises ServeError for what the server refuses and for one that is lost, ProtocolError for a reply that does
    not follow the protocol. Times are in seconds.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        settings: Mapping[str, Any] = {},
        num_envs: Optional[int] = None,
        groups: Optional[Sequence[str]] = None,
        teacher_actions: bool = False,
        run: Optional[str] = None,
        startup_timeout: float = 300.0,
        step_timeout: float = 30.0,
        shared_memory: str = "off",
        curve: Optional[tuple[bytes, bytes, bytes]] = None,
        insecure: bool = False,
    ) -> None:
        """``teacher_actions`` asks for those of the simulator's own teacher.

        ``shared_memory``: ``auto`` exchanges large arrays with a simulator on this machine through memory, ``on``
        insists on it, ``off`` never does. ``run`` names a run: a later client of the same run takes over from this one at once.
        ``curve``: the server's public key, then the client's own public and secret key; without it a simulator
        beyond this machine is refused, unless ``insecure`` says that everybody in the network is trusted.
        """
        if curve is None and not insecure and not is_local(endpoint):
            message = f"{endpoint} is beyond this machine, and nothing protects the line"
            hint = "Give CURVE keys, or insecure=True where you trust everybody in the network."
            raise ServeError("unprotected-endpoint", message, hint)
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.linger = 0
        self._socket.immediate = 1
        self._socket.rcvhwm = self._socket.sndhwm = protocol.HIGH_WATER_MARK
        self._socket.maxmsgsize = protocol.MAX_FRAME_BYTES
        if curve is not None:
            server, public, secret = curve
            self._socket.curve_serverkey = server
            self._socket.curve_publickey = public
            self._socket.curve_secretkey = secret
        self._socket.connect(endpoint)
        self._endpoint = endpoint
        self._session = secrets.token_hex(12)
        self._seq = 0
        self._epoch: Optional[str] = None
        self._step_timeout = step_timeout
        self._stepped = False
        self._taught = teacher_actions
        self.teacher_actions: Optional[np.ndarray] = None
        self._memory = Memory(shared_memory, local=is_local(endpoint))
        try:
            self.welcome = self._greet(settings, num_envs, groups, run, startup_timeout)
            self.spec: dict[str, Any] = self.welcome["spec"]
            check_spec(self.spec)
            refuse_pictures(self.spec, int(self.welcome["protocol"]["minor"]))
            self._memory.take_up(self.welcome.get("shared_memory"), self.spec)
        except BaseException:
            self.close()
            raise

    def reset(self, seed: int) -> dict[str, np.ndarray]:
        """Starts a new episode everywhere; observations by group, ``[num_envs, ...shape]``."""
        _, tensors = self._call({"type": "reset", "seed": int(seed) & 0x7FFFFFFF}, {}, "frame", 60.0, 6)
        self.teacher_actions = self._teacher(tensors)
        return self._observations(tensors, "obs", self.spec["num_envs"])

    def step(self, actions: np.ndarray) -> Step:
        """``actions``: ``[num_envs, ...shape]``, clamped by the simulator to its bounds."""
        sent = {"actions": np.asarray(actions, dtype="<f4")}
        header, found = self._call({"type": "step"}, sent, "result", self._step_timeout, 1 if self._stepped else 10)
        self._stepped = True
        count = self.spec["num_envs"]
        rows = found.get("final/rows", np.zeros(0, "<i4"))
        self.teacher_actions = self._teacher(found)
        return Step(
            observations=self._observations(found, "obs", count),
            rewards=_take(found, "reward", (count,), "<f4"),
            terminated=_take(found, "terminated", (count,), "|u1").view(bool),
            truncated=_take(found, "truncated", (count,), "|u1").view(bool),
            final_rows=rows,
            final_observations=self._observations(found, "final", len(rows)) if len(rows) else {},
            log=header.get("log", {}),
            timing=header.get("timing", {}),
            teacher_actions=self.teacher_actions,
        )

    def close(self) -> None:
        """Tells the simulator; waits two seconds at most."""
        if self._socket.closed:
            return
        try:
            if self._epoch is not None:
                self._call({"type": "close"}, {}, "closed", 2.0, 1)
        except (ServeError, ProtocolError):
            pass
        finally:
            self._memory.drop()
            self._context.destroy(linger=0)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _greet(
        self, settings: Any, num_envs: Any, groups: Any, run: Optional[str], timeout: float
    ) -> dict[str, Any]:
        hello = {
            "type": "hello",
            "protocol": protocol.PROTOCOL_VERSION,
            "client": {"name": "firstsolo_sim", "version": "0.1.0"},
            "capabilities": [*(["teacher_actions"] if self._taught else []), *self._memory.capabilities],
            "settings": dict(settings),
        }
        if num_envs is not None:
            hello["num_envs"] = num_envs
        if groups is not None:
            hello["groups"] = list(groups)
        if run is not None:
            hello["run"] = run
        welcome, _ = self._call(hello, {}, "welcome", timeout, 6)
        self._epoch = welcome["epoch"]
        return welcome

    def _call(
        self, question: dict[str, Any], tensors: protocol.Tensors, answer: str, budget: float, patience: int
    ) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Repeats the request until its reply is there; beats extend the budget up to ``patience`` times."""
        frames = self._number(question, tensors)
        wait = Patience(budget, patience)
        while not wait.over():
            if wait.resend_due():
                if wait.renumber:
                    frames = self._number(question, tensors)
                wait.renumber, wait.refused = False, None
                self._send(frames)
            if not self._socket.poll(wait.pause()):
                continue
            reply, found = protocol.decode(self._socket.recv_multipart())
            if self._epoch is not None and reply.get("epoch") != self._epoch:
                hint = "Connect again and reset."
                raise ServeError("epoch-changed", "the simulator was restarted", hint, fatal=True)
            kind, seq = reply.get("type"), reply.get("seq")
            if kind == "error" and seq in (self._seq, 0):
                if self._memory.refused(reply):
                    frames = self._again(question, tensors)
                else:
                    self._refused(reply, wait)
            elif kind == "progress" and seq == self._seq:
                wait.beat()
            elif kind == answer and seq == self._seq:
                whole = self._memory.complete(reply, found)
                if whole is not None:
                    return reply, whole
                frames = self._again(question, tensors)
        if wait.refused is not None:
            raise wait.refused
        message = f"no reply to {question['type']} from {self._endpoint} for {budget:.0f} s"
        hint = "Allow more time (startup_timeout, step_timeout), or look at the simulator's output."
        raise ServeError("simulator-lost", message, hint, fatal=True)

    def _number(self, question: dict[str, Any], tensors: protocol.Tensors) -> list[Any]:
        """The question under the next number."""
        header = {**question, "seq": self._seq + 1, "session": self._session}
        frames = protocol.encode(*self._memory.worded(header, tensors))
        self._seq += 1
        return frames

    def _again(self, question: dict[str, Any], tensors: protocol.Tensors) -> list[Any]:
        """The same request, sent as frames after shared memory has failed."""
        self._seq -= 1
        frames = self._number(question, tensors)
        self._send(frames)
        return frames

    def _refused(self, reply: Mapping[str, Any], wait: Patience) -> None:
        """Raises what is final; what may succeed later is asked again, under a new number where it is used up."""
        refused = _refusal(reply)
        again = reply.get("retryable") is True and not refused.fatal
        envelope = refused.code in _ENVELOPE
        if not again:
            if envelope and not refused.fatal:
                self._seq -= 1
            raise refused
        if wait.refused is None:
            wait.refused, wait.renumber = refused, not envelope
            wait.resend_in(2.0 if refused.code == "busy" else wait.longer() / 2)

    def _send(self, frames: list[Any]) -> None:
        try:
            self._socket.send_multipart(frames, flags=zmq.NOBLOCK)
        except zmq.Again:
            pass  # no connection yet: asked again with the next round

    def _teacher(self, found: Any) -> Optional[np.ndarray]:
        if not self._taught:
            return None
        shape = (self.spec["num_envs"], *self.spec["action"]["shape"])
        return _take(found, "teacher/actions", shape, "<f4")

    def _observations(self, found: Any, prefix: str, count: int) -> dict[str, np.ndarray]:
        return {
            group: _take(found, f"{prefix}/{group}", (count, *tensor["shape"]), tensor["dtype"])
            for group, tensor in self.spec["observations"].items()
        }


def _take(found: Mapping[str, np.ndarray], name: str, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    array = found.get(name)
    if array is None or array.shape != shape or array.dtype.str != dtype:
        got = "nothing" if array is None else f"{array.dtype.str} {list(array.shape)}"
        raise ProtocolError("bad-tensor", f"tensors.{name}", f"got {got}, expected {dtype} {list(shape)}")
    if dtype == "<f4" and not (np.abs(array) <= protocol.MAX_MAGNITUDE).all():
        at = tuple(np.argwhere(~(np.abs(array) <= protocol.MAX_MAGNITUDE))[0])
        expected = f"expected a finite number of at most {protocol.MAX_MAGNITUDE:g} in size"
        problem = f"environment {at[0]} is {array[at]:.3g}, {expected}"
        raise ProtocolError("bad-value", f"tensors.{name}", problem)
    return array


def _refusal(reply: Mapping[str, Any]) -> ServeError:
    code, message, hint = (visible(str(reply.get(key, ""))) for key in ("code", "message", "hint"))
    return ServeError(code, message, hint, fatal=reply.get("fatal") is True)
