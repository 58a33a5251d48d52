"""Trains the teacher of a task with rsl_rl's PPO, flying our simulator over its socket.

    python bench/train_teacher.py --task quadcopter-random --out policies/teachers/hover-random-rsl_rl-5.4.2.pt

Writes rsl_rl's own checkpoint and, beside it, a .json with example inputs, PyTorch's outputs for them and the
greedy return over whole episodes. Needs rsl-rl-lib 5.x, torch, tensordict, pyzmq, msgpack, and Node for
`firstsolo sim` (built: `npm run build`); `--endpoint` flies a simulator that runs already.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import deque
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Iterator, Mapping

import numpy as np
import torch
from rsl_rl.runners import OnPolicyRunner
from tensordict import TensorDict

HOME = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HOME / "sim-adapters" / "python"))
from firstsolo_sim.rsl_rl_client import FirstsoloVecEnv  # noqa: E402
from firstsolo_sim.sessions import ServeError  # noqa: E402

GROUP = "teacher"
HIDDEN, ACTIVATION = [64, 64], "elu"
EXAMPLES = 16
EVERY = 10
"""Iterations between two lines of progress."""


class Fleet(FirstsoloVecEnv):
    """Our simulator as rsl_rl sees an environment, and how its latest episodes went."""

    def __init__(self, endpoint: str, num_envs: int, seed: int, settings: Mapping[str, Any] = {}) -> None:
        super().__init__(endpoint, num_envs=num_envs, seed=seed, groups=[GROUP], settings=settings)
        self.returns: deque[float] = deque(maxlen=1000)
        self._running = torch.zeros(num_envs)

    def step(self, actions: torch.Tensor) -> tuple[TensorDict, torch.Tensor, torch.Tensor, dict[str, Any]]:
        observations, rewards, dones, extras = super().step(actions)
        self._running += rewards
        self.returns.extend(self._running[dones > 0].tolist())
        self._running[dones > 0] = 0.0
        return observations, rewards, dones, extras


def recipe() -> dict[str, Any]:
    """Isaac Lab's settings of its quadcopter task, in rsl_rl 5's words."""
    network = {"class_name": "MLPModel", "hidden_dims": HIDDEN, "activation": ACTIVATION}
    return {
        "num_steps_per_env": 24,
        "save_interval": 1000,
        "obs_groups": {"actor": [GROUP], "critic": [GROUP]},
        "actor": {
            **network,
            "distribution_cfg": {"class_name": "GaussianDistribution", "init_std": 1.0, "std_type": "log"},
        },
        "critic": dict(network),
        "algorithm": {
            "class_name": "PPO",
            "num_learning_epochs": 5,
            "num_mini_batches": 4,
            "clip_param": 0.2,
            "gamma": 0.99,
            "lam": 0.95,
            "value_loss_coef": 1.0,
            "entropy_coef": 0.0,
            "learning_rate": 5e-4,
            "schedule": "adaptive",
            "desired_kl": 0.01,
            "max_grad_norm": 1.0,
            "rnd_cfg": None,
        },
    }


def train(fleet: Fleet, iterations: int, out: Path, resume: str | None) -> OnPolicyRunner:
    runner = OnPolicyRunner(fleet, recipe(), log_dir=None, device="cpu")
    if resume is not None:
        runner.load(resume)
    first, start = runner.current_learning_iteration, time.perf_counter()
    for done in range(0, iterations, EVERY):
        count = min(EVERY, iterations - done)
        runner.learn(count)
        # rsl_rl's counter stays at the last iteration and would repeat it.
        runner.current_learning_iteration = first + done + count
        runner.save(str(out))
        reached, seconds = np.mean(fleet.returns or [0.0]), time.perf_counter() - start
        print(f"{first + done + count:5d}  return {reached:7.2f}  {seconds:6.0f} s", flush=True)
    return runner


@torch.inference_mode()
def judge(runner: OnPolicyRunner, fleet: Fleet) -> tuple[dict[str, float], torch.Tensor]:
    """One episode in every environment, no noise on the actions; some of what was seen."""
    policy = runner.get_inference_policy()
    total, seen = torch.zeros(fleet.num_envs), []
    dead = torch.zeros(fleet.num_envs, dtype=torch.bool)
    for step in range(fleet.max_episode_length - 1):
        observations = fleet.get_observations()
        if step % 30 == 0:
            seen.append(observations[GROUP][len(seen)])
        _, rewards, dones, extras = fleet.step(policy(observations))
        total += torch.where(dead, 0.0, rewards)
        dead |= (dones > 0) & ~extras["time_outs"]
    found = {"return": float(total.mean()), "worst": float(total.min()), "deaths": int(dead.sum())}
    return found, torch.stack(seen)[:EXAMPLES]


def describe(runner: OnPolicyRunner, out: Path, found: Mapping[str, float], seen: torch.Tensor) -> None:
    with torch.inference_mode():
        given = TensorDict({GROUP: seen}, batch_size=[len(seen)])
        actions = runner.get_inference_policy()(given)
    example = {
        "checkpoint": out.name,
        "note": f"PPO {HIDDEN} {ACTIVATION}, log std; greedy return {found['return']:.1f}, "
        f"worst episode {found['worst']:.1f}, {found['deaths']} deaths",
        "activation": ACTIVATION,
        "observation_group": GROUP,
        "inputs": seen.tolist(),
        "outputs": actions.tolist(),
        "tolerance": 1e-5,
    }
    out.with_suffix(".json").write_text(json.dumps(example) + "\n")


@contextmanager
def simulator(task: str) -> Iterator[str]:
    """A simulator of our own, which ends with this process; as many environments as its client asks for."""
    with tempfile.TemporaryDirectory(prefix="firstsolo-") as folder:
        endpoint = f"ipc://{folder}/sim.ipc"
        program = [str(HOME / "src" / "cli" / "firstsolo.mjs"), "sim", "--task", task, "--bind", endpoint]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        process = subprocess.Popen(["node", *program, "--exit-with-stdin"], **pipes, text=True)
        try:
            if not process.stdout.readline():
                sys.exit("The simulator did not start; what it said is above.")
            yield endpoint
        finally:
            process.terminate()
            process.wait(10)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", default="quadcopter-random")
    parser.add_argument("--num_envs", type=int, default=4096)
    parser.add_argument("--iterations", type=int, default=350)
    parser.add_argument("--episodes", type=int, default=1000, help="greedy ones at the end")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--endpoint", help="a simulator that runs already")
    parser.add_argument("--resume", help="a checkpoint of this script to go on from")
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def fly(endpoint: str, chosen: argparse.Namespace) -> None:
    fleet = Fleet(endpoint, chosen.num_envs, chosen.seed)
    runner = train(fleet, chosen.iterations, chosen.out, chosen.resume)
    fleet.close()
    jury = Fleet(endpoint, chosen.episodes, chosen.seed + 1000, {"random_ages": False})
    found, seen = judge(runner, jury)
    jury.close()
    describe(runner, chosen.out, found, seen)
    print(f"greedy: {found}; rsl-rl-lib {version('rsl-rl-lib')}, PyTorch {torch.__version__}")


def main() -> None:
    chosen = options()
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(chosen.seed)
    torch.set_num_threads(chosen.threads)
    if chosen.endpoint is not None:
        fly(chosen.endpoint, chosen)
        return
    with simulator(chosen.task) as endpoint:
        fly(endpoint, chosen)


if __name__ == "__main__":
    try:
        main()
    except ServeError as refusal:
        sys.exit(f"{refusal}\n{refusal.hint}")
