"""A trained policy as the simulator's own teacher: TorchScript as Isaac Lab exports it, or an rsl_rl checkpoint."""

from __future__ import annotations

import re
from typing import Any, Mapping, NoReturn, Optional, Sequence

import numpy as np

from .session_order import ServeError

_ACTIVATIONS = {
    "elu": "ELU",
    "selu": "SELU",
    "relu": "ReLU",
    "crelu": "CELU",
    "lrelu": "LeakyReLU",
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
    "softplus": "Softplus",
    "gelu": "GELU",
    "swish": "SiLU",
    "mish": "Mish",
    "identity": "Identity",
}
"""rsl_rl's names."""

_EPSILON = 1e-2
"""Added to the standard deviation by rsl_rl's EmpiricalNormalization."""


class TorchTeacher:
    """Called with the observations and who started, gives the mean actions; feed-forward policies only."""

    def __init__(
        self, path: str, *, device: Any, groups: Sequence[str], activation: str, actions: int
    ) -> None:
        """``actions``: components of one action. Raises ServeError for what cannot be flown."""
        import torch

        self._torch = torch
        self._groups = list(groups)
        self._path = path
        self._device = device
        self._normaliser: Optional[tuple[Any, Any]] = None
        self._actions = actions
        self._network = self._script() or self._checkpoint(activation)

    def __call__(self, observations: Mapping[str, Any], started: np.ndarray) -> Any:
        del started  # nothing is remembered
        with self._torch.inference_mode():
            parts = [self._part(observations, group) for group in self._groups]
            seen = self._torch.cat(parts, dim=-1) if len(parts) > 1 else parts[0]
            if self._normaliser is not None:
                mean, deviation = self._normaliser
                seen = (seen - mean) / deviation
            return self._network(seen)[:, : self._actions]

    def _part(self, observations: Mapping[str, Any], group: str) -> Any:
        part = observations.get(group)
        if isinstance(part, Mapping):
            return self._torch.cat([term.flatten(1) for term in part.values()], dim=-1)
        if part is None:
            known = ", ".join(observations)
            self._refuse(
                f"reads the group {group}; there is {known}", "Name others: --teacher_groups."
            )
        return part.flatten(1)

    def _script(self) -> Optional[Any]:
        try:
            module = self._torch.jit.load(self._path, map_location=self._device)
        except (RuntimeError, ValueError):
            return None  # no TorchScript: a checkpoint, or nothing at all
        if any(
            "hidden_state" in name or "cell_state" in name for name, _ in module.named_buffers()
        ):
            self._refuse("is recurrent", _RECURRENT)
        return module.eval()

    def _checkpoint(self, activation: str) -> Any:
        try:
            # Never the pickle's own code: a checkpoint may come from anywhere.
            found = self._torch.load(self._path, map_location=self._device, weights_only=True)
        except Exception as error:
            hint = (
                "Give model_N.pt of rsl_rl, or exported/policy.pt as Isaac Lab's play.py writes it."
            )
            message = (
                f"{self._path} is neither TorchScript nor a checkpoint ({type(error).__name__})"
            )
            raise ServeError("bad-teacher", message, hint) from error
        state = found.get("actor_state_dict", found.get("model_state_dict", {}))
        layers = _layers(state)
        if any(re.match(r"(memory_a|rnn)\.", name) for name in state):
            self._refuse("is recurrent", _RECURRENT)
        if not layers:
            keys = ", ".join(map(str, found))[:200]
            self._refuse(f"has no actor; its keys are {keys}", "Give a checkpoint of PPO.")
        self._normaliser = self._normaliser_of(state, found.get("obs_norm_state_dict", {}))
        return self._mlp(layers, activation)

    def _normaliser_of(self, state: Mapping[str, Any], older: Mapping[str, Any]) -> Any:
        for source, prefix in (
            (state, "obs_normalizer."),
            (state, "actor_obs_normalizer."),
            (older, ""),
        ):
            if f"{prefix}_mean" in source:
                return source[f"{prefix}_mean"], source[f"{prefix}_std"] + _EPSILON
        return None

    def _mlp(self, layers: Sequence[tuple[Any, Any]], activation: str) -> Any:
        """Layers alternate with the activation; the last has none."""
        nn = self._torch.nn
        if activation not in _ACTIVATIONS:
            known = ", ".join(_ACTIVATIONS)
            self._refuse(f"cannot fly with {activation}", f"Valid activations are: {known}.")
        modules: list[Any] = []
        for weight, bias in layers:
            linear = nn.Linear(weight.shape[1], weight.shape[0])
            linear.load_state_dict({"weight": weight, "bias": bias})
            modules += [linear, getattr(nn, _ACTIVATIONS[activation])()]
        width = layers[-1][0].shape[0]
        if width not in (self._actions, 2 * self._actions):
            problem = f"gives {width} actions, the task takes {self._actions}"
            self._refuse(problem, "Give a teacher of this task.")
        return nn.Sequential(*modules[:-1]).to(self._device).eval()

    def _refuse(self, problem: str, hint: str) -> NoReturn:
        raise ServeError("bad-teacher", f"the teacher {self._path} {problem}", hint)


_RECURRENT = "Recurrent teachers fly in the runner: give the file to firstsolo train --checkpoint."


def _layers(state: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    """Weights and biases in order, by rsl_rl 2 and 3's names or by those of 4 and 5."""
    for prefix in ("mlp.", "actor."):
        numbers = sorted(
            int(match.group(1))
            for match in (
                re.fullmatch(re.escape(prefix) + r"(\d+)\.weight", name) for name in state
            )
            if match
        )
        if numbers:
            return [(state[f"{prefix}{n}.weight"], state[f"{prefix}{n}.bias"]) for n in numbers]
    return []
