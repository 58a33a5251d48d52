"""Who drives, and which requests were already carried out. Knows nothing of sockets; times in seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional

SILENCE = 30.0
"""A session not heard for this long may be replaced by another."""


class ServeError(Exception):
    """Something a server refuses; the driver receives its code, message and hint."""

    def __init__(
        self, code: str, message: str, hint: str, *, retryable: bool = False, fatal: bool = False
    ):
        super().__init__(message)
        self.code = code
        self.hint = hint
        self.retryable = retryable
        self.fatal = fatal


@dataclass
class _Session:
    id: str
    run: Optional[str]
    last_seq: int
    heard: float
    working: Optional[int] = None
    last_reply: list[Any] = field(default_factory=list)


class SessionOrder:
    """At most one session, at most one request at a time, none carried out twice."""

    def __init__(self) -> None:
        self._session: Optional[_Session] = None

    def judge(self, request: dict[str, Any], now: float) -> str:
        """``run``, ``replay``, or ``working``; raises ServeError where the request is refused."""
        session, seq = self._session, request["seq"]
        if request["type"] == "close":
            return "run"
        ours = session is not None and session.id == request["session"]
        if request["type"] == "hello":
            if session is None:
                return "run"
            if not ours:
                return self._takeover(session, request, now)
        elif not ours:
            hint = "The simulator was restarted, or another took over: start again with hello."
            message = f"the session {request['session']} is not the one that drives"
            raise ServeError("unknown-session", message, hint, fatal=True)
        session.heard = now
        verdict = _order(session, seq)
        if verdict == "run" and request["type"] == "hello":
            raise _gap(session, seq)
        return verdict

    @staticmethod
    def _takeover(session: _Session, request: dict[str, Any], now: float) -> str:
        if session.run is not None and session.run == request["run"]:
            return "run"  # the same run again: whoever drove it was killed, and this one goes on with it
        silence = now - session.heard
        if session.working is None and silence > SILENCE:
            return "run"
        message = f"another session drives; it was heard {silence:.0f} s ago"
        hint = f"Wait until it closes or has been silent for {SILENCE:.0f} s."
        raise ServeError("busy", message, hint, retryable=True)

    def drives(self, session: Optional[str]) -> bool:
        return self._session is not None and self._session.id == session

    def hear(self, session: Optional[str], now: float) -> None:
        if self.drives(session):
            self._session.heard = now

    def open(self, hello: dict[str, Any], now: float) -> None:
        """A new driver, whose ``hello`` is now being worked on."""
        seq = hello["seq"]
        self._session = _Session(hello["session"], hello["run"], seq - 1, now, working=seq)

    def begin(self, seq: int) -> None:
        self._session.working = seq

    def undo(self, session: str, seq: int) -> None:
        """The request could not be read after all; its number is free again."""
        if self.drives(session) and self._session.working == seq:
            self._session.working = None

    def finish(self, session: str, seq: int, reply: list[Any], now: float) -> bool:
        """Keeps the reply for a repeated request; false when the driver has left meanwhile."""
        found = self._session
        if found is None or found.id != session or found.working != seq:
            return False
        found.working, found.last_seq, found.last_reply, found.heard = None, seq, reply, now
        return True

    @property
    def last_reply(self) -> list[Any]:
        return self._session.last_reply

    def free(self, session: str) -> None:
        if self.drives(session):
            self._session = None


def _order(session: _Session, seq: int) -> str:
    if session.working == seq:
        return "working"
    if session.working is None and seq == session.last_seq:
        return "replay"
    if seq <= session.last_seq:
        message = f"seq {seq} was answered long ago; the last one was {session.last_seq}"
        raise ServeError("stale-sequence", message, "Only the last request may be repeated.")
    if session.working is not None or seq > session.last_seq + 1:
        raise _gap(session, seq)
    return "run"


def _gap(session: _Session, seq: int) -> ServeError:
    hint = "Send one request at a time, each with a seq one higher than the one before."
    return ServeError("sequence-gap", f"seq {seq} came after {session.last_seq}", hint)
