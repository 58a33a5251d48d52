"""Bytes to messages and back: a msgpack header map, then one raw little-endian frame per tensor.

Normative: protocol/README.md of Firstsolo. Nothing here knows of sockets or simulators.
"""

from __future__ import annotations

import difflib
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

_DTYPES = {"<f4": np.dtype("<f4"), "|u1": np.dtype("u1"), "<i4": np.dtype("<i4")}
_TENSOR_NAME = re.compile(r"[a-z][A-Za-z0-9_.-]*(/[A-Za-z][A-Za-z0-9_.-]*)?", re.ASCII)
_IDENTITY = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)
_SETTING = re.compile(r"[A-Za-z_]\w*(\.\w+)*", re.ASCII)
GROUP_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*", re.ASCII)
_TYPES = ("hello", "reset", "step", "snapshot", "restore", "close", "ping")

Tensors = Mapping[str, np.ndarray]


class ProtocolError(Exception):
    """What travelled, or was about to, is not what the protocol says; ``field`` names the place."""

    def __init__(self, code: str, field: str, problem: str, hint: str = "See protocol/README.md."):
        super().__init__(f"{field}: {problem}")
        self.code = code
        self.field = field
        self.hint = hint


def _refuse(field: str, problem: str) -> NoReturn:
    raise ProtocolError("malformed", field, problem)


# ---------------------------------------------------------------------------------- frames


def encode(header: Mapping[str, Any], tensors: Tensors = {}) -> list[Any]:
    """Frames of a message. Arrays are sent as they are: do not write to them afterwards."""
    described, frames = [], []
    for name, array in tensors.items():
        array = travelling(name, array)
        described.append({"name": name, "dtype": array.dtype.str, "shape": list(array.shape)})
        frames.append(memoryview(array.reshape(-1).view(np.uint8)))
    check_plain(header)  # what is described above is plain by construction
    message = {**header, "tensors": described} if described else header
    packed = msgpack.packb(message, use_bin_type=True)
    if len(packed) > MAX_HEADER_BYTES:
        problem = f"{len(packed)} bytes, at most {MAX_HEADER_BYTES} may be sent"
        raise ProtocolError("too-large", "header", problem, "Leave out names and units.")
    return [packed, *frames]


def travelling(name: str, array: Any) -> np.ndarray:
    """The array in one of the three element types that travel, contiguous; copied only if it must be."""
    array = np.asarray(array)
    if array.dtype == np.bool_:
        array = array.view(np.uint8)
    elif array.dtype.kind == "f" and array.dtype.str != "<f4":
        array = array.astype("<f4")
    elif array.dtype.kind in "iu" and array.dtype.str not in _DTYPES:
        array = array.astype("<i4")
    if array.dtype.str not in _DTYPES:
        _refuse(f"tensors.{name}.dtype", f"{array.dtype} is none of {', '.join(_DTYPES)}")
    return np.ascontiguousarray(array)


def decode(frames: Sequence[Any]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Header (without ``tensors``) and tensors, which are read-only views of the frames."""
    if not 1 <= len(frames) <= MAX_FRAMES:
        raise ProtocolError("too-large", "frames", f"{len(frames)}, expected 1 to {MAX_FRAMES}")
    header = _unpack(frames[0])
    described = header.pop("tensors", [])
    if not isinstance(described, list) or len(described) != len(frames) - 1:
        _refuse("tensors", f"must announce the {len(frames) - 1} frames that follow the header")
    tensors: dict[str, np.ndarray] = {}
    for i, (entry, frame) in enumerate(zip(described, frames[1:])):
        name, array = _tensor(i, entry, frame)
        if name in tensors:
            _refuse(f"tensors.{name}", "this name comes twice")
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
        _refuse("header", "is not a map")
    check_plain(header)
    return header


def _no_extension(code: int, data: bytes) -> NoReturn:
    _refuse("header", f"extension type {code} may not be sent")


def _no_twins(pairs: Iterable[tuple[Any, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            _refuse("header", f"the key {key!r} comes twice")
        found[key] = value
    return found


def check_plain(value: Any, field: str = "", depth: int = 0) -> None:
    """Refuses everything but maps with text keys, lists, text, booleans, None and finite numbers."""
    where = field or "header"
    if depth > MAX_DEPTH:
        _refuse(where, f"nested deeper than {MAX_DEPTH}")
    if isinstance(value, float):
        if not math.isfinite(value):
            _refuse(where, f"is {value}; only finite numbers may be sent")
    elif isinstance(value, int):
        if abs(value) > 2**53 - 1:
            _refuse(where, f"{value} is beyond 2^53 - 1")
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str) or key == "__proto__":
                _refuse(where, f"{key!r} may not be a key")
            check_plain(item, f"{field}.{key}" if field else key, depth + 1)
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            check_plain(item, f"{where}.{i}", depth + 1)
    elif value is not None and not isinstance(value, str):
        _refuse(where, f"{type(value).__name__} may not be sent")


def _tensor(index: int, entry: Any, frame: Any) -> tuple[str, np.ndarray]:
    name, dtype, sizes = check_described(index, entry)
    expected = tensor_bytes(dtype, sizes)
    if max(expected, len(frame)) > MAX_FRAME_BYTES:
        raise ProtocolError("too-large", f"tensors.{name}", f"more than {MAX_FRAME_BYTES} bytes")
    if expected != len(frame):
        problem = f"{sizes} {dtype} is {expected} bytes, the frame has {len(frame)}"
        _refuse(f"tensors.{index}.shape", problem)
    return name, np.frombuffer(frame, dtype=_DTYPES[dtype]).reshape(sizes)


def tensor_bytes(dtype: str, shape: Sequence[int]) -> int:
    return math.prod(shape) * _DTYPES[dtype].itemsize


def check_described(index: int, entry: Any) -> tuple[str, str, list[int]]:
    """Name, dtype and shape of an entry of ``tensors`` or ``shared``."""
    field = f"tensors.{index}"
    if not isinstance(entry, dict):
        _refuse(field, "is not a map")
    name, dtype, shape = entry.get("name"), entry.get("dtype"), entry.get("shape")
    if not isinstance(name, str) or len(name) > 128 or not _TENSOR_NAME.fullmatch(name):
        _refuse(f"{field}.name", f"{str(name)[:80]!r} is not a tensor's name")
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        _refuse(f"{field}.dtype", f"{str(dtype)[:80]!r} is none of {', '.join(_DTYPES)}")
    if not isinstance(shape, list) or len(shape) > 8:
        _refuse(f"{field}.shape", "is not a list of at most 8 sizes")
    return name, dtype, [whole(size, f"{field}.shape") for size in shape]


# -------------------------------------------------------------------------------- requests


def whole(value: Any, field: str, low: int = 0, high: int = 2**53 - 1) -> int:
    """A whole number; a float without a fraction is one too, as JavaScript writes large ones so."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        _refuse(field, f"got {str(value)[:80]}, expected a whole number from {low} to {high}")
    return value


def check_request(header: dict[str, Any]) -> dict[str, Any]:
    """The request with everything a server relies on checked, and defaults filled in."""
    kind = header.get("type")
    if kind not in _TYPES:
        problem = f"got {str(kind)[:80]!r}, expected one of {', '.join(_TYPES)}"
        raise ProtocolError("unknown-type", "type", problem)
    request = dict(header, seq=whole(header.get("seq"), "seq", 0 if kind == "ping" else 1))
    session = request.setdefault("session", None)
    if session is not None or kind != "ping":
        if not isinstance(session, str) or not _IDENTITY.fullmatch(session):
            _refuse("session", "expected 8 to 64 of A-Z a-z 0-9 _ -")
    if kind == "reset":
        request["seed"] = whole(header.get("seed"), "seed", 0, 2**32 - 1)
    if kind == "hello":
        _check_hello(request)
    elif request.setdefault("shared", None) is not None and not isinstance(request["shared"], list):
        _refuse("shared", "is not a list")
    return request


def _check_hello(hello: dict[str, Any]) -> None:
    version = hello.get("protocol")
    if not isinstance(version, dict):
        _refuse("protocol", "is not a map")
    if whole(version.get("major"), "protocol.major") != PROTOCOL_VERSION["major"]:
        problem = f"got version {version['major']}, this server speaks {PROTOCOL_VERSION['major']}"
        hint = "Install the same version of Firstsolo on both sides."
        raise ProtocolError("version-mismatch", "protocol.major", problem, hint)
    whole(version.get("minor"), "protocol.minor")
    client = hello.get("client")
    if not isinstance(client, dict) or not all(
        isinstance(client.get(key), str) for key in ("name", "version")
    ):
        _refuse("client", "must have a name and a version")
    settings = hello.setdefault("settings", {})
    if not isinstance(settings, dict) or len(settings) > 256:
        _refuse("settings", "is not a map of at most 256 entries")
    for name, value in settings.items():
        if len(name) > 128 or not _SETTING.fullmatch(name):
            _refuse(f"settings.{name[:80]}", "expected words joined by dots")
        items = value if isinstance(value, list) else [value]
        if len(items) > 1024 or any(isinstance(item, (dict, list)) for item in items):
            _refuse(f"settings.{name}", "expected a scalar or a list of scalars")
    capabilities = hello.setdefault("capabilities", [])
    if not isinstance(capabilities, list) or not all(isinstance(word, str) for word in capabilities):
        _refuse("capabilities", "is not a list of words")
    groups = hello.setdefault("groups", None)
    if groups is not None and not (
        isinstance(groups, list)
        and 1 <= len(groups) <= 60
        and all(isinstance(group, str) and GROUP_NAME.fullmatch(group) for group in groups)
    ):
        _refuse("groups", "is not a list of 1 to 60 group names")
    run = hello.setdefault("run", None)
    if run is not None and not (isinstance(run, str) and _IDENTITY.fullmatch(run)):
        _refuse("run", "expected 8 to 64 of A-Z a-z 0-9 _ -")
    if hello.setdefault("num_envs", None) is not None:
        hello["num_envs"] = whole(hello["num_envs"], "num_envs", 1, MAX_ENVS)


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
