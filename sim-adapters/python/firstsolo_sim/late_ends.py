"""Ends of episodes in environments that reset in the step after: told one step later, together with the restart."""

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping, Optional

import numpy as np


class LateEnds:
    """Makes autoreset ``same_step`` of ``next_step`` where rows cannot be reset one by one.

    The step behind an end takes no action in that row and shows the next episode: the end is told with it, so that
    the last observation and the first one arrive together. An episode is thereby one step longer, without a reward.
    """

    def __init__(self, count: int) -> None:
        self._terminated = np.zeros(count, dtype=bool)
        self._truncated = np.zeros(count, dtype=bool)
        self._last: Dict[str, np.ndarray] = {}

    def reset(self) -> None:
        self._terminated[:] = False
        self._truncated[:] = False
        self._last = {}

    def told(
        self, terminated: np.ndarray, truncated: np.ndarray, shown: Mapping[str, np.ndarray]
    ) -> Dict[str, Any]:
        """Of what happened now, what is told now; ``shown``: observations as ``obs/GROUP``."""
        ended = self._terminated | self._truncated
        rows = np.flatnonzero(ended)
        result: Dict[str, Any] = {
            "terminated": self._terminated.copy(),
            "truncated": self._truncated.copy(),
        }
        if len(rows) > 0:
            result["final/rows"] = rows
            last = {f"final/{name[4:]}": array[rows] for name, array in self._last.items()}
            result.update(last)
        self._terminated = np.asarray(terminated, dtype=bool) & ~ended
        self._truncated = np.asarray(truncated, dtype=bool) & ~ended
        self._last = dict(shown)
        return result


def honours_mask(env: Any, host: Callable[[Any], Mapping[str, np.ndarray]], idle: Any) -> bool:
    """Whether ``reset`` with a mask leaves other rows alone; tried in flight, so seed it again afterwards."""
    count = int(env.num_envs)
    if count == 1:
        return True  # the one row is everybody
    mask = np.zeros(count, dtype=bool)
    mask[0] = True
    try:
        env.reset(seed=1)
        before = host(env.step(idle)[0])
        observation: Optional[Any] = env.reset(options={"reset_mask": mask})[0]
        after = host(observation)
    except Exception:
        return False  # it knows no such option
    return all(np.array_equal(before[name][1:], after[name][1:]) for name in before)
