"""Settings by dotted path on a configuration object of Isaac Lab, as Hydra overrides do; imports nothing of it."""

from __future__ import annotations

import difflib
from typing import Any, Iterator, Mapping, Optional

from .protocol import ProtocolError

_SCALARS = (bool, int, float, str)
_DEPTH = 12
"""Deeper than any configuration is; a loop in one would never end."""


def apply_settings(config: Any, settings: Mapping[str, Any]) -> None:
    """Sets each ``a.b.0.c``: attributes of objects, keys of dicts, positions in lists.

    Raises ProtocolError ``unknown-setting`` naming the nearest paths, ``bad-setting`` for a value of another
    type than the one there is. Nothing is set unless all can be.
    """
    changes = [(path, *_place(config, path), value) for path, value in settings.items()]
    checked = [
        (parent, key, _fitting(path, _read(parent, key), value))
        for path, parent, key, value in changes
    ]
    for parent, key, value in checked:
        _write(parent, key, value)


def read_setting(config: Any, path: str) -> Any:
    parent, key = _place(config, path)
    return _read(parent, key)


def shown_settings(config: Any, chosen: Mapping[str, Any], most: int = 250) -> dict[str, Any]:
    """Settings in effect that a message can hold: those that were chosen, then the nearest to the root."""
    shown = {path: _travelling(read_setting(config, path)) for path in chosen}
    for depth in (1, 2):
        for path, value in walk(config, depth):
            if len(shown) >= most:
                return shown
            if _travels(value):
                shown.setdefault(path, _travelling(value))
    return shown


def walk(config: Any, depth: int = _DEPTH, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every path to a value that a setting can replace, down to so many names."""
    for key, value in _entries(config):
        path = f"{prefix}{key}"
        if _is_block(value):
            if depth > 1:
                yield from walk(value, depth - 1, f"{path}.")
        elif not callable(value):
            yield path, value


def _entries(block: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(block, Mapping):
        found = block.items()
    elif isinstance(block, (list, tuple)):
        found = enumerate(block)
    else:
        found = getattr(block, "__dict__", {}).items()
    for key, value in found:
        if not str(key).startswith("_"):
            yield str(key), value


def _is_block(value: Any) -> bool:
    if isinstance(value, Mapping):
        return bool(value)
    if isinstance(value, (list, tuple)):
        return any(_is_block(item) for item in value)
    return hasattr(value, "__dict__") and not callable(value) and not isinstance(value, type)


def _place(config: Any, path: str) -> tuple[Any, str]:
    """The object that holds the last name of a path."""
    parent, names = config, path.split(".")
    for i, name in enumerate(names):
        if name.startswith("_") or not _has(parent, name):
            raise _unknown(config, path, ".".join(names[:i]))
        if i < len(names) - 1:
            parent = _read(parent, name)
    return parent, names[-1]


def _has(parent: Any, name: str) -> bool:
    if isinstance(parent, Mapping):
        return name in parent
    if isinstance(parent, (list, tuple)):
        return name.isdigit() and int(name) < len(parent)
    return name in getattr(parent, "__dict__", {})


def _read(parent: Any, name: str) -> Any:
    if isinstance(parent, Mapping):
        return parent[name]
    return parent[int(name)] if isinstance(parent, (list, tuple)) else getattr(parent, name)


def _write(parent: Any, name: str, value: Any) -> None:
    if isinstance(parent, dict):
        parent[name] = value
    elif isinstance(parent, list):
        parent[int(name)] = value
    else:
        setattr(parent, name, value)


def _fitting(path: str, there: Any, value: Any) -> Any:
    """The value as the type that is there; None fits, and takes anything."""
    if _is_block(there) or callable(there):
        names = ", ".join(key for key, _ in _entries(there)) or "nothing that can be set"
        _refuse(path, "is a block", f"Name one of its settings: {names}.")
    if value is None or there is None:
        return value
    if isinstance(there, tuple):
        return tuple(_list(path, there, value))
    if isinstance(there, list):
        return _list(path, there, value)
    if isinstance(there, float) and type(value) is int:
        return float(value)
    if isinstance(there, int) and isinstance(value, float) and value.is_integer():
        value = int(value)  # JavaScript may write whole numbers so
    if isinstance(there, _SCALARS) and type(value) is not type(there):
        kind = type(there).__name__
        _refuse(path, f"got {value!r}, expected {kind}", f"It is {there!r} without the setting.")
    return value


def _list(path: str, there: Any, value: Any) -> list[Any]:
    if not isinstance(value, (list, tuple)):
        hint = f"It is {list(there)!r} without the setting."
        _refuse(path, f"got {value!r}, expected a list", hint)
    floats = len(there) > 0 and all(isinstance(item, float) for item in there)
    return [float(item) if floats and type(item) is int else item for item in value]


def _travels(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return len(value) <= 64 and all(_travels(item) for item in value)
    if isinstance(value, float):
        return value == value and abs(value) != float("inf")
    return (
        value is None
        or isinstance(value, (bool, int))
        or (isinstance(value, str) and len(value) < 200)
    )


def _travelling(value: Any) -> Any:
    if not _travels(value):
        return str(value)[:200]
    return list(value) if isinstance(value, tuple) else value


def _unknown(config: Any, path: str, found: str) -> ProtocolError:
    """The nearest paths by their letters and by their last name, and what there is one step before."""
    paths = [known for known, _ in walk(config)]
    last = path.rsplit(".", 1)[-1]
    namesakes = [known for known in paths if known.rsplit(".", 1)[-1] == last][:3]
    near = namesakes or difflib.get_close_matches(path, paths, n=3, cutoff=0.5)
    guess = f"Did you mean {' or '.join(f'env.{known}' for known in near)}? " if near else ""
    block: Optional[Any] = read_setting(config, found) if found else config
    names = ", ".join(key for key, _ in _entries(block))[:600]
    where = f"env.{found}" if found else "env"
    hint = f"{guess}{where} has: {names or 'nothing'}."
    return ProtocolError("unknown-setting", f"env.{path}", "this task has no such setting", hint)


def _refuse(path: str, problem: str, hint: str) -> None:
    raise ProtocolError("bad-setting", f"env.{path}", problem, hint)
