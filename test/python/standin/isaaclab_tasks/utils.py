from .direct import HopperEnvCfg


def parse_env_cfg(task_name, device="cuda:0", num_envs=None, use_fabric=None, overrides=()):
    if overrides:
        print(f"engines {' '.join(overrides)}", flush=True)
    if task_name != "Isaac-Quadcopter-Direct-v0":
        raise ValueError(f"Could not find configuration for the environment: '{task_name}'.")
    cfg = HopperEnvCfg()
    cfg.sim.device = device
    if num_envs is not None:
        cfg.scene.num_envs = num_envs
    return cfg
