"""A task of mjlab (MuJoCo Warp) on the processor: groups ``actor`` and ``critic``; by default a pole on a cart, which
a controller swings up and balances.

``pip install mjlab firstsolo-sim``, then ``python mjlab_task.py --bind ipc:///tmp/mjlab.ipc``, and
``firstsolo train --sim ipc:///tmp/mjlab.ipc --checkpoint simulator obs_groups.student=[actor]``. Another ``--task`` has
a teacher of mjlab's own training: ``--checkpoint model_N.pt obs_groups.teacher=[actor] obs_groups.student=[actor]``.
"""
import argparse
import mjlab.tasks  # noqa: F401  (registers them)
import numpy as np
from firstsolo_sim.command_line import add_serving_arguments, run, serve_from
from firstsolo_sim.rsl_rl import served
from firstsolo_sim.teaching import Taught
from mjlab.envs import ManagerBasedRlEnv
from mjlab.tasks.registry import load_env_cfg

BALANCE = "Mjlab-Cartpole-Balance"

def balance(seen):
    """Effort, of 10 N: LQR near the top, energy below, which rises to 0 at the top; row: m, cos, sin, m/s, rad/s."""
    place, cos, sin, speed, rate = seen["actor"].T
    energy = rate**2 / 2 + 14.7 * (cos - 1)  # of a pole of 1 m, by its inertia
    hold = 0.70 * place + 5.18 * np.arctan2(sin, cos) + 0.80 * speed + 1.34 * rate
    return np.where(cos > 0.8, hold, 0.1 * energy * cos * rate - 0.5 * place - 0.3 * speed).clip(-1, 1)

def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default=BALANCE)
    parser.add_argument("--num_envs", type=int, default=16)
    parser.add_argument("--device", default="cpu")
    add_serving_arguments(parser)
    args = parser.parse_args()
    config = load_env_cfg(args.task)
    config.scene.num_envs = args.num_envs
    env = served(ManagerBasedRlEnv(config, device=args.device), args.task)
    serve_from(args, Taught(env, balance) if args.task == BALANCE else env, "mjlab", "1.6")

if __name__ == "__main__":
    run(main)
