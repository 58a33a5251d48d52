"""A trained policy as the simulator's own teacher: TorchScript as Isaac Lab exports it, or an rsl_rl checkpoint."""

from __future__ import annotations

import json
import re
import sys
from typing import Any, Dict, List, Mapping, NoReturn, Optional, Sequence, Tuple

import numpy as np

from .agent_config import AgentConfig, find_agent_config
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
        self,
        path: str,
        *,
        device: Any,
        actions: int,
        groups: Optional[Sequence[str]] = None,
        activation: Optional[str] = None,
        distribution: Optional[str] = None,
    ) -> None:
        """``actions``: components of one action. What is None is read from the file, or from the configuration
        of its run (params/agent.yaml); nothing is guessed. Raises ServeError for what cannot be flown.
        """
        import torch

        self._torch = torch
        self._path = path
        self._device = device
        self._actions = actions
        self._normaliser: Optional[Tuple[Any, Any]] = None
        self._range: Optional[Tuple[float, float]] = None
        self._config: Optional[AgentConfig] = None
        self._network = self._script() or self._checkpoint(activation, distribution)
        configured = self._config.groups if self._config else None
        self._groups = list(groups or configured or ["policy"])

    def __call__(self, observations: Mapping[str, Any], started: np.ndarray) -> Any:
        del started  # nothing is remembered
        with self._torch.inference_mode():
            parts = [self._part(observations, group) for group in self._groups]
            seen = self._torch.cat(parts, dim=-1) if len(parts) > 1 else parts[0]
            if self._normaliser is not None:
                mean, deviation = self._normaliser
                seen = (seen - mean) / deviation
            return self._mean(self._network(seen))

    def _mean(self, outputs: Any) -> Any:
        """Of two outputs per action the first half is the mean, or both are a Beta distribution's."""
        if self._range is None:
            return outputs[:, : self._actions]
        low, high = self._range
        alpha, beta = (self._torch.nn.functional.softplus(outputs) + 1).chunk(2, dim=-1)
        return low + (high - low) * alpha / (alpha + beta)

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
        self._config = find_agent_config(self._path, "actor")
        return module.eval()

    def _checkpoint(self, activation: Optional[str], distribution: Optional[str]) -> Any:
        found = self._load()
        role, state, older = _network_in(found)
        layers = _layers(state)
        if any(name.startswith("rnn.") for name in state):
            self._refuse("is recurrent", _RECURRENT)
        if not layers:
            keys = ", ".join(map(str, found))[:200]
            self._refuse(f"has no actor; its keys are {keys}", "Give a checkpoint of rsl_rl.")
        own = _own_facts(found, role)
        self._config = find_agent_config(self._path, role)
        self._normaliser = self._normaliser_of(state, older)
        network = self._mlp(layers, self._activation(activation, own, layers))
        if layers[-1][0].shape[0] == 2 * self._actions:
            self._range = self._beta_range(distribution, own)
        return network

    def _load(self) -> Mapping[str, Any]:
        try:
            # Never the pickle's own code: a checkpoint may come from anywhere.
            found = self._torch.load(self._path, map_location=self._device, weights_only=True)
            if not isinstance(found, Mapping):
                raise TypeError(f"it holds a {type(found).__name__}")
            return found
        except Exception as error:
            hint = (
                "Give model_N.pt of rsl_rl, or exported/policy.pt as Isaac Lab's play.py writes it."
            )
            message = (
                f"{self._path} is neither TorchScript nor a checkpoint ({type(error).__name__})"
            )
            raise ServeError("bad-teacher", message, hint) from error

    def _activation(
        self, given: Optional[str], own: Mapping[str, Any], layers: Sequence[Any]
    ) -> str:
        configured = self._config.activation if self._config else None
        name = given or own.get("activation") or configured
        if name is None and len(layers) == 1:
            return "identity"  # nothing stands behind a single layer
        if name is None:
            self._refuse(
                "does not hold the activation between its layers, and no params/agent.yaml near it names one",
                "Name it: --teacher_activation elu, or relu, tanh, swish …: the one it was trained with.",
            )
        print(f"sim: the teacher's activation is {name}", file=sys.stderr)
        return str(name)

    def _beta_range(
        self, given: Optional[str], own: Mapping[str, Any]
    ) -> Optional[Tuple[float, float]]:
        """None: the first half is the mean."""
        head = own.get("head")
        if isinstance(head, Mapping) and given is None:
            return (head["low"], head["high"]) if head.get("kind") == "beta" else None
        named = given or (self._config.distribution if self._config else None)
        if named is None:
            self._refuse(
                f"puts out {2 * self._actions} numbers for {self._actions} actions, mean and noise or a Beta distribution's, and no params/agent.yaml near it says which",
                "Put that file beside it, or name the one: --teacher_distribution gaussian, or beta.",
            )
        if not re.search("beta", named, re.IGNORECASE):
            return None
        return (self._config.action_range if self._config else None) or (-1.0, 1.0)

    def _normaliser_of(self, state: Mapping[str, Any], older: Mapping[str, Any]) -> Any:
        for source, prefix in ((state, "obs_normalizer."), (older, "")):
            if f"{prefix}_mean" in source:
                epsilon = float(source.get(f"{prefix}_epsilon", _EPSILON))
                return source[f"{prefix}_mean"], source[f"{prefix}_std"] + epsilon
        return None

    def _mlp(self, layers: Sequence[Tuple[Any, Any]], activation: str) -> Any:
        """Layers alternate with the activation; the last has none."""
        nn = self._torch.nn
        if activation not in _ACTIVATIONS:
            known = ", ".join(_ACTIVATIONS)
            self._refuse(f"cannot fly with {activation}", f"Valid activations are: {known}.")
        modules: List[Any] = []
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

_OLD = {
    "student": ("student.", "memory_s.rnn.", "student_obs_normalizer."),
    "actor": ("actor.", "memory_a.rnn.", "actor_obs_normalizer."),
}
"""Where a network's parts are in the one dict of rsl_rl 2 and 3."""


def _network_in(file: Mapping[str, Any]) -> Tuple[str, Dict[str, Any], Mapping[str, Any]]:
    """Of a PPO run the actor, of a distillation run the student: role, weights by rsl_rl 5's names, 2.3's statistics."""
    older = file.get("obs_norm_state_dict") or {}
    for role in ("actor", "student"):
        if f"{role}_state_dict" in file:
            return role, _unwrapped(file[f"{role}_state_dict"]), {}
    state = _unwrapped(file.get("model_state_dict", {}))
    role = "student" if any(name.startswith("student.") for name in state) else "actor"
    renamed = {}
    for name, value in state.items():
        for prefix, new in zip(_OLD[role], ("mlp.", "rnn.rnn.", "obs_normalizer.")):
            if name.startswith(prefix):
                renamed[new + name[len(prefix) :]] = value
    return role, renamed, older


def _unwrapped(state: Mapping[str, Any]) -> Dict[str, Any]:
    """Without what DataParallel and torch.compile put before and between names."""
    wrapper = re.compile(r"(^|\.)(?:(?:module|_orig_mod)\.)+")
    return {wrapper.sub(r"\1", name): value for name, value in state.items()}


def _own_facts(file: Mapping[str, Any], role: str) -> Mapping[str, Any]:
    """What a checkpoint of Firstsolo says of its network."""
    infos = file.get("infos")
    own = infos.get("firstsolo") if isinstance(infos, Mapping) else None
    text = own.get("facts") if isinstance(own, Mapping) else None
    try:
        facts = json.loads(text).get(role, {}) if isinstance(text, str) else {}
    except ValueError:
        return {}
    return facts if isinstance(facts, Mapping) else {}


def _layers(state: Mapping[str, Any]) -> List[Tuple[Any, Any]]:
    """Weights and biases in order."""
    matches = (re.fullmatch(r"mlp\.(\d+)\.weight", name) for name in state)
    numbers = sorted(int(match.group(1)) for match in matches if match)
    return [(state[f"mlp.{n}.weight"], state[f"mlp.{n}.bias"]) for n in numbers]
