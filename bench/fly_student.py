"""rsl_rl takes a student that Firstsolo has trained, and flies it: ``fly_student.py ORDER``; JSON in, JSON out.

Its own DistillationRunner loads the checkpoint, strictly and with the optimiser, over the same client that a teacher is
trained on.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from firstsolo_sim.client import FirstsoloVecEnv
from rsl_rl.runners import DistillationRunner

EPISODES_EACH = 4
"""Whole episodes each environment flies; the first, of which a part is cut off, is left out."""


def network(hidden: list[int], std: float, kind: str) -> dict[str, Any]:
    noise = {"class_name": "GaussianDistribution", "init_std": std, "std_type": kind}
    return {"class_name": "MLPModel", "hidden_dims": hidden, "activation": "elu", "distribution_cfg": noise}


def recipe() -> dict[str, Any]:
    return {
        "num_steps_per_env": 24,
        "save_interval": 1000,
        "obs_groups": {"student": ["policy"], "teacher": ["teacher"]},
        "student": network([128, 128, 128], 0.1, "scalar"),
        "teacher": network([64, 64], 1.0, "log"),
        "algorithm": {
            "class_name": "Distillation",
            "num_learning_epochs": 4,
            "gradient_length": 15,
            "learning_rate": 1e-3,
            "max_grad_norm": 1.0,
            "rnd_cfg": None,
        },
    }


@torch.inference_mode()
def main() -> None:
    order = json.loads(sys.argv[1])
    env = FirstsoloVecEnv(order["endpoint"], num_envs=order["num_envs"], seed=order["seed"])
    runner = DistillationRunner(env, recipe(), log_dir=None, device="cpu")
    runner.load(order["checkpoint"])
    policy = runner.get_inference_policy()
    observations = env.get_observations()
    running, finished = np.zeros(env.num_envs), np.full(env.num_envs, -1)
    flown: list[float] = []
    while (finished < EPISODES_EACH).any():
        observations, rewards, dones, _ = env.step(policy(observations))
        running += rewards.numpy()
        for i in np.flatnonzero(dones.numpy()):
            if 0 <= finished[i] < EPISODES_EACH:
                flown.append(running[i])
            finished[i] += 1
            running[i] = 0.0
    env.close()
    print(
        json.dumps(
            {
                "student_return": float(np.mean(flown)),
                "episodes": len(flown),
                "iteration": runner.current_learning_iteration,
                "versions": f"rsl-rl-lib {version('rsl-rl-lib')}, PyTorch {torch.__version__}",
            }
        )
    )


if __name__ == "__main__":
    main()
