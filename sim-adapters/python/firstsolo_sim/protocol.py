"""Bytes to messages and back: a msgpack header map, then one raw little-endian frame per tensor.

Normative: protocol/README.md of Firstsolo. Nothing here knows of sockets or simulators.
"""

from __future__ import annotations

import difflib
import functools
import math
import re
from typing import Any, Iterable, Mapping, NoReturn, Sequence

import msgpack
import numpy as np

PROTOCOL_VERSION = {"major": 1, "minor": 3}
MAX_HEADER_BYTES = 65_536
MAX_FRAMES = 65
MAX_FRAME_BYTES = 268_435_456
MAX_DEPTH = 8
MAX_ENVS = 1_048_576
MAX_WIDTH = 65_536
MAX_PICTURE_BYTES = 1_048_576
MAX_OBSERVATION_BYTES = 1_073_741_824
"""Of one message, all groups together."""
PICTURES_SINCE = 2
"""The first minor version in which observation groups may be pictures."""
MAX_MAGNITUDE = 1e15
"""Of an observation, a reward or an action: squares of larger ones, added up, overflow in float32."""

HIGH_WATER_MARK = 16
"""Messages for a peer that doesn't read. ZeroMQ wakes us each time half of them are through; few, and it does so at
every step."""

_DTYPES = {"<f4": np.dtype("<f4"), "|u1": np.dtype("u1"), "<i4": np.dtype("<i4")}
_TRAVELLING = frozenset(_DTYPES.values())
_TENSOR_NAME = re.compile(r"[a-z][A-Za-z0-9_.-]*(/[A-Za-z][A-Za-z0-9_.-]*)?", re.ASCII)
GROUP_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*", re.ASCII)

Tensors = Mapping[str, np.ndarray]


class ProtocolError(Exception):
    """What travelled, or was about to, is not what the protocol says; ``field`` names the place."""

    def __init__(self, code: str, field: str, problem: str, hint: str = "See protocol/README.md."):
        super().__init__(f"{field}: {problem}")
        self.code = code
        self.field = field
        self.hint = hint


def malformed(field: str, problem: str) -> NoReturn:
    raise ProtocolError("malformed", field, problem)


# ---------------------------------------------------------------------------------- frames


def encode(header: Mapping[str, Any], tensors: Tensors = {}) -> list[Any]:
    """Frames of a message. Arrays are sent as they are: do not write to them afterwards."""
    described, frames = [], [b""]
    for name, array in tensors.items():
        array = travelling(name, array)
        described.append((name, array.dtype, array.shape))
        # Of no elements at all there is no view.
        frames.append(memoryview(array).cast("B") if array.size else memoryview(b""))
    check_plain(header)  # what is described above is plain by construction
    if described and (len(header) > 14 or "tensors" in header):
        packed = msgpack.packb({**header, "tensors": _entries(described)}, use_bin_type=True)
    else:
        packed = msgpack.packb(header, use_bin_type=True)
        if described:
            packed = bytes((packed[0] + 1,)) + packed[1:] + _tensor_list(tuple(described))
    if len(packed) > MAX_HEADER_BYTES:
        problem = f"{len(packed)} bytes, at most {MAX_HEADER_BYTES} may be sent"
        raise ProtocolError("too-large", "header", problem, "Leave out names and units.")
    frames[0] = packed
    return frames


def _entries(described: Iterable[tuple[str, np.dtype, tuple[int, ...]]]) -> list[dict[str, Any]]:
    return [{"name": name, "dtype": dtype.str, "shape": list(shape)} for name, dtype, shape in described]


@functools.lru_cache(maxsize=64)
def _tensor_list(described: tuple[tuple[str, np.dtype, tuple[int, ...]], ...]) -> bytes:
    """The last entry of a header, packed: steps have the same one again and again."""
    return msgpack.packb("tensors") + msgpack.packb(_entries(described), use_bin_type=True)


def travelling(name: str, array: Any) -> np.ndarray:
    """The array in one of the three element types that travel, contiguous; copied only if it must be."""
    if type(array) is np.ndarray and array.dtype in _TRAVELLING and array.flags.c_contiguous:
        return array
    array = np.asarray(array)
    if array.dtype == np.bool_:
        array = array.view(np.uint8)
    elif array.dtype.kind == "f" and array.dtype.str != "<f4":
        array = array.astype("<f4")
    elif array.dtype.kind in "iu" and array.dtype.str not in _DTYPES:
        array = array.astype("<i4")
    if array.dtype.str not in _DTYPES:
        malformed(f"tensors.{name}.dtype", f"{array.dtype} is none of {', '.join(_DTYPES)}")
    return np.ascontiguousarray(array)


def decode(frames: Sequence[Any]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Header (without ``tensors``) and tensors, which are read-only views of the frames."""
    if not 1 <= len(frames) <= MAX_FRAMES:
        raise ProtocolError("too-large", "frames", f"{len(frames)}, expected 1 to {MAX_FRAMES}")
    header = _unpack(frames[0])
    described = header.pop("tensors", [])
    if not isinstance(described, list) or len(described) != len(frames) - 1:
        malformed("tensors", f"must announce the {len(frames) - 1} frames that follow the header")
    tensors: dict[str, np.ndarray] = {}
    for i, (entry, frame) in enumerate(zip(described, frames[1:])):
        name, array = _tensor(i, entry, frame)
        if name in tensors:
            malformed(f"tensors.{name}", "this name comes twice")
        tensors[name] = array
    return header, tensors


def _unpack(packed: Any) -> dict[str, Any]:
    if len(packed) > MAX_HEADER_BYTES:
        problem = f"{len(packed)} bytes, at most {MAX_HEADER_BYTES} may be sent"
        raise ProtocolError("too-large", "header", problem)
    try:
        header = msgpack.unpackb(
            packed, raw=False, strict_map_key=True, ext_hook=_no_extension, object_pairs_hook=_no_twins
        )
    except ProtocolError:
        raise
    except Exception as error:
        raise ProtocolError("malformed", "header", f"cannot be decoded ({error})") from None
    if not isinstance(header, dict):
        malformed("header", "is not a map")
    check_plain(header)
    return header


def _no_extension(code: int, data: bytes) -> NoReturn:
    malformed("header", f"extension type {code} may not be sent")


def _no_twins(pairs: Iterable[tuple[Any, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            malformed("header", f"the key {key!r} comes twice")
        found[key] = value
    return found


def check_plain(value: Any, field: str = "", depth: int = 0) -> None:
    """Refuses everything but maps with text keys, lists, text, booleans, None and finite numbers."""
    if _is_plain(value, depth):
        return
    where = field or "header"
    if depth > MAX_DEPTH:
        malformed(where, f"nested deeper than {MAX_DEPTH}")
    if isinstance(value, float):
        if not math.isfinite(value):
            malformed(where, f"is {value}; only finite numbers may be sent")
    elif isinstance(value, int):
        if abs(value) > 2**53 - 1:
            malformed(where, f"{value} is beyond 2^53 - 1")
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str) or key == "__proto__":
                malformed(where, f"{key!r} may not be a key")
            check_plain(item, f"{field}.{key}" if field else key, depth + 1)
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            check_plain(item, f"{where}.{i}", depth + 1)
    elif value is not None and not isinstance(value, str):
        malformed(where, f"{type(value).__name__} may not be sent")


def _is_plain(value: Any, depth: int) -> bool:
    """Without the words for what is wrong; false also for kinds that need a closer look."""
    kind = type(value)
    if depth > MAX_DEPTH:
        return False
    if kind is str or kind is bool or value is None:
        return True
    if kind is float:
        return math.isfinite(value)
    if kind is int:
        return abs(value) <= 2**53 - 1
    if kind is dict:
        for key, item in value.items():
            if type(key) is not str or key == "__proto__" or not _is_plain(item, depth + 1):
                return False
        return True
    return (kind is list or kind is tuple) and all(_is_plain(item, depth + 1) for item in value)


def _tensor(index: int, entry: Any, frame: Any) -> tuple[str, np.ndarray]:
    name, dtype, sizes = check_described(index, entry)
    expected = tensor_bytes(dtype, sizes)
    if max(expected, len(frame)) > MAX_FRAME_BYTES:
        raise ProtocolError("too-large", f"tensors.{name}", f"more than {MAX_FRAME_BYTES} bytes")
    if expected != len(frame):
        problem = f"{sizes} {dtype} is {expected} bytes, the frame has {len(frame)}"
        malformed(f"tensors.{index}.shape", problem)
    return name, np.frombuffer(frame, dtype=_DTYPES[dtype]).reshape(sizes)


def tensor_bytes(dtype: str, shape: Sequence[int]) -> int:
    return math.prod(shape) * _DTYPES[dtype].itemsize


def check_described(index: int, entry: Any) -> tuple[str, str, list[int]]:
    """Name, dtype and shape of an entry of ``tensors`` or ``shared``."""
    field = f"tensors.{index}"
    if not isinstance(entry, dict):
        malformed(field, "is not a map")
    name, dtype, shape = entry.get("name"), entry.get("dtype"), entry.get("shape")
    if not isinstance(name, str) or len(name) > 128 or not _TENSOR_NAME.fullmatch(name):
        malformed(f"{field}.name", f"{str(name)[:80]!r} is not a tensor's name")
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        malformed(f"{field}.dtype", f"{str(dtype)[:80]!r} is none of {', '.join(_DTYPES)}")
    if not isinstance(shape, list) or len(shape) > 8:
        malformed(f"{field}.shape", "is not a list of at most 8 sizes")
    return name, dtype, [whole(size, f"{field}.shape") for size in shape]


# -------------------------------------------------------------------------------- requests


def whole(value: Any, field: str, low: int = 0, high: int = 2**53 - 1) -> int:
    """A whole number; a float without a fraction is one too, as JavaScript writes large ones so."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        malformed(field, f"got {str(value)[:80]}, expected a whole number from {low} to {high}")
    return value


def check_setting_names(given: Iterable[str], known: Iterable[str]) -> None:
    """Refuses a setting the simulator does not know, naming the nearest it does."""
    known = list(known)
    for name in given:
        if name in known:
            continue
        near = difflib.get_close_matches(name, known, n=1)
        guess = f" Did you mean env.{near[0]}?" if near else ""
        listed = ", ".join(f"env.{word}" for word in known) or "none"
        problem = "this simulator has no such setting"
        raise ProtocolError("unknown-setting", f"env.{name}", problem, f"Known: {listed}.{guess}")
