"""Isaac Lab 3's cartpole on the processor, with Newton's physics and without Isaac Sim.

Python 3.12, ``pip install isaaclab firstsolo-sim``, then ``python isaaclab_cartpole.py --bind ipc:///tmp/cartpole.ipc``
(the first start compiles for minutes), and, with a teacher of ``isaaclab train --rl_library rsl_rl agent.device=cpu``,
``firstsolo train --sim ipc:///tmp/cartpole.ipc --checkpoint latest``. ``--assets FOLDER`` holds ``cartpole.usda`` and
``ground.usda`` where Isaac Lab's own can't be fetched.
"""

import sys

from firstsolo_sim.command_line import run
from firstsolo_sim.isaaclab import main

TASK = ["--task", "Isaac-Cartpole-Direct", "--device", "cpu", "--viz", "none", "physics=newton_mjwarp"]


def local(folder):
    scene = {"cartpole.spawn.usd_path": "cartpole.usda", "ground.spawn.usd_path": "ground.usda"}
    paths = [f"env.scene.{key}={folder}/{name}" for key, name in scene.items()]
    return [*paths, "env.scene.ground.spawn.color=null"]


if __name__ == "__main__":
    if "--assets" in sys.argv:
        at = sys.argv.index("--assets")
        folder = sys.argv[at + 1]
        sys.argv[at : at + 2] = local(folder)
    sys.argv[1:1] = TASK
    run(main)
