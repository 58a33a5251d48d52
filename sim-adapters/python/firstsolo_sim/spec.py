"""What a specification must satisfy before it may travel; protocol/README.md, section 6."""

from __future__ import annotations

import difflib
import hashlib
import json
import math
from typing import Any, Mapping, NoReturn

import numpy as np

from .protocol import GROUP_NAME, MAX_ENVS, MAX_FRAME_BYTES, MAX_OBSERVATION_BYTES, MAX_PICTURE_BYTES
from .protocol import MAX_WIDTH, PICTURES_SINCE, ProtocolError, whole

CAPABILITIES = ("bitwise", "snapshot", "teacher_actions")


def plain(value: Any) -> Any:
    """NumPy's and torch's scalars and arrays anywhere in it as Python's own, tuples as lists."""
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, np.dtype):
        return value.str
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    return value


def plain_spec(spec: Any) -> Any:
    """The specification as ``plain`` has it; one bound for all components of the action becomes one for each."""
    found = plain(spec)
    if not isinstance(found, dict) or not isinstance(found.get("action"), dict):
        return found
    action = found["action"]
    for key in ("low", "high"):
        if isinstance(action.get(key), (int, float)) and isinstance(action.get("shape"), list):
            action[key] = [action[key]] * width_of(action)
    return found


def is_picture(tensor: Mapping[str, Any]) -> bool:
    """Whether the group is one of pictures: bytes, ``[height, width, channels]``."""
    return tensor.get("dtype") == "|u1"


def picture_groups(spec: Mapping[str, Any]) -> list[str]:
    return [group for group, tensor in spec["observations"].items() if is_picture(tensor)]


def refuse_pictures(spec: Mapping[str, Any], minor: int) -> None:
    """Raises ProtocolError for a picture from a peer whose version knows none."""
    for group in picture_groups(spec) if minor < PICTURES_SINCE else []:
        problem = f"is |u1, a picture; the sender speaks version 1.{minor}, pictures need 1.{PICTURES_SINCE}"
        _bad_spec(f"observations.{group}.dtype", problem)


def width_of(tensor: Mapping[str, Any]) -> int:
    """Components of one environment's share."""
    return math.prod(tensor["shape"])


def check_spec(spec: Any) -> None:
    """Raises ProtocolError naming the first field that is wrong."""
    if not isinstance(spec, Mapping):
        _bad_spec("", "is not a map")
    needed = ("task", "num_envs", "control_period", "max_episode_steps", "autoreset")
    for key in (*needed, "observations", "action", "capabilities"):
        if key not in spec:
            _bad_spec(key, "is missing")
    envs = whole(spec["num_envs"], "spec.num_envs", 1, MAX_ENVS)
    whole(spec["max_episode_steps"], "spec.max_episode_steps", 1)
    period = spec["control_period"]
    if not isinstance(period, (int, float)) or not (0 < period < math.inf):
        _bad_spec("control_period", f"got {period}, expected seconds > 0")
    if spec["autoreset"] != "same_step":
        _bad_spec("autoreset", "version 1 knows same_step only")
    if not spec["observations"]:
        _bad_spec("observations", "has no group")
    for group, tensor in spec["observations"].items():
        if not isinstance(group, str) or not GROUP_NAME.fullmatch(group):
            _bad_spec("observations", f"{group!r} is not a group's name")
        _check_tensor_spec(tensor, envs, f"observations.{group}", pictures=True)
    sent = sum(_bytes_of(tensor, envs) for tensor in spec["observations"].values())
    if sent > MAX_OBSERVATION_BYTES:
        problem = f"all groups of {envs} environments are {sent} bytes"
        _bad_spec("observations", f"{problem}, at most {MAX_OBSERVATION_BYTES} may be sent at once")
    _check_capabilities(spec["capabilities"])
    action = spec["action"]
    if not isinstance(action, Mapping):
        _bad_spec("action", "is not a map")
    _check_tensor_spec(action, envs, "action")
    bounds = [action.get("low", ()), action.get("high", ())]
    if any(len(bound) != width_of(action) for bound in bounds):
        _bad_spec("action", f"low and high need {width_of(action)} entries each")
    for low, high in zip(*bounds):
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            _bad_spec("action", f"goes from {low} to {high}; expected finite, low < high")


def _check_capabilities(words: Any) -> None:
    """Words of one's own are fine; one that all but is a known word is a slip, and would be ignored in silence."""
    if not isinstance(words, (list, tuple)) or not all(isinstance(word, str) for word in words):
        _bad_spec("capabilities", "is not a list of words")
    for word in words:
        near = difflib.get_close_matches(word.lower().replace("-", "_"), CAPABILITIES, n=1, cutoff=0.75)
        if near and word not in CAPABILITIES:
            _bad_spec("capabilities", f"has {word!r}: is {near[0]!r} meant?")


def _check_tensor_spec(tensor: Any, envs: int, field: str, pictures: bool = False) -> None:
    picture = pictures and isinstance(tensor, Mapping) and is_picture(tensor)
    if not picture and (not isinstance(tensor, Mapping) or tensor.get("dtype") != "<f4"):
        _bad_spec(f"{field}.dtype", "expected <f4, or |u1 for pictures" if pictures else "expected <f4")
    shape = tensor.get("shape")
    if not isinstance(shape, (list, tuple)) or not 1 <= len(shape) <= 8:
        _bad_spec(f"{field}.shape", "expected 1 to 8 sizes")
    if picture and len(shape) != 3:
        _bad_spec(f"{field}.shape", f"{list(shape)} of |u1 is no picture: [height, width, channels]")
    most = MAX_PICTURE_BYTES if picture else MAX_WIDTH
    for size in shape:
        whole(size, f"spec.{field}.shape", 1, most)
    width = width_of(tensor)
    if width > most or _bytes_of(tensor, envs) > MAX_FRAME_BYTES:
        _bad_spec(f"{field}.shape", f"{envs} environments x {width} components are too many")
    words, what = (shape[2], "channels") if picture else (width, "components")
    for key in ("names", "units"):
        if tensor.get(key) is not None and len(tensor[key]) != words:
            _bad_spec(f"{field}.{key}", f"has {len(tensor[key])} entries for {words} {what}")


def _bytes_of(tensor: Mapping[str, Any], envs: int) -> int:
    return width_of(tensor) * envs * (1 if is_picture(tensor) else 4)


def _bad_spec(field: str, problem: str) -> NoReturn:
    hint = "The simulator must correct its specification."
    raise ProtocolError("invalid-spec", f"spec.{field}".rstrip("."), problem, hint)


def hash_spec(spec: Mapping[str, Any]) -> str:
    """An opaque name for a specification: equal when nothing in it differs."""
    text = json.dumps(spec, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
