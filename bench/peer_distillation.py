"""rsl_rl's own Distillation on our simulator: ``peer_distillation.py ORDER``; JSON in, JSON out.

Its classes, its defaults where ours are its defaults too, the same teacher, the same fleet. One thread, as our
runner uses on two cores: the simulator has the other.
"""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import version
from typing import Any, Mapping

import numpy as np
import torch
from firstsolo_sim.client import Client
from rsl_rl.algorithms import Distillation
from rsl_rl.models import MLPModel, RNNModel
from rsl_rl.storage import RolloutStorage
from tensordict import TensorDict

ENVS, STEPS, ACTIONS = 100, 24, 4
EPISODES_EACH = 4
"""Whole episodes that each environment flies to judge a policy; the first, of which a part is cut off, is left out."""


class Fleet:
    """Our simulator as rsl_rl sees an environment."""

    def __init__(self, endpoint: str) -> None:
        self._client = Client(endpoint, num_envs=ENVS)

    def reset(self, seed: int) -> TensorDict:
        return _observed(self._client.reset(seed))

    def step(self, actions: torch.Tensor) -> tuple[TensorDict, np.ndarray, np.ndarray, np.ndarray]:
        step = self._client.step(actions.numpy().astype(np.float32))
        return _observed(step.observations), step.rewards, step.terminated, step.truncated

    def close(self) -> None:
        self._client.close()


def _observed(groups: dict[str, np.ndarray]) -> TensorDict:
    copies = {name: torch.from_numpy(np.array(group)) for name, group in groups.items()}
    return TensorDict(copies, batch_size=[ENVS])


def mean_return(fleet: Fleet, policy: MLPModel, seed: int) -> float:
    """Undiscounted, greedy, the same episodes for everybody. A memory is empty before and after."""
    seen = fleet.reset(seed)
    policy.reset()
    running, finished, flown = np.zeros(ENVS), np.full(ENVS, -1), []
    while (finished < EPISODES_EACH).any():
        with torch.inference_mode():
            actions = policy(seen)
        seen, rewards, terminated, truncated = fleet.step(actions)
        running += rewards
        with torch.inference_mode():
            policy.reset(torch.from_numpy(terminated | truncated))
        for i in np.flatnonzero(terminated | truncated):
            if 0 <= finished[i] < EPISODES_EACH:
                flown.append(running[i])
            finished[i] += 1
            running[i] = 0.0
    policy.reset()
    return float(np.mean(flown))


def noise(std: float, kind: str) -> dict[str, Any]:
    return {"class_name": "GaussianDistribution", "init_std": std, "std_type": kind}


def crew(seen: TensorDict, order: Mapping[str, Any]) -> tuple[Distillation, MLPModel, MLPModel]:
    """The algorithm, its student (with a memory where `rnn_type` names one) and its teacher."""
    memory = {name: order[name] for name in ("rnn_type", "rnn_hidden_dim") if order.get("rnn_type")}
    model = RNNModel if memory else MLPModel
    student = model(
        seen,
        {"student": ["policy"]},
        "student",
        ACTIONS,
        hidden_dims=[128, 128, 128],
        activation="elu",
        distribution_cfg=noise(0.1, "scalar"),
        **memory,
    )
    teacher = MLPModel(
        seen,
        {"teacher": ["teacher"]},
        "teacher",
        ACTIONS,
        hidden_dims=[64, 64],
        activation="elu",
        distribution_cfg=noise(1.0, "log"),
    )
    teacher.load_state_dict(torch.load(order["teacher"], weights_only=False)["actor_state_dict"])
    algorithm = Distillation(
        student,
        teacher,
        RolloutStorage("distillation", ENVS, STEPS, seen, [ACTIONS], "cpu"),
        num_learning_epochs=4,
        gradient_length=15,
        learning_rate=1e-3,
        max_grad_norm=1.0,
        loss_type="mse",
        optimizer="adam",
        device="cpu",
    )
    return algorithm, student, teacher


def iterate(fleet: Fleet, algorithm: Distillation, seen: TensorDict) -> TensorDict:
    """One rollout and its update, as rsl_rl's runner does them."""
    with torch.inference_mode():
        for _ in range(STEPS):
            actions = algorithm.act(seen)
            seen, rewards, terminated, truncated = fleet.step(actions)
            dones = torch.from_numpy((terminated | truncated).astype(np.float32))
            algorithm.process_env_step(seen, torch.from_numpy(np.array(rewards)), dones, {})
    algorithm.update()
    return seen


def main() -> None:
    order = json.loads(sys.argv[1])
    seed = order["seed"]
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    fleet = Fleet(order["endpoint"])
    algorithm, student, teacher = crew(fleet.reset(seed), order)
    judged = mean_return(fleet, teacher, seed + 1000)
    seen = fleet.reset(seed)
    reached, seconds, cpu = [], 0.0, 0.0
    start, cpu_start = time.perf_counter(), time.process_time()
    for iteration in range(1, max(order["iterations"]) + 1):
        seen = iterate(fleet, algorithm, seen)
        if iteration not in order["iterations"]:
            continue
        seconds += time.perf_counter() - start
        cpu += time.process_time() - cpu_start
        row = {"iterations": iteration, "seconds": seconds, "cpu_seconds": cpu, "teacher_return": judged}
        reached.append({**row, "student_return": mean_return(fleet, student, seed + 1000)})
        seen = fleet.reset(seed + iteration)
        start, cpu_start = time.perf_counter(), time.process_time()
    fleet.close()
    versions = f"rsl-rl-lib {version('rsl-rl-lib')}, PyTorch {torch.__version__}, 1 thread"
    print(json.dumps({"versions": versions, "reached": reached}))


if __name__ == "__main__":
    main()
