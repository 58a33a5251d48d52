"""Actions of Gymnasium's spaces as rows of float32, and back."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from .spaces import action_spec, clip_bounds, fixed_notices


class BoxActions:
    """Real numbers, clamped to their bounds."""

    def __init__(self, env: Any, bound: Optional[float]) -> None:
        self._space = env.action_space
        space = env.single_action_space
        self.spec, open_ends = action_spec(space, bound)
        self._low, self._high = clip_bounds(space, self.spec)
        self.notices = fixed_notices(space)
        if open_ends:
            self.notices.insert(0, f"{open_ends} action components have no bounds; ±{bound} is used")

    def taken(self, actions: np.ndarray) -> Any:
        flat = np.clip(actions.reshape(len(actions), -1), self._low, self._high)
        return flat.reshape(self._space.shape).astype(self._space.dtype)


class ChosenActions:
    """Choices: one component per option, of which the largest counts; or as ``index``, one per choice."""

    def __init__(self, env: Any, form: str) -> None:
        self._space = env.action_space
        self._index = form == "index"
        self._counts, self._starts = _options(env.single_action_space)
        low: List[float] = []
        high: List[float] = []
        for count, start in zip(self._counts, self._starts):
            if self._index:
                low.append(float(start))
                high.append(float(start + max(count - 1, 1)))
            else:
                low += [-1.0] * count
                high += [1.0] * count
        self.spec: Dict[str, Any] = {"dtype": "<f4", "shape": [len(low)], "low": low, "high": high}
        sizes = " × ".join(map(str, self._counts))
        how = "their number" if self._index else "the largest of one component per option"
        self.notices = [f"actions are choices of {sizes}: {how} counts"]

    def taken(self, actions: np.ndarray) -> Any:
        rows = actions.reshape(len(actions), -1)
        starts, most = np.array(self._starts), np.array(self._counts) - 1
        if self._index:
            chosen = np.clip(np.rint(rows - starts), 0, most).astype(np.int64) + starts
        else:
            ends = np.cumsum(self._counts)[:-1]
            parts = np.split(rows, ends, axis=1)
            chosen = np.stack([part.argmax(axis=1) for part in parts], axis=1) + starts
        return chosen.reshape(self._space.shape).astype(self._space.dtype)


def actions_of(env: Any, *, bound: Optional[float], form: str) -> Any:
    """``form`` of choices: ``one_hot`` or ``index``. Raises ServeError for other spaces."""
    if type(env.single_action_space).__name__ in ("Discrete", "MultiDiscrete"):
        return ChosenActions(env, form)
    return BoxActions(env, bound)


def _options(space: Any) -> Tuple[List[int], List[int]]:
    counts = [int(n) for n in np.atleast_1d(getattr(space, "nvec", getattr(space, "n", 0))).ravel()]
    starts = np.broadcast_to(np.asarray(getattr(space, "start", 0)).ravel(), (len(counts),))
    return counts, [int(start) for start in starts]
