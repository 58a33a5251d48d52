"""A task of mjlab (MuJoCo Warp) on the processor: groups ``actor`` and ``critic``.

``pip install mjlab firstsolo-sim``, then ``python mjlab_task.py --bind ipc:///tmp/mjlab.ipc``, and
``firstsolo train --sim ipc:///tmp/mjlab.ipc --checkpoint model_N.pt obs_groups.teacher=[actor] obs_groups.student=[actor]``.
"""

import argparse

import mjlab.tasks  # noqa: F401  (registers them)
from firstsolo_sim.command_line import add_serving_arguments, run, serve_from
from firstsolo_sim.rsl_rl import served
from mjlab.envs import ManagerBasedRlEnv
from mjlab.tasks.registry import load_env_cfg


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default="Mjlab-Cartpole-Balance")
    parser.add_argument("--num_envs", type=int, default=16)
    parser.add_argument("--device", default="cpu")
    add_serving_arguments(parser)
    args = parser.parse_args()
    config = load_env_cfg(args.task)
    config.scene.num_envs = args.num_envs
    env = served(ManagerBasedRlEnv(config, device=args.device), args.task)
    serve_from(args, env, "mjlab", "1.6")


if __name__ == "__main__":
    run(main)
