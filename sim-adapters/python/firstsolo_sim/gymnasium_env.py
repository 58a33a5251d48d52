"""A Gymnasium vector environment as ``serve`` wants one; imports nothing of Gymnasium."""

from __future__ import annotations

import math
from typing import Any, Mapping, Optional

import numpy as np

from .actions import actions_of
from .late_ends import LateEnds, honours_mask
from .session_order import ServeError
from .spaces import group_arrays, group_specs, joined, rows_of, stacked

MODES = ("same_step", "next_step", "disabled")


class GymnasiumEnv:
    """A ``gymnasium.vector.VectorEnv`` with autoreset ``same_step``, whatever its own is.

    An environment of another mode is reset row by row through ``options={"reset_mask": …}``, in the step in
    which the row's episode ended. Where that moves other rows, an end is told one step later, with the restart.
    """

    def __init__(
        self,
        env: Any,
        *,
        task: str,
        control_period: Optional[float] = None,
        max_episode_steps: Optional[int] = None,
        action_bound: Optional[float] = None,
        autoreset_mode: Optional[str] = None,
        choices: str = "one_hot",
        bitwise: bool = False,
        settings: Mapping[str, Any] = {},
    ) -> None:
        self._env = env
        self._mode = _mode_of(env, autoreset_mode)
        self._count = int(env.num_envs)
        self._actions = actions_of(env, bound=action_bound, form=choices)
        observations = group_specs(env.single_observation_space)
        self._late = self._late_ends()
        period, remarks = (control_period, []) if control_period else _period_of(env)
        self._returns = np.zeros(self._count)
        self._lengths = np.zeros(self._count, dtype=np.int64)
        self.settings = dict(settings)
        self.notices = [f"autoreset {self._mode} is served as same_step"] * (self._mode != MODES[0])
        if self._late is not None:
            self.notices.append("its rows cannot be reset alone: ends are told one step later")
        self.notices += [*remarks, *self._actions.notices]
        self.spec = {
            "task": task[:128],
            "num_envs": self._count,
            "control_period": period,
            "max_episode_steps": (max_episode_steps or _limit_of(env)) + (self._late is not None),
            "autoreset": "same_step",
            "observations": observations,
            "action": self._actions.spec,
            "capabilities": ["bitwise"] if bitwise else [],
        }

    def reset(self, seed: int) -> dict[str, np.ndarray]:
        """Row i is seeded with ``seed + i``, as Gymnasium does."""
        # Below 2^31 in every row: simulators in C take no larger seeds.
        observation, _ = self._env.reset(seed=seed % (2**31 - self._count))
        if self._late is not None:
            self._late.reset()
        self._returns[:], self._lengths[:] = 0, 0
        return self._groups("obs", observation, self._count)

    def step(self, actions: np.ndarray) -> dict[str, Any]:
        taken = self._env.step(self._actions.taken(actions))
        observation, reward, terminated, truncated, info = taken
        terminated = np.array(terminated, dtype=bool)
        truncated = np.array(truncated, dtype=bool)
        reward = np.array(reward, dtype="<f4")
        if self._late is not None:
            return self._told_late(reward, terminated, truncated, observation)
        rows = np.flatnonzero(terminated | truncated)
        result = {"reward": reward, "terminated": terminated, "truncated": truncated}
        self._returns += reward
        self._lengths += 1
        if len(rows) == 0:
            return {**result, **self._groups("obs", observation, self._count)}
        result.update(self._final(rows, observation, info))
        if self._mode != "same_step":
            observation = self._restart(terminated | truncated, observation)
        result.update(self._groups("obs", observation, self._count), log=self._log(rows))
        return result

    def _late_ends(self) -> Optional[LateEnds]:
        if self._mode != "next_step":
            return None
        shape = (self._count, *self._actions.spec["shape"])
        idle = self._actions.taken(np.zeros(shape, "<f4"))
        alone = honours_mask(self._env, lambda seen: self._groups("obs", seen, self._count), idle)
        return None if alone else LateEnds(self._count)

    def _told_late(
        self, reward: np.ndarray, terminated: np.ndarray, truncated: np.ndarray, observation: Any
    ) -> dict[str, Any]:
        shown = self._groups("obs", observation, self._count)
        result = {"reward": reward, **self._late.told(terminated, truncated, shown), **shown}
        rows = result.get("final/rows", [])
        self._returns += reward
        self._lengths += 1
        return {**result, "log": self._log(rows)} if len(rows) > 0 else result

    def close(self) -> None:
        """Some that are no Gymnasium environment by birth have nothing to close."""
        getattr(self._env, "close", lambda: None)()

    def _groups(self, prefix: str, batch: Any, rows: int) -> dict[str, np.ndarray]:
        """Copies: many environments write the next observation into the same memory."""
        parts = group_arrays(batch)
        return {f"{prefix}/{group}": joined(part, rows) for group, part in parts.items()}

    def _final(self, rows: np.ndarray, observation: Any, info: Mapping[str, Any]) -> dict[str, Any]:
        """Where the environment itself resets in the same step, the last observations are in ``info``."""
        last = info.get("final_obs", info.get("final_observation"))
        if self._mode != "same_step":
            last = rows_of(observation, rows)
        elif last is None:
            return {}
        elif isinstance(last, np.ndarray) and last.dtype == object:
            last = stacked([last[row] for row in rows])
        else:
            last = rows_of(last, rows)
        return {"final/rows": rows, **self._groups("final", last, len(rows))}

    def _restart(self, mask: np.ndarray, before: Any) -> Any:
        kept = self._groups("obs", before, self._count)
        observation, _ = self._env.reset(options={"reset_mask": mask.copy()})
        for name, array in self._groups("obs", observation, self._count).items():
            if np.array_equal(array[~mask], kept[name][~mask]):
                continue
            message = f"autoreset {self._mode}: resetting some environments moved others"
            hint = (
                "Make the environment with autoreset_mode SAME_STEP, or honour reset_mask in reset."
            )
            raise ServeError("unsupported-autoreset", message, hint, fatal=True)
        return observation

    def _log(self, rows: np.ndarray) -> dict[str, float]:
        log = {
            "episode_return": float(self._returns[rows].mean()),
            "episode_length": float(self._lengths[rows].mean()),
        }
        self._returns[rows], self._lengths[rows] = 0, 0
        return log


def _mode_of(env: Any, stated: Optional[str]) -> str:
    mode = getattr(env, "metadata", {}).get("autoreset_mode", stated)
    word = (
        str(getattr(mode, "value", mode)).lower().replace("-", "_").replace("nextstep", "next_step")
    )
    word = word.replace("samestep", "same_step")
    if word in MODES:
        return word
    message = f"the environment's autoreset mode is {mode!r}, expected one of {', '.join(MODES)}"
    hint = "Say which it is: --autoreset_mode same_step, next_step or disabled."
    raise ServeError("unsupported-autoreset", message, hint)


def _period_of(env: Any) -> tuple[float, list[str]]:
    """Seconds between two actions, and a line where that is guessed: pictures may come at another rate."""
    rate = _attribute(env, "agent_hz")
    period = 1.0 / rate if rate else _attribute(env, "dt")
    if period:
        return period, []
    fps = getattr(env, "metadata", {}).get("render_fps")
    if fps:
        guess = 1.0 / float(fps)
        return guess, [
            f"a control period of {guess:g} s is guessed from render_fps; --control_period says better"
        ]
    hint = "Say how many seconds pass between two actions: --control_period 0.05."
    raise ServeError("no-control-period", "the environment says neither dt nor render_fps", hint)


def _attribute(env: Any, name: str) -> Optional[float]:
    """Of one of the environments, or of all together; None for what is no number above 0."""
    for look in (lambda: env.get_attr(name)[0], lambda: getattr(env.unwrapped, name)):
        try:
            value = float(look())
        except Exception:
            continue  # not every environment has one, and those that have not say so in many ways
        if math.isfinite(value) and value > 0:
            return value
    return None


def _limit_of(env: Any) -> int:
    spec = getattr(env, "spec", None)
    limit = getattr(spec, "max_episode_steps", None)
    if limit:
        return int(limit)
    hint = "Say after how many steps an episode is cut off: --max_episode_steps 1000."
    raise ServeError("no-episode-limit", "the environment's episodes have no limit", hint)
