"""The Python server as bytes from strangers meet it: ``python python_server.py``, driven by python-server.ts.

On stdin one input after the other, its length (u32, little-endian) before it; in it frames, packed the same way. For
each a line on stdout: empty, or what went wrong. The socket is left out, everything behind it is the server's own.
"""

from __future__ import annotations

import logging
import resource
import struct
import sys
import traceback
import warnings
import zlib
from typing import Any, Iterator

import numpy as np
import zmq
from firstsolo_sim import protocol, server
from firstsolo_sim.env_calls import EnvCalls
from firstsolo_sim.examples.point_mass import PointMass
from firstsolo_sim.session_order import ServeError
from firstsolo_sim.served_socket import ServedSocket

MOST_MEGABYTES = 400
MOST_ENVS = 64
SERVED_EVERY = 500
"""Inputs from one look at whether a driver is served to the next."""
DRIVER = "fuzz-session-0001"
CLIENT = {"name": "fuzz", "version": "1"}
CODE = ("exec", "compile", "import", "open", "os.", "subprocess.", "socket.", "ctypes.", "pickle.", "marshal.")
"""Beginnings of what Python's audit calls the running of code, and the opening of files."""


class Mass(PointMass):
    """A point mass that can be kept and set back."""

    @property
    def spec(self) -> dict[str, Any]:
        return {**super().spec, "capabilities": ["bitwise", "snapshot"]}

    def snapshot(self) -> bytes:
        return np.stack([self._position, self._speed, self._age]).astype("<f8").tobytes()

    def restore(self, state: bytes) -> dict[str, np.ndarray]:
        if len(state) != 24 * self._count:
            raise ServeError("bad-snapshot", f"{len(state)} bytes", f"Give {24 * self._count}.")
        position, speed, age = np.frombuffer(state, "<f8").reshape(3, -1).copy()
        if not (np.abs([position, speed, age]) < 1e6).all():  # a NaN is not either
            raise ServeError("bad-snapshot", "no such state", "Give one that was made here.")
        self._position, self._speed = position, speed
        self._age = np.clip(age, 0, 20).astype(np.int64)
        return self._observe("obs", slice(None))


def open_mass(settings: Any, num_envs: Any, groups: Any) -> Mass:
    if settings:
        raise ServeError("unknown-setting", f"{list(settings)[:1]}", "Give none.")
    if num_envs is not None and num_envs > MOST_ENVS:
        raise ServeError("num-envs-refused", f"{num_envs}", f"At most {MOST_ENVS}.")
    return Mass({}, num_envs)


class Recorder:
    """In place of the socket: keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[list[bytes]] = []

    def send_multipart(self, frames: list[Any]) -> None:
        self.sent.append([bytes(frame) for frame in frames[1:]])


class Everybody:
    """In place of the limit on strangers, which would keep most inputs out."""

    def admits(self, peer: bytes, now: float) -> bool:
        return True


class Faults(logging.Handler):
    """What the server logs as its own mistakes, and what nobody may make it do."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.watching = False
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        cause = record.exc_info[1] if record.exc_info else None
        words = "".join(traceback.format_exception(cause)) if cause else ""
        self.found.append(f"{record.getMessage()}: {words}")

    def heard(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.watching or not event.startswith(CODE):
            return
        if event == "open" and (not isinstance(args[0], str) or args[0].startswith("/dev/shm/")):
            return
        if event.startswith(("os.remove", "os.truncate", "os.listdir", "os.scandir")):
            return  # of the memory that is shared with a driver
        self.watching = False  # the words may open a file themselves
        self.found.append(f"it did {event} {str(args)[:200]}")
        self.watching = True


def frames_of(data: bytes) -> list[bytes]:
    frames, at = [], 0
    while at + 4 <= len(data) and len(frames) < 70:
        (length,) = struct.unpack_from("<I", data, at)
        frames.append(data[at + 4 : at + 4 + length])
        at += 4 + len(frames[-1])
    return frames


class Served:
    """The server without its socket, one message after the other."""

    def __init__(self) -> None:
        self.sockets = ServedSocket(zmq.Context(), "inproc://fuzz", None, None)
        self.router = Recorder()
        self.sockets._router = self.router  # type: ignore[assignment]
        self.sockets._limit = Everybody()  # type: ignore[assignment]
        self.calls = EnvCalls(open_mass, "fuzz", "1", local=True)

    def take(self, peer: bytes, frames: list[bytes]) -> list[dict[str, Any]]:
        self.router.sent.clear()
        self.sockets._receive([peer, *frames])
        while not self.sockets.jobs.empty():
            job = self.sockets.jobs.get()
            if job.request["type"] == "close":
                self.calls.driver_left()
                continue
            job.frames, job.failed = server._carry_out(self.calls, self.sockets, job)
            self.sockets._deliver(job)
        return [protocol.decode(frames)[0] for frames in self.router.sent]

    def seat(self) -> None:
        """The driver of the corpus flies, and its next request has the number 2."""
        driving = self.sockets._order._session
        if driving is None or driving.id != DRIVER:
            self.greet(DRIVER)
            self.take(b"driver", protocol.encode({"type": "reset", "seq": 2, "session": DRIVER, "seed": 1}))
            driving = self.sockets._order._session
        driving.last_seq, driving.working = 1, None

    def greet(self, session: str) -> str:
        """Greets as one who finds the place free; what went wrong."""
        driving = self.sockets._order._session
        if driving is not None:
            self.sockets._order.free(driving.id)
        hello = {"type": "hello", "seq": 1, "session": session, "client": CLIENT, "num_envs": 2}
        hello["protocol"] = protocol.PROTOCOL_VERSION
        said = [reply["type"] for reply in self.take(b"driver", protocol.encode(hello))]
        return "" if said == ["welcome"] else f"a greeting was answered with {said}"


def inputs() -> Iterator[bytes]:
    while head := sys.stdin.buffer.read(4):
        yield sys.stdin.buffer.read(*struct.unpack("<I", head))


def main() -> None:
    faults = Faults()
    logging.getLogger("firstsolo_sim").addHandler(faults)
    logging.getLogger("firstsolo_sim").propagate = False
    sys.addaudithook(faults.heard)
    warnings.simplefilter("error")  # NumPy's too: what is computed from bytes of others must be a number
    served = Served()
    for number, data in enumerate(inputs()):
        faults.found.clear()
        try:
            drives = zlib.crc32(data) % 2 == 0  # the same whatever was tried before
            if drives:
                served.seat()
            served.take(b"driver" if drives else b"stranger", frames_of(data))
            wrong = served.greet(f"driver-{number:08d}") if number % SERVED_EVERY == 0 else ""
        except Exception:
            wrong = traceback.format_exc()
        faults.watching = number >= 50  # what is loaded once is loaded by then
        megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        if megabytes > MOST_MEGABYTES:
            wrong = f"it took {megabytes:.0f} MiB"
        words = " | ".join(filter(None, [*faults.found, wrong]))
        sys.stdout.write(words.replace("\n", " | ") + "\n")
        sys.stdout.flush()


main()
