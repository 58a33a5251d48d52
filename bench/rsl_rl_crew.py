"""rsl_rl's own classes on our simulator: the fleet, its students and teachers, and what they return.

Used by peer_distillation.py and judge_students.py; an ``Order`` is the JSON they are given.
"""

from __future__ import annotations

from typing import Any, Mapping

import numpy as np
import torch
from firstsolo_sim.client import Client
from rsl_rl.models import MLPModel, RNNModel
from tensordict import TensorDict

ACTIONS = 4

Order = Mapping[str, Any]


class Fleet:
    """Our simulator as rsl_rl sees an environment; 100 of them unless the order says otherwise."""

    def __init__(self, order: Order) -> None:
        self.num_envs = int(order.get("num_envs", 100))
        self._client = Client(order["endpoint"], num_envs=self.num_envs)

    def reset(self, seed: int) -> TensorDict:
        return self._observed(self._client.reset(seed))

    def step(self, actions: torch.Tensor) -> tuple[TensorDict, np.ndarray, np.ndarray, np.ndarray]:
        step = self._client.step(actions.numpy().astype(np.float32))
        return self._observed(step.observations), step.rewards, step.terminated, step.truncated

    def close(self) -> None:
        self._client.close()

    def _observed(self, groups: dict[str, np.ndarray]) -> TensorDict:
        copies = {name: torch.from_numpy(np.array(group)) for name, group in groups.items()}
        return TensorDict(copies, batch_size=[self.num_envs])


def make_student(seen: TensorDict, order: Order) -> MLPModel:
    """With a memory where ``rnn_type`` names one."""
    memory = {name: order[name] for name in ("rnn_type", "rnn_hidden_dim") if order.get("rnn_type")}
    model = RNNModel if memory else MLPModel
    return model(
        seen,
        {"student": ["policy"]},
        "student",
        ACTIONS,
        hidden_dims=[128, 128, 128],
        activation="elu",
        distribution_cfg=_noise(0.1, "scalar"),
        **memory,
    )


def load_teacher(seen: TensorDict, order: Order) -> MLPModel:
    teacher = MLPModel(
        seen,
        {"teacher": ["teacher"]},
        "teacher",
        ACTIONS,
        hidden_dims=[64, 64],
        activation="elu",
        distribution_cfg=_noise(1.0, "log"),
    )
    teacher.load_state_dict(torch.load(order["teacher"], weights_only=False)["actor_state_dict"])
    return teacher


def _noise(std: float, kind: str) -> dict[str, Any]:
    return {"class_name": "GaussianDistribution", "init_std": std, "std_type": kind}


def mean_return(fleet: Fleet, policy: MLPModel, *, seed: int, episodes_each: int) -> float:
    """Undiscounted, greedy, the same episodes for everybody; a memory is empty before and after.

    Each environment flies that many whole episodes; its first, of which a part is cut off, is left out.
    """
    seen = fleet.reset(seed)
    policy.reset()
    running, finished, flown = np.zeros(fleet.num_envs), np.full(fleet.num_envs, -1), []
    while (finished < episodes_each).any():
        with torch.inference_mode():
            actions = policy(seen)
        seen, rewards, terminated, truncated = fleet.step(actions)
        running += rewards
        ended = terminated | truncated
        with torch.inference_mode():
            policy.reset(torch.from_numpy(ended))
        for i in np.flatnonzero(ended):
            if 0 <= finished[i] < episodes_each:
                flown.append(running[i])
            finished[i] += 1
            running[i] = 0.0
    policy.reset()
    return float(np.mean(flown))
