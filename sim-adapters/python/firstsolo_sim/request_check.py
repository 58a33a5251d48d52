"""What a request must have before a server relies on it; protocol/README.md, section 4."""

from __future__ import annotations

import re
from typing import Any, Optional

import numpy as np

from .protocol import GROUP_NAME, MAX_ENVS, MAX_MAGNITUDE, PROTOCOL_VERSION, ProtocolError, malformed, whole

_IDENTITY = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)
_SETTING = re.compile(r"[A-Za-z_]\w*(\.\w+)*", re.ASCII)
_FLOATS = np.dtype("<f4")
_TYPES = ("hello", "reset", "step", "snapshot", "restore", "close", "ping")


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
            malformed("session", "expected 8 to 64 of A-Z a-z 0-9 _ -")
    if kind == "reset":
        request["seed"] = whole(header.get("seed"), "seed", 0, 2**32 - 1)
    if kind == "hello":
        _check_hello(request)
    elif request.setdefault("shared", None) is not None and not isinstance(request["shared"], list):
        malformed("shared", "is not a list")
    return request


def _check_hello(hello: dict[str, Any]) -> None:
    version = hello.get("protocol")
    if not isinstance(version, dict):
        malformed("protocol", "is not a map")
    if whole(version.get("major"), "protocol.major") != PROTOCOL_VERSION["major"]:
        problem = f"got version {version['major']}, this server speaks {PROTOCOL_VERSION['major']}"
        hint = "Install the same version of Firstsolo on both sides."
        raise ProtocolError("version-mismatch", "protocol.major", problem, hint)
    whole(version.get("minor"), "protocol.minor")
    client = hello.get("client")
    if not isinstance(client, dict) or not all(
        isinstance(client.get(key), str) for key in ("name", "version")
    ):
        malformed("client", "must have a name and a version")
    settings = hello.setdefault("settings", {})
    if not isinstance(settings, dict) or len(settings) > 256:
        malformed("settings", "is not a map of at most 256 entries")
    for name, value in settings.items():
        if len(name) > 128 or not _SETTING.fullmatch(name):
            malformed(f"settings.{name[:80]}", "expected words joined by dots")
        items = value if isinstance(value, list) else [value]
        if len(items) > 1024 or any(isinstance(item, (dict, list)) for item in items):
            malformed(f"settings.{name}", "expected a scalar or a list of scalars")
    capabilities = hello.setdefault("capabilities", [])
    if not isinstance(capabilities, list) or not all(isinstance(word, str) for word in capabilities):
        malformed("capabilities", "is not a list of words")
    groups = hello.setdefault("groups", None)
    if groups is not None and not (
        isinstance(groups, list)
        and 1 <= len(groups) <= 60
        and all(isinstance(group, str) and GROUP_NAME.fullmatch(group) for group in groups)
    ):
        malformed("groups", "is not a list of 1 to 60 group names")
    run = hello.setdefault("run", None)
    if run is not None and not (isinstance(run, str) and _IDENTITY.fullmatch(run)):
        malformed("run", "expected 8 to 64 of A-Z a-z 0-9 _ -")
    if hello.setdefault("num_envs", None) is not None:
        hello["num_envs"] = whole(hello["num_envs"], "num_envs", 1, MAX_ENVS)


def checked_actions(actions: Optional[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """The same; raises ProtocolError where they are of another kind, or hold what no action is."""
    if actions is None or actions.dtype != _FLOATS or actions.shape != shape:
        got = "nothing" if actions is None else f"{actions.dtype.str} {list(actions.shape)}"
        problem = f"got {got}, expected <f4 {list(shape)}"
        raise ProtocolError("bad-tensor", "tensors.actions", problem)
    if not _within(actions).all():
        row = int(np.argwhere(~_within(actions))[0][0])
        problem = f"environment {row} has a value that is not finite, or beyond {MAX_MAGNITUDE:g}"
        hint = "The policy diverged: lower the learning rate."
        raise ProtocolError("bad-value", "tensors.actions", problem, hint)
    return actions


def _within(values: np.ndarray) -> np.ndarray:
    return np.abs(values) <= MAX_MAGNITUDE
