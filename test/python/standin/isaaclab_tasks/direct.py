"""A direct environment with the documented behaviour of Isaac Lab's DirectRLEnv, on toy physics.

What users trip over is here on purpose: every buffer is written in place and handed out again; ``extras`` is one
dict whose ``log`` stays until the next reset, as ``final_obs`` does; seeding is global; a full reset draws random
ages; the action space has no bounds although the task clamps to ±1; the clock fires one step early.
"""

import math
from dataclasses import dataclass, field

import gymnasium
import numpy as np
from torch import Tensor


@dataclass
class SimCfg:
    dt: float = 0.01
    device: str = "cpu"
    render_interval: int = 2


@dataclass
class SceneCfg:
    num_envs: int = 4096
    env_spacing: float = 2.5


@dataclass
class SpawnCfg:
    usd_path: str = "cf2x.usd"
    scale: tuple = (1.0, 1.0, 1.0)


@dataclass
class RobotCfg:
    prim_path: str = "/World/envs/env_.*/Robot"
    spawn: SpawnCfg = field(default_factory=SpawnCfg)


@dataclass
class HopperEnvCfg:
    episode_length_s: float = 0.4
    decimation: int = 2
    seed: int = None
    compute_final_obs: bool = False
    thrust_to_weight: float = 1.9
    sim: SimCfg = field(default_factory=SimCfg)
    scene: SceneCfg = field(default_factory=SceneCfg)
    robot: RobotCfg = field(default_factory=RobotCfg)


class HopperEnv(gymnasium.Env):
    metadata = {"render_modes": [None]}

    def __init__(self, cfg, render_mode=None):
        self.cfg = cfg
        self.num_envs = n = cfg.scene.num_envs
        self.device = cfg.sim.device
        self.single_observation_space = gymnasium.spaces.Dict(
            {"policy": gymnasium.spaces.Box(-np.inf, np.inf, (12,))}
        )
        self.single_action_space = gymnasium.spaces.Box(-np.inf, np.inf, (4,))
        self.observation_space = self.single_observation_space
        self.action_space = self.single_action_space
        self.step_dt = cfg.sim.dt * cfg.decimation
        self.max_episode_length = math.ceil(cfg.episode_length_s / self.step_dt)
        self.extras = {}
        self.episode_length_buf = np.zeros(n, dtype=np.int64)
        self.reset_terminated = Tensor(np.zeros(n, dtype=bool))
        self.reset_time_outs = Tensor(np.zeros(n, dtype=bool))
        self.reward_buf = Tensor(np.zeros(n, dtype=np.float32))
        self._state = np.zeros((n, 12), dtype=np.float32)
        self.obs_buf = {
            "policy": Tensor(np.zeros((n, 12), dtype=np.float32)),
            "critic": {
                "height": Tensor(np.zeros((n, 1), dtype=np.float32)),
                "goal": Tensor(self._state[:, 9:]),
            },
        }
        self.closed = False

    def reset(self, seed=None, options=None):
        if seed is not None:
            np.random.seed(seed)
        self._reset_idx(np.arange(self.num_envs))
        return self._get_observations(), self.extras

    def step(self, action):
        actions = np.clip(action.array, -1.0, 1.0)
        self._state[:, 0:3] += actions[:, :3] * self.step_dt * self.cfg.thrust_to_weight
        self._state[:, 9:12] -= self._state[:, 0:3]
        self.episode_length_buf += 1
        self.reset_terminated.array[:] = np.abs(self._state[:, 9]) > 1.5
        self.reset_time_outs.array[:] = self.episode_length_buf >= self.max_episode_length - 1
        self.reward_buf.array[:] = -np.abs(self._state[:, 9])
        ended = np.flatnonzero(self.reset_terminated.array | self.reset_time_outs.array)
        if len(ended) > 0:
            if self.cfg.compute_final_obs:
                now = self._get_observations()
                self.extras["final_obs"] = {
                    "policy": Tensor(now["policy"].array.copy()),
                    "critic": {
                        key: Tensor(part.array.copy()) for key, part in now["critic"].items()
                    },
                }
            self._reset_idx(ended)
        return (
            self._get_observations(),
            self.reward_buf,
            self.reset_terminated,
            self.reset_time_outs,
            self.extras,
        )

    def close(self):
        print("environment closed", flush=True)
        self.closed = True

    def _get_observations(self):
        self.obs_buf["policy"].array[:] = self._state
        self.obs_buf["critic"]["height"].array[:, 0] = self._state[:, 2]
        return self.obs_buf

    def _reset_idx(self, ids):
        self.extras["log"] = {
            "Episode_Termination/died": int(self.reset_terminated.array[ids].sum()),
            "Metrics/final_distance_to_goal": Tensor(
                np.float32(np.abs(self._state[ids, 9]).mean())
            ),
        }
        self._state[ids] = 0.0
        self._state[ids, 8] = -1.0
        self._state[ids, 9:12] = np.random.uniform(-1.0, 1.0, (len(ids), 3))
        self.episode_length_buf[ids] = 0
        if len(ids) == self.num_envs:
            self.episode_length_buf[:] = np.random.randint(
                0, self.max_episode_length - 1, self.num_envs
            )
