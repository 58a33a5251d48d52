"""A controller that teaches beside any environment: ``--teacher module:function``, observations in, actions out."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any, Callable, Dict, Mapping

import numpy as np

from .session_order import ServeError

Controller = Callable[[Mapping[str, np.ndarray]], Any]
"""Observations by group, each ``[num_envs, ...]``, to actions ``[num_envs, ...]`` in the specification's units."""


def load_function(name: str) -> Any:
    """``module:function``, from where the program was started or an installed package. Raises ServeError."""
    module, colon, function = name.partition(":")
    if not colon or not module or not function:
        hint = "Write module:function, e.g. --teacher controllers:hover for hover() in controllers.py."
        raise ServeError("bad-argument", f"{name!r} names no function of a module", hint)
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        return getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        hint = "Start the server where that file lies, or name an installed module."
        raise ServeError("bad-argument", f"{name}: {error}", hint) from error


class Taught:
    """An environment with the capability ``teacher_actions``, whatever else it can do."""

    def __init__(self, env: Any, controller: Controller) -> None:
        self._env = env
        self._controller = controller
        spec = env.spec
        self._shape = (int(spec["num_envs"]), *spec["action"]["shape"])
        self.spec = {**spec, "capabilities": [*spec["capabilities"], "teacher_actions"]}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._env, name)

    def reset(self, seed: int) -> Dict[str, Any]:
        return self._with_teacher(self._env.reset(seed))

    def step(self, actions: np.ndarray) -> Dict[str, Any]:
        return self._with_teacher(self._env.step(actions))

    def _with_teacher(self, result: Mapping[str, Any]) -> Dict[str, Any]:
        seen = {name[4:]: array for name, array in result.items() if name.startswith("obs/")}
        given = np.asarray(self._controller(seen), dtype="<f4")
        if given.size != int(np.prod(self._shape)):
            hint = "It must give one row of actions per environment."
            problem = f"the teacher gave {list(given.shape)}, the task takes {list(self._shape)}"
            raise ServeError("bad-teacher", problem, hint, fatal=True)
        return {**result, "teacher/actions": given.reshape(self._shape)}
