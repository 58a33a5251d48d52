"""Crazyflies of crazyflow (JAX) on their way to a point; its own Mellinger controller teaches.

``pip install crazyflow firstsolo-sim``, then ``python crazyflow_reach.py --bind ipc:///tmp/fly.ipc``, and
``firstsolo train --sim ipc:///tmp/fly.ipc --checkpoint simulator obs_groups.student=[difference_to_goal,quat,vel,ang_vel]``.
"""
import argparse
import jax
import jax.numpy as jnp
from crazyflow.control.core import load_fn_params
from crazyflow.control.mellinger import state2attitude
from crazyflow.envs import ReachPosEnv
from firstsolo_sim.command_line import add_serving_arguments, run, serve_from
from firstsolo_sim.gymnasium import GymnasiumEnv
from firstsolo_sim.kept import Kept
from firstsolo_sim.teaching import Taught
RATE, SECONDS = 50, 5.0  # Hz, s

class Reach(ReachPosEnv):
    def reset(self, *, seed=None, options=None):
        if seed is not None:
            self.jax_key = jax.random.key(seed)  # of the goals, which its own reset leaves as it was
        return super().reset(seed=seed, options=options)

def mellinger(env):
    parameters = load_fn_params(state2attitude, env.sim.drone)
    @jax.jit
    def fly(pos, quat, vel, way):
        command = jnp.zeros((len(pos), 16)).at[:, :3].set(pos + way).at[:, 12].set(1.0)
        return state2attitude(pos, quat, vel, command, ctrl_freq=RATE, **parameters)[0]
    return lambda seen: fly(seen["pos"], seen["quat"], seen["vel"], seen["difference_to_goal"])

def make(settings, num_envs, groups):
    env = Reach(num_envs=num_envs or 64, freq=RATE, max_episode_time=SECONDS)
    options = {"control_period": 1 / RATE, "max_episode_steps": int(SECONDS * RATE), "autoreset_mode": "next_step"}
    return Taught(GymnasiumEnv(env, task="crazyflow-reach", **options), mellinger(env))

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    add_serving_arguments(parser)
    run(lambda: serve_from(parser.parse_args(), Kept(make), "crazyflow", "0.4"))
