"""SARDINE's environments as boxes of numbers, the spaces that our adapter serves: ``sardine_env:boxes/SlateTopK-Bored-v0``."""

import gymnasium as gym
import numpy as np
import sardine  # noqa: F401  registers its environments


class Boxes(gym.Env):
    """``policy``: slate, clicks, recent clicks per topic; ``user``: what nobody sees. Actions are ids; −1 asks for the oracle's item."""

    def __init__(self, name, **_):
        self._env = gym.make(f"sardine/{name}", disable_env_checker=True).unwrapped
        slots, topics = self._env.slate_size, self._env.num_topics
        box = lambda size, low, high: gym.spaces.Box(low, high, (size,), np.float32)
        self.observation_space = gym.spaces.Dict(
            {
                "policy": box(2 * slots + topics, 0, self._env.num_items),
                "user": box(3 * topics, -1, 1),
            }
        )
        self.action_space = box(slots, -1, self._env.num_items - 1)

    def _shown(self, seen, info):
        parts = [seen["slate"], seen["clicks"], seen["hist"]]
        policy = np.concatenate(parts).astype(np.float32)
        return {"policy": policy, "user": np.asarray(info["user_state"], np.float32)}

    def reset(self, *, seed=None, options=None):
        seen, info = self._env.reset(seed=seed)
        return self._shown(seen, info), {}

    def step(self, action):
        slate = np.rint(action).astype(np.int64)
        seen, clicks, _, _, info = self._env.step(slate)
        return self._shown(seen, info), float(clicks), False, False, {}


for name in ("SlateTopK-Bored-v0", "SlateTopK-BoredInf-v0", "SlateTopK-Uncertain-v0"):
    gym.register(f"boxes/{name}", entry_point=Boxes, kwargs={"name": name}, max_episode_steps=100)
