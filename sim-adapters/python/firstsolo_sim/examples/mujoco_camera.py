"""A cart on a rail looks for a red post, by MuJoCo's own renderer; needs ``pip install mujoco``, but no display:

    MUJOCO_GL=egl python -m firstsolo_sim.examples.mujoco_camera --bind ipc:///tmp/cart.ipc
"""

from __future__ import annotations

import argparse
from typing import Any, Mapping, Optional

import mujoco
import numpy as np

from ..command_line import add_serving_arguments, run, serve_from
from ..protocol import check_setting_names

DEFAULTS = {"size": 32, "max_steps": 60}
XML = """<mujoco><option timestep="0.01"/><asset><texture name="t" type="2d" builtin="checker" rgb1=".2 .3 .4"
 rgb2=".6 .7 .8" width="64" height="64"/><material name="m" texture="t" texrepeat="6 6"/></asset><worldbody>
 <light pos="0 0 3"/><geom type="plane" size="4 4 .1" material="m"/>
 <body name="post" mocap="true"><geom type="cylinder" size=".08 .4" rgba="1 0 0 1" contype="0" conaffinity="0"/></body>
 <body pos="0 -1.5 .2"><joint type="slide" axis="1 0 0" damping="1"/><geom type="box" size=".1 .1 .1" mass="1"/>
 <camera name="front" pos="0 .15 .1" xyaxes="1 0 0 0 0 1" fovy="80"/></body></worldbody></mujoco>"""


class Cart:
    def __init__(self, settings: Mapping[str, Any], num_envs: Optional[int]) -> None:
        check_setting_names(settings, DEFAULTS)
        self.settings = {**DEFAULTS, **settings}
        self._model = mujoco.MjModel.from_xml_string(XML)
        self._data = [mujoco.MjData(self._model) for _ in range(num_envs or 4)]
        self._ages = np.zeros(len(self._data), int)
        size = int(self.settings["size"])
        self._renderer = mujoco.Renderer(self._model, size, size)
        groups = {"camera": {"dtype": "|u1", "shape": [size, size, 3], "names": ["red", "green", "blue"]},
                  "speed": {"dtype": "<f4", "shape": [1], "names": ["speed"], "units": ["m/s"]}}
        self.spec = {"task": "mujoco-camera", "num_envs": len(self._data), "control_period": 0.05,
                     "max_episode_steps": int(self.settings["max_steps"]), "autoreset": "same_step",
                     "action": {"dtype": "<f4", "shape": [1], "names": ["force"], "low": -1, "high": 1},
                     "observations": groups, "capabilities": []}

    def reset(self, seed: int) -> dict[str, np.ndarray]:
        self._random = np.random.default_rng(seed)
        self._begin(np.arange(len(self._data)))
        return self._see("obs", range(len(self._data)))

    def step(self, actions: np.ndarray) -> dict[str, Any]:
        for data, force in zip(self._data, np.clip(actions[:, 0], -1, 1)):
            data.qfrc_applied[0] = 10 * force
            mujoco.mj_step(self._model, data, 5)
        self._ages += 1
        off = np.array([data.qpos[0] - data.mocap_pos[0, 0] for data in self._data])
        ends = {"terminated": np.abs(off) > 4, "truncated": self._ages >= self.settings["max_steps"]}
        rows = np.flatnonzero(ends["terminated"] | ends["truncated"])
        last = {"final/rows": rows, **self._see("final", rows)} if len(rows) else {}
        self._begin(rows)
        return {"reward": -np.abs(off), **ends, **last, **self._see("obs", range(len(self._data)))}

    def _begin(self, rows: Any) -> None:
        for row in rows:
            mujoco.mj_resetData(self._model, self._data[row])
            self._data[row].mocap_pos[0] = self._random.uniform(-1, 1), 0.5, 0.4
            mujoco.mj_forward(self._model, self._data[row])
            self._ages[row] = 0

    def _see(self, prefix: str, rows: Any) -> dict[str, np.ndarray]:
        pictures = []
        for row in rows:
            self._renderer.update_scene(self._data[row], "front")
            pictures.append(self._renderer.render())
        speeds = np.array([self._data[row].qvel for row in rows])
        return {f"{prefix}/camera": np.stack(pictures), f"{prefix}/speed": speeds}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    add_serving_arguments(parser)
    opened = lambda settings, num_envs, groups: Cart(settings, num_envs)
    run(lambda: serve_from(parser.parse_args(), opened, "mujoco", mujoco.__version__))
