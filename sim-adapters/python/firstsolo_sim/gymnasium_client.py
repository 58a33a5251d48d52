"""A Firstsolo simulator as a ``gymnasium.vector.VectorEnv``; needs Gymnasium 1.1 or later."""

from __future__ import annotations

import secrets
from typing import Any, Mapping, Optional, Sequence

import numpy as np

try:
    import gymnasium
    from gymnasium.vector import AutoresetMode, VectorEnv
    from gymnasium.vector.utils import batch_space
except ImportError as error:
    raise ImportError(
        "FirstsoloVectorEnv needs Gymnasium 1.1 or later: pip install 'firstsolo-sim[gymnasium]'"
    ) from error

from .driver import Client
from .spec import is_picture


class FirstsoloVectorEnv(VectorEnv):
    """Many environments of a simulator in another process; autoreset SAME_STEP.

    One observation group is a Box ``[num_envs, ...shape]``, several are a Dict of such. ``infos`` holds
    ``final_obs`` (an object array) and ``_final_obs`` (a mask) at steps where episodes ended, and ``log``
    where the simulator has something new. Arrays are copies: write to them as you like.
    """

    def __init__(
        self, endpoint: str, *, groups: Optional[Sequence[str]] = None, **options: Any
    ) -> None:
        """``options`` as ``Client``'s: settings, num_envs, startup_timeout, step_timeout, curve."""
        self.client = Client(endpoint, groups=groups, **options)
        spec = self.client.spec
        self.metadata = {
            "autoreset_mode": AutoresetMode.SAME_STEP,
            "render_modes": [],
            "render_fps": 1.0 / spec["control_period"],
        }
        self.render_mode = None
        self.num_envs = int(spec["num_envs"])
        self.single_action_space = _bounded(spec["action"])
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        boxes = {group: _unbounded(tensor) for group, tensor in spec["observations"].items()}
        self._only = next(iter(boxes)) if len(boxes) == 1 else None
        self.single_observation_space = (
            boxes[self._only] if self._only is not None else gymnasium.spaces.Dict(boxes)
        )
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)

    def reset(
        self, *, seed: Optional[int] = None, options: Optional[Mapping[str, Any]] = None
    ) -> tuple[Any, dict[str, Any]]:
        """Starts a new episode everywhere; without a seed a random one."""
        if options and options.get("reset_mask") is not None:
            raise ValueError("a Firstsolo simulator resets rows by itself, never on demand")
        chosen = secrets.randbits(32) if seed is None else int(seed)
        return self._shown(self.client.reset(chosen)), {}

    def step(
        self, actions: np.ndarray
    ) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        shape = (self.num_envs, *self.client.spec["action"]["shape"])
        step = self.client.step(np.asarray(actions, dtype="<f4").reshape(shape))
        infos: dict[str, Any] = {"log": dict(step.log)} if step.log else {}
        if len(step.final_rows):
            last = np.full(self.num_envs, None, dtype=object)
            final = self._shown(step.final_observations)
            for k, row in enumerate(step.final_rows):
                last[row] = _row(final, k)
            mask = np.zeros(self.num_envs, dtype=bool)
            mask[step.final_rows] = True
            infos.update(final_obs=last, _final_obs=mask)
        return (
            self._shown(step.observations),
            step.rewards.astype(np.float64),
            step.terminated.copy(),
            step.truncated.copy(),
            infos,
        )

    def close_extras(self, **_: Any) -> None:
        self.client.close()

    def _shown(self, observations: Mapping[str, np.ndarray]) -> Any:
        if self._only is not None:
            return observations[self._only].copy()
        return {group: array.copy() for group, array in observations.items()}


def _row(batch: Any, row: int) -> Any:
    return (
        {key: part[row] for key, part in batch.items()} if isinstance(batch, dict) else batch[row]
    )


def _bounded(action: Mapping[str, Any]) -> Any:
    shape = tuple(action["shape"])
    low = np.asarray(action["low"], dtype=np.float32).reshape(shape)
    high = np.asarray(action["high"], dtype=np.float32).reshape(shape)
    return gymnasium.spaces.Box(low, high, dtype=np.float32)


def _unbounded(tensor: Mapping[str, Any]) -> Any:
    if is_picture(tensor):
        return gymnasium.spaces.Box(0, 255, shape=tuple(tensor["shape"]), dtype=np.uint8)
    return gymnasium.spaces.Box(-np.inf, np.inf, shape=tuple(tensor["shape"]), dtype=np.float32)
