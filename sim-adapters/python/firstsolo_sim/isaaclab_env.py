"""An environment of Isaac Lab, direct or manager-based, as ``serve`` wants one; imports nothing of Isaac Lab.

What it relies on (DirectRLEnv and ManagerBasedRLEnv, Isaac Lab 2.0 and later): ``step`` resets in the same step,
writes into buffers that it hands out again and again, keeps ``extras["log"]`` of the last reset until the next
one, and with ``cfg.compute_final_obs`` leaves the last observations in ``extras["final_obs"]``, for all rows.
"""

from __future__ import annotations

import math
import time
from typing import Any, Callable, Mapping, Optional

import numpy as np

from .host_copy import HostCopy
from .session_order import ServeError
from .spaces import LARGEST_BOUND, action_spec, group_name, joined

_QUADCOPTER = ["lin_vel_b", "ang_vel_b", "projected_gravity_b", "desired_pos_b"]
_KNOWN_NAMES = {
    ("Quadcopter-Direct", 12): (
        [f"{quantity}.{axis}" for quantity in _QUADCOPTER for axis in "xyz"],
        [unit for unit in ("m/s", "rad/s", "1", "m") for _ in "xyz"],
    )
}
"""What the rows of a task mean, where the task itself does not say."""

_KNOWN_BOUNDS = {"Quadcopter-Direct": 1.0}
"""Tasks that clamp actions inside without saying so in their action space."""

FALLBACK_BOUND = 100.0
"""For tasks that bound actions nowhere: far beyond what a policy does, and finite."""


class IsaacEnv:
    """``to_tensor`` brings actions to the simulator's device; ``teacher`` sees observations and who started."""

    def __init__(
        self,
        env: Any,
        task: str,
        *,
        to_tensor: Callable[[np.ndarray], Any],
        torch: Optional[Any] = None,
        settings: Mapping[str, Any] = {},
        clip_actions: Optional[float] = None,
        teacher: Optional[Callable[[Mapping[str, Any], np.ndarray], Any]] = None,
    ) -> None:
        self._env = env
        self._to_tensor = to_tensor
        self._teacher = teacher
        self._copy = HostCopy(torch)
        self._count = int(env.num_envs)
        self.settings = dict(settings)
        self.notices: list[str] = []
        observations, _ = env.reset()
        self._low, self._high, action = self._bounds(task, clip_actions)
        if not getattr(env.cfg, "compute_final_obs", False):
            self.notices.append(
                "this Isaac Lab tells no final observations (cfg.compute_final_obs)"
            )
        self.spec = {
            "task": task[:128],
            "num_envs": self._count,
            "control_period": float(env.step_dt),
            "max_episode_steps": int(env.max_episode_length),
            "autoreset": "same_step",
            "observations": self._group_specs(task, observations),
            "action": action,
            "capabilities": ["teacher_actions"] if teacher is not None else [],
        }

    def reset(self, seed: int) -> dict[str, np.ndarray]:
        """Isaac Lab seeds the whole process: the same seed gives the same episodes only on the same machine."""
        observations, _ = self._env.reset(seed=seed)
        everyone = np.ones(self._count, dtype=np.uint8)
        return self._shown("obs", self._host(observations, self._ask(observations, everyone)))

    def step(self, actions: np.ndarray) -> dict[str, Any]:
        begin = time.perf_counter()
        clipped = np.clip(actions.reshape(self._count, -1), self._low, self._high)
        taken = self._env.step(self._to_tensor(clipped.reshape(actions.shape)))
        observations, reward, terminated, truncated, extras = taken
        flags = {"reward": reward, "terminated": terminated, "truncated": truncated}
        host = self._host(observations, flags)
        simulated = time.perf_counter()
        ended = (host["terminated"] != 0) | (host["truncated"] != 0)
        rows = np.flatnonzero(ended)
        result: dict[str, Any] = {name: host[name] for name in flags}
        result.update(self._shown("obs", host))
        if self._teacher is not None:
            shown = self._copy_teacher(self._ask(observations, ended.astype(np.uint8)))
            result["teacher/actions"] = shown
        if len(rows) > 0:
            result.update(self._final(rows, extras))
            result["log"] = figures_of(extras.get("log") or extras.get("episode") or {})
        done = time.perf_counter()
        return {**result, "timing": {"simulate": simulated - begin, "observe": done - simulated}}

    def close(self) -> None:
        """Whoever made the environment keeps it: making another takes minutes."""

    def end(self) -> None:
        self._env.close()

    def _ask(self, observations: Mapping[str, Any], started: np.ndarray) -> dict[str, Any]:
        if self._teacher is None:
            return {}
        return {"teacher/actions": self._teacher(observations, started)}

    def _copy_teacher(self, asked: Mapping[str, Any]) -> np.ndarray:
        return self._shape_actions(HostCopy().take(asked)["teacher/actions"])

    def _shape_actions(self, actions: np.ndarray) -> np.ndarray:
        return actions.astype("<f4").reshape(self._count, *self.spec["action"]["shape"])

    def _host(
        self, observations: Mapping[str, Any], others: Mapping[str, Any]
    ) -> dict[str, np.ndarray]:
        """Everything in one copy; nested groups by ``obs/GROUP:term``."""
        return self._copy.take({**leaves("obs", observations), **others})

    def _shown(self, prefix: str, host: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        groups = gathered(prefix, host, self._count)
        if "teacher/actions" in host and "reward" not in host:
            groups["teacher/actions"] = self._shape_actions(host["teacher/actions"])
        return groups

    def _final(self, rows: np.ndarray, extras: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Only with ``compute_final_obs``; kept from an older step where this one has none."""
        last = (
            extras.get("final_obs") if getattr(self._env.cfg, "compute_final_obs", False) else None
        )
        if last is None:
            return {}
        whole = gathered("final", HostCopy().take(leaves("final", last)), self._count)
        return {"final/rows": rows, **{name: array[rows] for name, array in whole.items()}}

    def _group_specs(self, task: str, observations: Mapping[str, Any]) -> dict[str, Any]:
        """From what a reset shows: spaces of Isaac Lab are not always up to date."""
        groups = {}
        for name, array in self._shown(
            "obs", self._copy.take(leaves("obs", observations))
        ).items():
            shape = list(array.shape[1:])
            picture = array.dtype == np.uint8
            spec: dict[str, Any] = {"dtype": "|u1" if picture else "<f4", "shape": shape}
            for (part, width), (names, units) in _KNOWN_NAMES.items():
                if part in task and shape == [width]:
                    spec.update(names=names, units=units)
            names = self._term_names(name[len("obs/") :])
            if not picture and names is not None and len(names) == math.prod(shape) and len(names) <= 512:
                spec["names"] = names
            groups[name[len("obs/") :]] = spec
        return groups

    def _term_names(self, group: str) -> Optional[list[str]]:
        """Manager-based environments know which term fills which part of a row."""
        manager = getattr(self._env, "observation_manager", None)
        terms = getattr(manager, "active_terms", {}).get(group)
        dims = getattr(manager, "group_obs_term_dim", {}).get(group)
        if terms is None or dims is None or len(terms) != len(dims):
            return None
        return [
            f"{term}.{i}"[:128] for term, dim in zip(terms, dims) for i in range(math.prod(dim))
        ]

    def _bounds(
        self, task: str, clip: Optional[float]
    ) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
        space = self._env.single_action_space
        known = next((bound for part, bound in _KNOWN_BOUNDS.items() if part in task), None)
        action, open_ends = action_spec(space, clip or known or FALLBACK_BOUND)
        if clip is not None:
            action["low"] = [max(low, -clip) for low in action["low"]]
            action["high"] = [min(high, clip) for high in action["high"]]
        elif open_ends and known is None:
            self.notices.append(
                f"the task bounds its actions nowhere: ±{FALLBACK_BOUND:g} is used; --clip_actions says better"
            )
        low, high = (np.asarray(action[end], dtype="<f4") for end in ("low", "high"))
        if np.any(low >= high) or np.any(np.abs([low, high]) > LARGEST_BOUND):
            hint = "Give a larger --clip_actions."
            raise ServeError("unsupported-space", f"actions go from {low} to {high}", hint)
        return low, high, action


def leaves(prefix: str, observations: Mapping[str, Any]) -> dict[str, Any]:
    """Tensors by ``prefix/GROUP``; a group that is a map of terms gives one entry per term."""
    if not isinstance(observations, Mapping):
        return {f"{prefix}/policy": observations}
    found: dict[str, Any] = {}
    for group, part in observations.items():
        name = f"{prefix}/{group_name(group)}"
        if isinstance(part, Mapping):
            found.update({f"{name}:{key}": leaf for key, leaf in _flat(part).items()})
        else:
            found[name] = part
    return found


def _flat(terms: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, part in terms.items():
        if isinstance(part, Mapping):
            found.update(_flat(part, f"{prefix}{key}."))
        else:
            found[f"{prefix}{key}"] = part
    return found


def gathered(prefix: str, host: Mapping[str, np.ndarray], rows: int) -> dict[str, np.ndarray]:
    """Groups of that prefix, float32 but for pictures; terms of one group joined along the row."""
    groups: dict[str, Any] = {}
    for name, array in host.items():
        if not name.startswith(f"{prefix}/"):
            continue
        group, nested, term = name.partition(":")
        if nested:
            groups.setdefault(group, {})[term] = array
        else:
            groups[group] = array
    return {group: part if _plain(part) else joined(part, rows) for group, part in groups.items()}


def _plain(part: Any) -> bool:
    return isinstance(part, np.ndarray) and part.dtype.str == "<f4" and part.ndim > 1


def figures_of(log: Mapping[str, Any]) -> dict[str, float]:
    """Numbers and the means of tensors; at most 512, as many as a message may hold."""
    figures: dict[str, float] = {}
    for name, value in list(log.items())[:512]:
        here = value.detach().cpu() if hasattr(value, "detach") else value
        try:
            figures[str(name)[:128]] = float(np.mean(np.asarray(here, dtype=float)))
        except (TypeError, ValueError):
            continue
    return figures
