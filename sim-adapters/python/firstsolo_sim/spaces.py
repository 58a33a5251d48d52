"""Gymnasium's spaces as tensor specifications, and their batches as arrays; works on stand-ins alike."""

from __future__ import annotations

import math
import re
from typing import Any, Mapping, Optional, Sequence

import numpy as np

from .protocol import GROUP_NAME
from .session_order import ServeError

LARGEST_BOUND = 1e6
"""A bound beyond it is none: spaces write "unbounded" as infinity, or as the largest float there is."""


def group_specs(space: Any, flat: str = "policy") -> dict[str, dict[str, Any]]:
    """One group per entry of a Dict, or one called ``flat``; entries that are Dicts are joined to one row."""
    if not _is_dict(space):
        return {flat: _group_spec(space, "the observation")}
    groups = {}
    for key, part in space.spaces.items():
        name = group_name(key)
        if name in groups:
            _refuse("two observations", f"are both called {name}", "Rename one in a wrapper.")
        groups[name] = _group_spec(part, f"the observation {key}")
    return groups


def _group_spec(space: Any, what: str) -> dict[str, Any]:
    """A Box of uint8 with three axes is a group of pictures, ``[height, width, channels]``."""
    shape = list(_shape(space, what))
    picture = np.dtype(getattr(space, "dtype", None) or "f4") == np.uint8 and len(shape) == 3
    return {"dtype": "|u1" if picture and not _is_dict(space) else "<f4", "shape": shape}


def group_name(key: str) -> str:
    """A group's name: letters, digits, ``_ . -``, a letter in front."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", str(key))[:128]
    return name if GROUP_NAME.fullmatch(name) else f"g{name}"[:128]


def group_arrays(batch: Any, flat: str = "policy") -> dict[str, Any]:
    """The batch of such a space by group; what is nested is joined along the last axis."""
    if not isinstance(batch, Mapping):
        return {flat: batch}
    return {group_name(key): part for key, part in batch.items()}


def joined(part: Any, rows: int) -> np.ndarray:
    """A copy ``[rows, ...]``, float32 but for pictures; the entries of a map are flattened and put behind each other."""
    if isinstance(part, Mapping):
        pieces = [joined(piece, rows).reshape(rows, -1) for piece in part.values()]
        return np.concatenate(pieces, axis=1)
    array = np.array(np.asarray(part))
    if array.dtype != np.uint8 or array.ndim != 4:
        array = array.astype("<f4")
    return array if array.ndim > 1 else array.reshape(rows, 1)


def rows_of(batch: Any, rows: np.ndarray) -> Any:
    """Those rows of a batch, however deep it is."""
    if isinstance(batch, Mapping):
        return {key: rows_of(part, rows) for key, part in batch.items()}
    return np.asarray(batch)[rows]


def stacked(items: list[Any]) -> Any:
    """One batch of many observations."""
    if isinstance(items[0], Mapping):
        return {key: stacked([item[key] for item in items]) for key in items[0]}
    return np.stack([np.asarray(item) for item in items])


def action_spec(space: Any, bound: Optional[float]) -> tuple[dict[str, Any], int]:
    """The action's specification, and how many of its components got ``bound`` for want of one of their own.

    A component that the space fixes (low == high) gets room around its value, as a specification must have it; what
    is done with it has no effect: see ``fixed_components``.
    """
    kind = type(space).__name__
    if kind != "Box":
        hint = "Wrap the environment so that it takes a Box, Discrete or MultiDiscrete."
        _refuse("the action space", f"is {kind}, expected Box", hint)
    shape = list(_shape(space, "the action"))
    low, high = (ends.tolist() for ends in _limits(space))
    open_ends = 0
    for i, (least, most) in enumerate(zip(low, high)):
        if abs(least) <= LARGEST_BOUND and abs(most) <= LARGEST_BOUND:
            continue
        open_ends += 1
        if bound is None:
            hint = "Say how far actions may go: --action_bound 1.0."
            _refuse("the action space", f"has no bounds in component {i} ({least} to {most})", hint)
        low[i] = least if abs(least) <= LARGEST_BOUND else min(-bound, most - bound)
        high[i] = most if abs(most) <= LARGEST_BOUND else max(bound, low[i] + bound)
    for i, value in fixed_components(space).items():
        low[i], high[i] = value - 1.0, value + 1.0
    return {"dtype": "<f4", "shape": shape, "low": low, "high": high}, open_ends


def fixed_components(space: Any) -> dict[int, float]:
    """Components that can have one value only, with that, in row-major order."""
    low, high = _limits(space)
    return {int(i): float(low[i]) for i in np.flatnonzero((low == high) & np.isfinite(low))}


def clip_bounds(space: Any, action: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """What actions are clamped to before they are taken: the specification's bounds, and fixed values."""
    low, high = np.array(action["low"], "<f4"), np.array(action["high"], "<f4")
    for i, value in fixed_components(space).items():
        low[i] = high[i] = value
    return low, high


def fixed_notices(space: Any) -> list[str]:
    """A line for each component that can have one value only."""
    found = fixed_components(space).items()
    return [f"action component {i} is always {value:g}, by the environment's space" for i, value in found]


def _limits(space: Any) -> tuple[np.ndarray, np.ndarray]:
    """Bounds by component; a single one counts for all."""
    shape = tuple(int(size) for size in space.shape) or (1,)
    ends = (np.asarray(end, dtype=float) for end in (space.low, space.high))
    low, high = (np.broadcast_to(end, shape).reshape(-1) for end in ends)
    return low, high


def _is_dict(space: Any) -> bool:
    return hasattr(space, "spaces") and isinstance(space.spaces, Mapping)


def _shape(space: Any, what: str) -> Sequence[int]:
    if _is_dict(space):
        return [sum(math.prod(_shape(part, f"{what}.{key}")) for key, part in space.spaces.items())]
    kind = type(space).__name__
    if kind not in ("Box", "MultiBinary"):
        hint = (
            "Wrap the environment so that it shows numbers: gymnasium.wrappers.FlattenObservation."
        )
        _refuse(what, f"is {kind}, expected Box, MultiBinary or a Dict of those", hint)
    return tuple(int(size) for size in space.shape) or (1,)


def _refuse(what: str, problem: str, hint: str) -> None:
    raise ServeError("unsupported-space", f"{what} {problem}", hint)
