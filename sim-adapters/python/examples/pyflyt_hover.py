"""PyFlyt's quadrotor, hovering; a cascade of P controllers teaches.

``pip install pyflyt 'gymnasium>=1.1' firstsolo-sim``, then ``python pyflyt_hover.py --bind ipc:///tmp/hover.ipc``, and
``firstsolo train --sim ipc:///tmp/hover.ipc --checkpoint simulator``. Nothing here is needed to serve it without a teacher:
``python -m firstsolo_sim.gymnasium --env PyFlyt.gym_envs:PyFlyt/QuadX-Hover-v4 --max_episode_steps 400 --bind …``.
"""

import sys

import numpy as np


def hover(seen):
    """Rates, rad/s, and thrust that hold [0, 0, 1] m; of the row: rates, quaternion xyzw, velocity, position."""
    row = seen["policy"]
    x, y, z, w = row[:, 3:7].T
    roll = np.arctan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y))
    pitch = np.arcsin(np.clip(2 * (w * y - z * x), -1, 1))
    yaw = np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
    velocity, position = row[:, 7:10], row[:, 10:13]
    ahead = -np.cos(yaw) * position[:, 0] - np.sin(yaw) * position[:, 1]
    left = np.sin(yaw) * position[:, 0] - np.cos(yaw) * position[:, 1]
    tilt = np.clip(0.4 * (ahead - velocity[:, 0]), -0.4, 0.4)
    bank = np.clip(-0.4 * (left - velocity[:, 1]), -0.4, 0.4)
    thrust = np.clip(0.27 + 0.3 * (1 - position[:, 2]) - 0.2 * velocity[:, 2], 0, 0.8)
    return np.stack([6 * (bank - roll), 6 * (tilt - pitch), -yaw, thrust], axis=1).clip(-3.14, 3.14)


if __name__ == "__main__":
    from firstsolo_sim.command_line import run
    from firstsolo_sim.gymnasium import main

    task = ["--env", "PyFlyt.gym_envs:PyFlyt/QuadX-Hover-v4", "--max_episode_steps", "400"]
    sys.argv[1:1] = [*task, "--teacher", "pyflyt_hover:hover"]
    run(main)
