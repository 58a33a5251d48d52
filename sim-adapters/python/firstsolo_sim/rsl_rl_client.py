"""A Firstsolo simulator as rsl_rl's ``VecEnv`` (rsl_rl 3 to 5): rsl_rl itself trains on it."""

from __future__ import annotations

import math
from typing import Any, Mapping, Optional, Sequence

import numpy as np

try:
    import torch
    from rsl_rl.env import VecEnv
    from tensordict import TensorDict
except ImportError as error:
    raise ImportError(
        "FirstsoloVecEnv needs torch, tensordict and rsl_rl: pip install rsl-rl-lib"
    ) from error

from .driver import Client


class FirstsoloVecEnv(VecEnv):
    """Many environments of a simulator in another process, reset once when made: rsl_rl never does it.

    Observations are a TensorDict of the groups, ``[num_envs, ...shape]``. ``extras`` holds ``time_outs`` (cut
    off by the clock, not by a terminal state) and, where the simulator has something new, ``log``.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        device: str = "cpu",
        seed: int = 42,
        groups: Optional[Sequence[str]] = None,
        **options: Any,
    ) -> None:
        """``options`` as ``Client``'s: settings, num_envs, startup_timeout, step_timeout, curve."""
        self.client = Client(endpoint, groups=groups, **options)
        spec = self.client.spec
        self.device = torch.device(device)
        self.num_envs = int(spec["num_envs"])
        self.num_actions = math.prod(spec["action"]["shape"])
        self.max_episode_length = int(spec["max_episode_steps"])
        self.cfg = {"spec": dict(spec), "settings": dict(self.client.welcome.get("settings", {}))}
        self._shape = (self.num_envs, *spec["action"]["shape"])
        self._ages = torch.zeros(self.num_envs, dtype=torch.long, device=self.device)
        self.reset(seed)

    @property
    def episode_length_buf(self) -> torch.Tensor:
        """Control steps since each episode began, as counted here."""
        return self._ages

    @episode_length_buf.setter
    def episode_length_buf(self, ages: torch.Tensor) -> None:
        """What rsl_rl sets to spread the first episodes (``init_at_random_ep_len``): changes this count
        alone. The simulator keeps its own clock, and our own one spreads them after a reset by itself.
        """
        self._ages = ages.to(self.device, torch.long).clone()

    def reset(self, seed: int = 42) -> tuple[TensorDict, dict[str, Any]]:
        """Starts a new episode everywhere."""
        self._ages = torch.zeros_like(self._ages)
        self._observed = self._tensors(self.client.reset(seed))
        return self._observed, {}

    def get_observations(self) -> TensorDict:
        return self._observed

    def step(
        self, actions: torch.Tensor
    ) -> tuple[TensorDict, torch.Tensor, torch.Tensor, dict[str, Any]]:
        sent = actions.detach().to("cpu", torch.float32).reshape(self._shape).numpy()
        step = self.client.step(sent)
        dones = self._tensor(step.terminated | step.truncated)
        extras: dict[str, Any] = {"time_outs": self._tensor(step.truncated & ~step.terminated)}
        if step.log:
            extras["log"] = dict(step.log)
        self._ages = torch.where(dones, 0, self._ages + 1)
        self._observed = self._tensors(step.observations)
        return self._observed, self._tensor(step.rewards), dones.long(), extras

    def close(self) -> None:
        self.client.close()

    def _tensors(self, observations: Mapping[str, np.ndarray]) -> TensorDict:
        tensors = {group: self._tensor(array) for group, array in observations.items()}
        return TensorDict(tensors, batch_size=[self.num_envs], device=self.device)

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        """A copy: what the client gives is read-only."""
        return torch.from_numpy(array.copy()).to(self.device)
