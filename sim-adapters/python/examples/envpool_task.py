"""A task of EnvPool (C++): by default its pendulum, which a controller swings up by its energy and then holds.

``pip install envpool firstsolo-sim``, then ``python envpool_task.py --bind ipc:///tmp/pool.ipc``, and
``firstsolo train --sim ipc:///tmp/pool.ipc --checkpoint simulator``. ``--task Go1JoystickFlatTerrain-v1`` serves MuJoCo
Playground's Go1; with its policy: ``--checkpoint go1_policy.onnx obs_groups.teacher=[state] obs_groups.student=[state]``.
"""
import argparse
import envpool
import numpy as np
from firstsolo_sim.command_line import add_serving_arguments, run, serve_from
from firstsolo_sim.gymnasium import GymnasiumEnv
from firstsolo_sim.kept import Kept
from firstsolo_sim.teaching import Taught
class Pool:  # EnvPool is seeded when it is made; an end is told with the restart
    def __init__(self, task, num_envs):
        self.task, self.num_envs, self.metadata = task, num_envs, {"autoreset_mode": "next_step"}
        self.pool = envpool.make_gymnasium(task, num_envs=num_envs, seed=0)
        self.single_observation_space, self.single_action_space = self.pool.observation_space, self.pool.action_space
        space = self.single_action_space
        self.action_space = type(space)(space.low.min(), space.high.max(), (num_envs, *space.shape), space.dtype)
        self.step = lambda actions: self.pool.step(actions)  # of the newest pool
    def reset(self, *, seed=0):
        self.pool = envpool.make_gymnasium(self.task, num_envs=self.num_envs, seed=seed)
        return self.pool.reset()
def swing_up(seen):
    """Torque, N m, by energy far from the top and by angle, rad, and rate, rad/s, near it; row: cos, sin, rate."""
    cos, sin, rate = seen["policy"].T
    lift = 2 * (5 - rate**2 / 6 - 5 * cos) * rate
    return np.where(cos > 0.9, -8 * np.arctan2(sin, cos) - 2 * rate, lift).clip(-2, 2)[:, None]
if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default="Pendulum-v1")
    add_serving_arguments(parser)
    args = parser.parse_args()
    def make(settings, num_envs, groups):
        pool = Pool(args.task, num_envs or 64)
        swings, steps = args.task == "Pendulum-v1", pool.pool.spec.config.max_episode_steps
        env = GymnasiumEnv(pool, task=args.task, control_period=0.05 if swings else 0.02, max_episode_steps=steps)
        return Taught(env, swing_up) if swings else env
    run(lambda: serve_from(args, Kept(make), "envpool", envpool.__version__))
