"""Tensors in a file that both processes have open, instead of frames; protocol/README.md, section 11."""

from __future__ import annotations

import logging
import os
import re
import secrets
import stat
import struct
import tempfile
from typing import Any, Mapping, Optional, Sequence

import numpy as np

from .protocol import ProtocolError, check_described, tensor_bytes, travelling
from .session_order import ServeError

log = logging.getLogger("firstsolo_sim")

_MARK = b"FSSM\x01\0\0\0"
_HEAD = struct.Struct("<8sQQ40x")
_TAIL = struct.Struct("<Q")
_NAME = re.compile(r"firstsolo-shm-(\d+)-[0-9a-f]{24}", re.ASCII)
_PAGE = 4096
_ZEROS = bytes(64)

possible = hasattr(os, "preadv") and hasattr(os, "pwritev") and hasattr(os, "getuid")
"""Not on Windows."""


def _aligned(size: int) -> int:
    return -(-size // 64) * 64


class Lane:
    """One message at a time, each way; ``out`` and ``into`` are where records lie and the bytes they may have."""

    def __init__(self, file: int, out: tuple[int, int], into: tuple[int, int]) -> None:
        self._file, self._out, self._in = file, out, into

    def put(self, seq: int, tensors: Mapping[str, Any]) -> Optional[list[dict[str, Any]]]:
        """What to announce; None where they don't fit or can't be written: they travel as frames."""
        described: list[dict[str, Any]] = []
        pieces: list[Any] = [b""]
        body = 0
        for name, array in tensors.items():
            array = travelling(name, array)
            described.append({"name": name, "dtype": array.dtype.str, "shape": list(array.shape)})
            gap = -array.nbytes % 64
            if array.nbytes:
                pieces.append(memoryview(array.reshape(-1).view(np.uint8)))
            if gap:
                pieces.append(_ZEROS[:gap])
            body += array.nbytes + gap
        size = _HEAD.size + body + _TAIL.size
        if body == 0 or size > self._out[1]:
            return None
        pieces[0] = _HEAD.pack(_MARK, seq, body)
        pieces.append(_TAIL.pack(seq))
        try:
            return described if os.pwritev(self._file, pieces, self._out[0]) == size else None
        except OSError:
            return None  # no space left, most likely: the socket can do it

    def take(self, seq: int, described: Any) -> dict[str, np.ndarray]:
        """Copies, read-only; raises ProtocolError where the file does not hold what was announced."""
        entries = [check_described(i, entry) for i, entry in enumerate(described)]
        if len({name for name, _, _ in entries}) != len(entries):
            _bad("a name comes twice")
        sizes = [tensor_bytes(dtype, shape) for _, dtype, shape in entries]
        body = sum(_aligned(size) for size in sizes)
        size = _HEAD.size + body + _TAIL.size
        if size > self._in[1]:
            _bad(f"{size} bytes were announced, there is room for {self._in[1]}")
        record = np.empty(size, np.uint8)
        try:
            read = os.preadv(self._file, [record], self._in[0])
        except OSError as error:
            _bad(f"it cannot be read ({error})")
        if read != size:
            _bad(f"it ends early: {read} of {size} bytes are there")
        mark, first, length = _HEAD.unpack_from(record)
        (last,) = _TAIL.unpack_from(record, _HEAD.size + body)
        if mark != _MARK or (first, length, last) != (seq, body, seq):
            _bad(f"it holds seq {first} to {last} with {length} bytes, expected {seq} with {body}")
        record.flags.writeable = False
        tensors, at = {}, _HEAD.size
        for (name, dtype, shape), nbytes in zip(entries, sizes):
            tensors[name] = record[at : at + nbytes].view(dtype).reshape(shape)
            at += _aligned(nbytes)
        return tensors

    def close(self) -> None:
        os.close(self._file)


class Offered:
    """A simulator's file for one session; gone from its folder as soon as the driver has it open."""

    def __init__(self, spec: Mapping[str, Any]) -> None:
        """Raises OSError where there is no such memory."""
        folder = "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()
        _sweep(folder)
        self._path = os.path.join(folder, f"firstsolo-shm-{os.getpid()}-{secrets.token_hex(12)}")
        request, reply, size = _places(spec)
        token = secrets.token_hex(12)
        file = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW, 0o600)
        try:
            os.ftruncate(file, size)
            os.pwrite(file, token.encode(), 0)
        except BaseException:
            os.close(file)
            self.unlink()
            raise
        self.offer = {
            "path": self._path,
            "token": token,
            "bytes": size,
            "request_at": request,
            "reply_at": reply,
        }
        self.lane = Lane(file, out=(reply, size - reply), into=(request, reply - request))

    def unlink(self) -> None:
        _remove(self._path)

    def close(self) -> None:
        self.unlink()
        self.lane.close()


def accept(offer: Mapping[str, Any]) -> Lane:
    """The driver's end; raises ServeError saying why the file can't be used."""
    path, token = str(offer.get("path")), str(offer.get("token"))
    request, reply, size = (int(offer.get(key, 0)) for key in ("request_at", "reply_at", "bytes"))
    if not _NAME.fullmatch(os.path.basename(path)):
        _refuse(path, "is not a name that a simulator gives")
    try:
        file = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    except OSError as error:
        _refuse(path, f"cannot be opened ({error.strerror})")
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.getuid():
            _refuse(path, "is another user's")
        if stat.S_IMODE(found.st_mode) != 0o600 or found.st_nlink != 1:
            _refuse(path, "is open to others")
        if found.st_size != size or os.pread(file, len(token), 0) != token.encode():
            _refuse(path, "is not the simulator's")
        if not _PAGE <= request < reply < size or request % 64 or reply % 64:
            _refuse(path, "is laid out in a way that can't be read")
    except BaseException:
        os.close(file)
        raise
    _remove(path)
    return Lane(file, out=(request, reply - request), into=(reply, size - reply))


_WORTHWHILE = 65_536
"""Arrays of fewer bytes are as quick through the socket."""


class Memory:
    """What a driver shares with its simulator, if anything: how its requests travel and where replies lie."""

    def __init__(self, mode: str, *, local: bool) -> None:
        if mode not in ("auto", "on", "off"):
            hint = "Expected auto, on or off."
            raise ServeError("bad-argument", f"shared_memory is {mode!r}", hint)
        self._needed = mode == "on"
        self._offers = possible and (self._needed or (mode == "auto" and local))
        self._least = 0 if self._needed else _WORTHWHILE // 4
        self._lane: Optional[Lane] = None

    @property
    def capabilities(self) -> list[str]:
        return ["shared_memory"] if self._offers else []

    def take_up(self, offer: Any, spec: Mapping[str, Any]) -> None:
        """Raises ServeError where memory must be shared and cannot."""
        if not self._offers or not isinstance(offer, dict):
            if self._needed:
                hint = "Start it on this machine, with a version that can, or use auto."
                raise ServeError("no-shared-memory", "the simulator shares no memory", hint)
            return
        groups = spec["observations"].values()
        if self._needed or sum(4 * spec["num_envs"] * _width(one) for one in groups) >= _WORTHWHILE:
            try:
                self._lane = accept(offer)
            except ServeError as error:
                if self._needed:
                    raise
                log.warning("%s; arrays travel as frames", error)

    def worded(self, header: dict[str, Any], tensors: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
        """Header and tensors as they travel; the key ``shared`` says that the reply may be shared."""
        if self._lane is None or header["type"] == "close":
            return header, tensors
        large = sum(np.asarray(array).nbytes for array in tensors.values()) >= max(self._least, 1)
        shared = self._lane.put(header["seq"], tensors) if large else None
        if shared is None:
            return {**header, "shared": []}, tensors
        return {**header, "shared": shared}, {}

    def complete(self, reply: Mapping[str, Any], found: dict[str, Any]) -> Optional[dict[str, Any]]:
        """All tensors of a reply; None where the memory does not hold what was announced, and is given up."""
        shared = reply.get("shared")
        if not shared or self._lane is None:
            return found
        try:
            return {**found, **self._lane.take(reply["seq"], shared)}
        except ProtocolError as error:
            log.warning("shared memory: %s; going on with frames", error)
            self.drop()
            return None

    def refused(self, reply: Mapping[str, Any]) -> bool:
        """Whether an error says that the simulator could not read the memory, which is given up then."""
        if reply.get("code") != "bad-shared-memory" or self._lane is None:
            return False
        self.drop()
        return True

    def drop(self) -> None:
        lane, self._lane = self._lane, None
        if lane is not None:
            lane.close()


def _places(spec: Mapping[str, Any]) -> tuple[int, int, int]:
    """Room for every message of a flight, also where all episodes end at once."""
    count = spec["num_envs"]
    actions = _aligned(4 * count * _width(spec["action"]))
    reply = 2 * actions + 4 * _aligned(4 * count)
    reply += sum(2 * _aligned(4 * count * _width(group)) for group in spec["observations"].values())
    reply_at = _PAGE + _whole(actions)
    return _PAGE, reply_at, reply_at + _whole(reply)


def _width(tensor: Mapping[str, Any]) -> int:
    return tensor_bytes("|u1", tensor["shape"])


def _whole(body: int) -> int:
    return -(-(_HEAD.size + body + _TAIL.size) // _PAGE) * _PAGE


def _sweep(folder: str) -> None:
    """Removes files of simulators that were killed before their driver had come."""
    for name in os.listdir(folder):
        found = _NAME.fullmatch(name)
        if found is None or _running(int(found[1])):
            continue
        path = os.path.join(folder, name)
        try:
            if os.lstat(path).st_uid == os.getuid():
                os.unlink(path)
        except OSError:
            pass  # another start was quicker


def _running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass
    return True


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass  # the other side was quicker


def _bad(problem: str) -> Any:
    raise ProtocolError("bad-shared-memory", "shared", problem, "Send the arrays as frames.")


def _refuse(path: str, problem: str) -> Any:
    hint = "Both processes must run on this machine, as one user, and see the same folder."
    raise ServeError("no-shared-memory", f"shared memory: {path} {problem}", hint)
