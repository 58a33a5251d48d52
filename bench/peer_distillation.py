"""rsl_rl's own Distillation on our simulator: ``peer_distillation.py ORDER``; JSON in, JSON out.

Its classes, its defaults where ours are its defaults too, the same teacher, the same fleet. As many threads
as ``threads`` says, one by default, as our runner uses on two cores: the simulator has the other. The student is saved after each of ``iterations``, in
rsl_rl's layout, in ``folder``.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from rsl_rl.algorithms import Distillation
from rsl_rl.storage import RolloutStorage
from rsl_rl_crew import ACTIONS, Fleet, Order, load_teacher, make_student
from tensordict import TensorDict

STEPS = 24


def make_algorithm(fleet: Fleet, seen: TensorDict, order: Order) -> Distillation:
    return Distillation(
        make_student(seen, order),
        load_teacher(seen, order),
        RolloutStorage("distillation", fleet.num_envs, STEPS, seen, [ACTIONS], "cpu"),
        num_learning_epochs=4,
        gradient_length=15,
        learning_rate=1e-3,
        max_grad_norm=1.0,
        loss_type="mse",
        optimizer="adam",
        device="cpu",
    )


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
    threads = order.get("threads", 1)
    torch.set_num_threads(threads)
    torch.manual_seed(order["seed"])
    fleet = Fleet(order)
    seen = fleet.reset(order["seed"])
    algorithm = make_algorithm(fleet, seen, order)
    reached = []
    start, cpu_start = time.perf_counter(), time.process_time()
    for iteration in range(1, max(order["iterations"]) + 1):
        seen = iterate(fleet, algorithm, seen)
        if iteration not in order["iterations"]:
            continue
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu_start
        checkpoint = Path(order["folder"]) / f"model_{iteration}.pt"
        torch.save(algorithm.save(), checkpoint)
        row = {"iterations": iteration, "seconds": seconds, "cpu_seconds": cpu}
        reached.append({**row, "checkpoint": str(checkpoint)})
    fleet.close()
    versions = f"rsl-rl-lib {version('rsl-rl-lib')}, PyTorch {torch.__version__}, {threads} thread(s)"
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(json.dumps({"versions": versions, "reached": reached, "peak_mb": peak_mb}))


if __name__ == "__main__":
    main()
