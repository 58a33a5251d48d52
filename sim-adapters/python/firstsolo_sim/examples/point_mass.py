"""A mass on a line, pushed by a force: ``python -m firstsolo_sim.examples.point_mass --bind ipc:///tmp/mass.ipc``.

Semi-implicit Euler, dv = F/m dt, dx = v dt. An episode ends beyond 2 m (terminal) or after ``max_steps``.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any, Mapping, Optional

import numpy as np

from .. import server
from ..protocol import check_setting_names

PERIOD = 0.05
"""Seconds between two actions."""

DEFAULTS: dict[str, Any] = {"mass": 1.0, "max_steps": 20, "start.spread": 1.0, "load_seconds": 0.0}


class PointMass:
    def __init__(self, settings: Mapping[str, Any] = {}, num_envs: Optional[int] = None) -> None:
        check_setting_names(settings, DEFAULTS)
        self.settings = {**DEFAULTS, **settings}
        self.notices = ["the point mass is ready"]
        self._count = num_envs or 8
        self._position = np.zeros(self._count)
        self._speed = np.zeros(self._count)
        self._age = np.zeros(self._count, dtype=np.int64)
        self._random = np.random.default_rng(0)

    @property
    def spec(self) -> dict[str, Any]:
        return {
            "task": "point-mass",
            "num_envs": self._count,
            "control_period": PERIOD,
            "max_episode_steps": int(self.settings["max_steps"]),
            "autoreset": "same_step",
            "observations": {
                "policy": {
                    "dtype": "<f4",
                    "shape": [2],
                    "names": ["position", "speed"],
                    "units": ["m", "m/s"],
                },
                "exact": {"dtype": "<f4", "shape": [1], "names": ["position"], "units": ["m"]},
            },
            "action": {
                "dtype": "<f4",
                "shape": [1],
                "names": ["force"],
                "units": ["N"],
                "low": [-1.0],
                "high": [1.0],
            },
            "capabilities": ["bitwise"],
        }

    def reset(self, seed: int) -> dict[str, np.ndarray]:
        self._random = np.random.default_rng(seed)
        self._restart(np.arange(self._count))
        return self._observe("obs", slice(None))

    def step(self, actions: np.ndarray) -> dict[str, Any]:
        force = np.clip(actions[:, 0].astype(np.float64), -1.0, 1.0)
        self._speed += force / self.settings["mass"] * PERIOD
        self._position += self._speed * PERIOD
        self._age += 1
        reward = -np.abs(self._position)
        terminated = np.abs(self._position) > 2.0
        truncated = ~terminated & (self._age >= self.settings["max_steps"])
        rows = np.flatnonzero(terminated | truncated)
        result: dict[str, Any] = {
            "reward": reward,
            "terminated": terminated,
            "truncated": truncated,
            "final/rows": rows,
            **self._observe("final", rows),
        }
        if len(rows) > 0:
            result["log"] = {"episode_length": float(self._age[rows].mean())}
            self._restart(rows)
        return {**result, **self._observe("obs", slice(None))}

    def _restart(self, rows: np.ndarray) -> None:
        spread = self.settings["start.spread"]
        self._position[rows] = self._random.uniform(-spread, spread, len(rows))
        self._speed[rows] = 0.0
        self._age[rows] = 0

    def _observe(self, prefix: str, rows: Any) -> dict[str, np.ndarray]:
        policy = np.stack([self._position[rows], self._speed[rows]], axis=1).astype(np.float32)
        return {f"{prefix}/policy": policy, f"{prefix}/exact": policy[:, :1].copy()}


def open_point_mass(settings: Mapping[str, Any], num_envs: Optional[int], groups: Any) -> PointMass:
    """Built when a driver asks for it; ``groups`` are chosen by the server."""
    import time

    env = PointMass(settings, num_envs)
    time.sleep(env.settings["load_seconds"])
    return env


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--bind")
    where.add_argument("--connect")
    parser.add_argument("--once", action="store_true", help="end after the first session")
    args = parser.parse_args()
    try:
        server.serve(
            open_point_mass,
            args.bind,
            args.connect,
            name="point-mass",
            once=args.once,
            on_ready=lambda endpoint: print(f"ready {endpoint}", flush=True),
        )
    except server.ServeError as error:
        sys.exit(f"{error}\n{error.hint}")


if __name__ == "__main__":
    main()
