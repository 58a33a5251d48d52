"""The trivial environment behind the Python server: ``trivial_server.py ENDPOINT``. Prints its address as JSON."""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any

import numpy as np

from firstsolo_sim import server

ACTION, GROUP = 4, 12


class Trivial:
    """As many numbers as the noisy quadcopter's, and no work behind them."""

    settings: dict[str, Any] = {}
    notices: list[str] = []

    def __init__(self, count: int) -> None:
        group = {"dtype": "<f4", "shape": [GROUP]}
        self.spec = {
            "task": "trivial",
            "num_envs": count,
            "control_period": 0.02,
            "max_episode_steps": 500,
            "autoreset": "same_step",
            "observations": {"policy": group, "teacher": group},
            "action": {"dtype": "<f4", "shape": [ACTION], "low": [-1.0] * ACTION, "high": [1.0] * ACTION},
            "capabilities": [],
        }
        self._observed = {
            "obs/policy": np.full((count, GROUP), 0.5, np.float32),
            "obs/teacher": np.full((count, GROUP), 0.25, np.float32),
        }
        self._flags = np.zeros(count, dtype=bool)
        self._reward = np.zeros(count, np.float32)

    def reset(self, seed: int) -> dict[str, np.ndarray]:
        return self._observed

    def step(self, actions: np.ndarray) -> dict[str, Any]:
        flags = self._flags
        return {"reward": self._reward, "terminated": flags, "truncated": flags, **self._observed}


def _end_with_stdin() -> None:
    """Whoever started us may die without a word."""
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    server.serve(
        lambda settings, num_envs, groups: Trivial(num_envs or 1),
        sys.argv[1],
        name="trivial",
        on_ready=lambda endpoint: print(json.dumps({"served": endpoint}), flush=True),
    )
