"""A task of EnvPool (C++), by default MuJoCo Playground's Go1: groups ``state`` and ``privileged_state``.

``pip install envpool firstsolo-sim``, then ``python envpool_go1.py --bind ipc:///tmp/go1.ipc``, and with a policy for it
``firstsolo train --sim ipc:///tmp/go1.ipc --checkpoint go1_policy.onnx obs_groups.teacher=[state] obs_groups.student=[state]``.
"""

import argparse

import envpool
import numpy as np
from firstsolo_sim.command_line import add_serving_arguments, run, serve_from
from firstsolo_sim.gymnasium import GymnasiumEnv


class Pool:
    """EnvPool is seeded when it is made, and takes float64; an end is told with the restart."""

    def __init__(self, task, num_envs):
        self.task, self.num_envs, self.metadata = task, num_envs, {"autoreset_mode": "next_step"}
        self.pool = envpool.make_gymnasium(task, num_envs=num_envs, seed=0)
        self.single_observation_space = self.pool.observation_space
        self.single_action_space = space = self.pool.action_space
        self.action_space = type(space)(-1, 1, (num_envs, *space.shape), np.float64)

    def reset(self, *, seed=0):
        self.pool = envpool.make_gymnasium(self.task, num_envs=self.num_envs, seed=seed)
        return self.pool.reset()

    def step(self, actions):
        return self.pool.step(actions)


def make(settings, num_envs, groups, task="Go1JoystickFlatTerrain-v1"):
    return GymnasiumEnv(Pool(task, num_envs or 64), task=task, control_period=0.02, max_episode_steps=1000)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    add_serving_arguments(parser)
    run(lambda: serve_from(parser.parse_args(), make, "envpool", envpool.__version__))
