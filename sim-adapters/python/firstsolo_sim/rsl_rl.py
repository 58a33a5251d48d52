"""Serves any environment of rsl_rl: ``python -m firstsolo_sim.rsl_rl --env module:function --bind …``.

The function is called with ``num_envs`` (or without, where it takes none) and gives a ``VecEnv`` of rsl_rl 2 to 5,
or an environment that mjlab's or Isaac Lab's classes make; in a program of one's own: ``serve(RslRlEnv(env, task))``.
"""

from __future__ import annotations

import argparse
import inspect
import random
import sys
from typing import Any, Callable, Dict, Mapping, Optional

import numpy as np

from .command_line import add_serving_arguments, refuse_other_size, run, serve_from
from .host_copy import HostCopy
from .isaaclab_env import FALLBACK_BOUND, IsaacEnv, figures_of, gathered, leaves
from .session_order import ServeError
from .teaching import Taught, load_function


class RslRlEnv:
    """A ``VecEnv``: it resets in ``step`` and keeps an episode's last observation to itself.

    ``extras["time_outs"]`` says which ends were the clock's; ``extras["log"]`` or ``["episode"]`` are its figures.
    """

    def __init__(
        self,
        env: Any,
        task: str,
        *,
        control_period: Optional[float] = None,
        action_bound: Optional[float] = None,
        to_tensor: Optional[Callable[[np.ndarray], Any]] = None,
        torch: Optional[Any] = None,
    ) -> None:
        self._env = env
        self._to_tensor = to_tensor or _tensors_for(env)
        self._copy = HostCopy(torch)
        self._count = int(env.num_envs)
        self._bound = action_bound or _bound_of(env)
        self.settings: Dict[str, Any] = {}
        self.notices = ["rsl_rl's environments tell no final observations"]
        if self._bound is None:
            self._bound = FALLBACK_BOUND
            self.notices.append(
                f"nothing says how far actions go: ±{FALLBACK_BOUND:g} is used; --action_bound says better"
            )
        shown = self._shown(self._first())
        bounds = [float(self._bound)] * int(env.num_actions)
        self.spec = {
            "task": task[:128],
            "num_envs": self._count,
            "control_period": control_period or _period_of(env),
            "max_episode_steps": int(env.max_episode_length),
            "autoreset": "same_step",
            "observations": {
                name[4:]: {"dtype": "<f4", "shape": list(array.shape[1:])}
                for name, array in shown.items()
            },
            "action": {
                "dtype": "<f4",
                "shape": [len(bounds)],
                "low": [-bound for bound in bounds],
                "high": bounds,
            },
            "capabilities": [],
        }

    def reset(self, seed: int) -> Dict[str, np.ndarray]:
        """By the environment's own ``seed``, else that of the process: rsl_rl's contract has none."""
        for owner in (self._env, getattr(self._env, "unwrapped", None)):
            if hasattr(owner, "seed") and callable(owner.seed):
                owner.seed(seed)
                break
        else:
            _seed_process(seed)
        return self._shown(self._first())

    def step(self, actions: np.ndarray) -> Dict[str, Any]:
        clipped = np.clip(actions.reshape(self._count, -1), -self._bound, self._bound)
        taken = self._env.step(self._to_tensor(clipped.astype("<f4")))
        # Version 2 has its privileged observations in between.
        observations, reward, dones, extras = taken if len(taken) == 4 else _old(taken)
        late = extras.get("time_outs")
        host = self._copy.take({"reward": reward, "dones": dones, **({} if late is None else {"late": late})})
        ended = host["dones"].reshape(self._count) != 0
        clock = np.zeros(self._count, bool) if late is None else host["late"].reshape(self._count) != 0
        result: Dict[str, Any] = {
            "reward": host["reward"].astype("<f4").reshape(self._count),
            "terminated": ended & ~clock,
            "truncated": ended & clock,
            **self._shown(_groups(observations, extras)),
        }
        log = extras.get("log") or extras.get("episode")
        return {**result, "log": figures_of(log)} if ended.any() and log else result

    def close(self) -> None:
        """Whoever made the environment keeps it."""

    def end(self) -> None:
        close = getattr(self._env, "close", None)
        if close is not None:
            close()

    def _first(self) -> Any:
        found = self._env.reset()
        observations, more = found if isinstance(found, tuple) else (found, None)
        return _groups(observations, more)

    def _shown(self, groups: Any) -> Dict[str, np.ndarray]:
        return gathered("obs", self._copy.take(leaves("obs", groups)), self._count)


def served(env: Any, task: str, **options: Any) -> Any:
    """By what it is: mjlab's and Isaac Lab's own classes know more than rsl_rl's contract."""
    if all(hasattr(env, name) for name in ("step_dt", "single_action_space", "max_episode_length")):
        import torch

        return IsaacEnv(env, task, to_tensor=_tensors_for(env), torch=torch, clip_actions=options.get("action_bound"))
    return RslRlEnv(env, task, **options)


def _groups(observations: Any, extras: Any) -> Any:
    """A TensorDict of groups (3 to 5); one tensor and the others beside it (2.3); or a tensor (2)."""
    if hasattr(observations, "items"):
        return dict(observations.items())
    beside = extras.get("observations") if hasattr(extras, "get") else None
    return {"policy": observations, **beside} if hasattr(beside, "items") else observations


def _old(taken: Any) -> Any:
    observations, privileged, reward, dones, extras = taken
    groups = {"policy": observations}
    return groups if privileged is None else {**groups, "critic": privileged}, reward, dones, extras


def _tensors_for(env: Any) -> Callable[[np.ndarray], Any]:
    import torch

    device = getattr(env, "device", "cpu")
    return lambda actions: torch.from_numpy(np.array(actions)).to(device)


def _bound_of(env: Any) -> Optional[float]:
    clip = getattr(env, "clip_actions", None)
    return float(clip) if isinstance(clip, (int, float)) and not isinstance(clip, bool) and clip > 0 else None


def _period_of(env: Any) -> float:
    for owner in (env, getattr(env, "unwrapped", None)):
        for name in ("step_dt", "dt"):
            value = getattr(owner, name, None)
            if isinstance(value, (int, float)) and value > 0:
                return float(value)
    hint = "Say how many seconds pass between two actions: --control_period 0.02."
    raise ServeError("no-control-period", "the environment says neither step_dt nor dt", hint)


class Opener:
    """Makes the environment once; a runner takes it as it is."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._env: Any = None

    def __call__(self, settings: Mapping[str, Any], num_envs: Optional[int], groups: Any) -> Any:
        args = self._args
        if settings:
            name = next(iter(settings))
            hint = "Set it in the function that makes the environment."
            raise ServeError("unknown-setting", f"env.{name}: it has no settings", hint)
        if self._env is None:
            make = load_function(args.env)
            takes = "num_envs" in inspect.signature(make).parameters
            count = args.num_envs or num_envs
            made = make(num_envs=count) if takes and count is not None else make()
            options = {"control_period": args.control_period, "action_bound": args.action_bound}
            env = served(made, args.task or args.env.partition(":")[2], **options)
            self._env = env if args.teacher is None else Taught(env, load_function(args.teacher))
        refuse_other_size(num_envs, self._env.spec["num_envs"])
        return self._env


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m firstsolo_sim.rsl_rl", description=__doc__)
    parser.add_argument("--env", required=True, metavar="MODULE:FUNCTION")
    parser.add_argument("--task", metavar="NAME", help="default: the function's name")
    parser.add_argument("--num_envs", type=int, help="default: the runner's, else the function's")
    parser.add_argument("--control_period", type=float, help="s; default: the environment's step_dt or dt")
    parser.add_argument("--action_bound", type=float, help="default: the environment's clip_actions")
    taught = "observations by group to actions: a controller that teaches beside it"
    parser.add_argument("--teacher", metavar="MODULE:FUNCTION", help=taught)
    add_serving_arguments(parser)
    args = parser.parse_args()
    serve_from(args, Opener(args), "rsl_rl", _version())


def _seed_process(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch = sys.modules.get("torch")
    if hasattr(torch, "manual_seed"):
        torch.manual_seed(seed)


def _version() -> str:
    try:
        from importlib.metadata import version

        return version("rsl-rl-lib")
    except Exception:
        return "unknown"  # an environment of its kind needs no rsl_rl beside it


if __name__ == "__main__":
    run(main)
