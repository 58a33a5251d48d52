"""A cart looks for a red post, by MuJoCo's own renderer; needs ``pip install mujoco``, but no display:
``MUJOCO_GL=egl python -m firstsolo_sim.examples.mujoco_camera --bind ipc:///tmp/cart.ipc``."""
from __future__ import annotations
import argparse
import mujoco
import numpy as np
from ..command_line import add_serving_arguments, run, serve_from
from ..protocol import check_setting_names
SETTINGS = {"size": 32, "max_steps": 60}
XML = """<mujoco><option timestep="0.01"/><worldbody><light pos="0 0 3"/><geom type="plane" size="4 4 .1"/>
<body mocap="true"><geom type="cylinder" size=".08 .4" rgba="1 0 0 1" contype="0" conaffinity="0"/></body>
<body pos="0 -1.5 .2"><joint type="slide" axis="1 0 0" damping="1"/><geom type="box" size=".1 .1 .1" mass="1"/>
<camera name="front" pos="0 .15 .1" xyaxes="1 0 0 0 0 1" fovy="80"/></body></worldbody></mujoco>"""

class Cart:
    def __init__(self, settings, num_envs, groups):
        check_setting_names(settings, SETTINGS)
        self.settings = {**SETTINGS, **settings}
        self.model = mujoco.MjModel.from_xml_string(XML)
        self.carts = [mujoco.MjData(self.model) for _ in range(num_envs or 4)]
        self.ages = np.zeros(len(self.carts), int)
        size, steps = (int(self.settings[name]) for name in SETTINGS)
        self.renderer = mujoco.Renderer(self.model, size, size)
        camera = {"dtype": "|u1", "shape": [size, size, 3], "names": ["red", "green", "blue"]}
        action = {"dtype": "<f4", "shape": [1], "names": ["force"], "low": -1, "high": 1}
        self.spec = {"task": "mujoco-camera", "num_envs": len(self.carts), "control_period": 0.05,
                     "max_episode_steps": steps, "autoreset": "same_step", "capabilities": [], "action": action,
                     "observations": {"camera": camera, "speed": {"dtype": "<f4", "shape": [1]}}}

    def reset(self, seed):
        self.random = np.random.default_rng(seed)
        return self.begin(range(len(self.carts)))

    def step(self, actions):
        for cart, force in zip(self.carts, np.clip(actions[:, 0], -1, 1)):
            cart.qfrc_applied[0] = 10 * force
            mujoco.mj_step(self.model, cart, 5)
        self.ages += 1
        off = np.array([abs(cart.qpos[0] - cart.mocap_pos[0, 0]) for cart in self.carts])
        ends = {"terminated": off > 4, "truncated": self.ages >= self.settings["max_steps"]}
        rows = np.flatnonzero(ends["terminated"] | ends["truncated"])
        last = {"final/rows": rows, **self.see("final", rows)} if len(rows) else {}
        return {"reward": -off, **ends, **last, **self.begin(rows)}

    def begin(self, rows):
        for cart in (self.carts[row] for row in rows):
            mujoco.mj_resetData(self.model, cart)
            cart.mocap_pos[0] = self.random.uniform(-1, 1), 0.5, 0.4
            mujoco.mj_forward(self.model, cart)
        self.ages[list(rows)] = 0
        return self.see("obs", range(len(self.carts)))

    def see(self, prefix, rows):
        shots = [(self.renderer.update_scene(self.carts[row], "front"), self.renderer.render())[1] for row in rows]
        return {f"{prefix}/camera": np.stack(shots), f"{prefix}/speed": np.array([self.carts[row].qvel for row in rows])}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    add_serving_arguments(parser)
    run(lambda: serve_from(parser.parse_args(), lambda **asked: Cart(**asked), "mujoco", mujoco.__version__))
