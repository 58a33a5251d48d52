"""Serves any Gymnasium vector environment: ``python -m firstsolo_sim.gymnasium --env Pendulum-v1 --bind …``."""

from __future__ import annotations

import argparse
import inspect
import math
from typing import Any, Mapping, Optional

import numpy as np

from .command_line import add_serving_arguments, refuse_other_size, run, serve_from, split_overrides
from .protocol import ProtocolError, check_setting_names
from .session_order import ServeError
from .spaces import action_spec, clip_bounds, fixed_notices, group_arrays, group_specs
from .spaces import joined, rows_of, stacked

MODES = ("same_step", "next_step", "disabled")


class GymnasiumEnv:
    """A ``gymnasium.vector.VectorEnv`` with autoreset ``same_step``, whatever its own is.

    An environment of another mode is reset row by row through ``options={"reset_mask": …}``, in the step in
    which the row's episode ended; one that resets other rows with it is refused when that is seen.
    """

    def __init__(
        self,
        env: Any,
        *,
        task: str,
        control_period: Optional[float] = None,
        max_episode_steps: Optional[int] = None,
        action_bound: Optional[float] = None,
        autoreset_mode: Optional[str] = None,
        bitwise: bool = False,
        settings: Mapping[str, Any] = {},
    ) -> None:
        self._env = env
        self._mode = _mode_of(env, autoreset_mode)
        self._count = int(env.num_envs)
        action, open_ends = action_spec(env.single_action_space, action_bound)
        observations = group_specs(env.single_observation_space)
        self._low, self._high = clip_bounds(env.single_action_space, action)
        self._returns = np.zeros(self._count)
        self._lengths = np.zeros(self._count, dtype=np.int64)
        self.settings = dict(settings)
        self.notices = [f"autoreset {self._mode} is served as same_step"] * (self._mode != MODES[0])
        if open_ends:
            self.notices.append(
                f"{open_ends} action components have no bounds; ±{action_bound} is used"
            )
        self.notices += fixed_notices(env.single_action_space)
        self.spec = {
            "task": task[:128],
            "num_envs": self._count,
            "control_period": control_period or _period_of(env),
            "max_episode_steps": max_episode_steps or _limit_of(env),
            "autoreset": "same_step",
            "observations": observations,
            "action": action,
            "capabilities": ["bitwise"] if bitwise else [],
        }

    def reset(self, seed: int) -> dict[str, np.ndarray]:
        """Row i is seeded with ``seed + i``, as Gymnasium does."""
        # Below 2^31 in every row: simulators in C take no larger seeds.
        observation, _ = self._env.reset(seed=seed % (2**31 - self._count))
        self._returns[:], self._lengths[:] = 0, 0
        return self._groups("obs", observation, self._count)

    def step(self, actions: np.ndarray) -> dict[str, Any]:
        space = self._env.action_space
        flat = np.clip(actions.reshape(self._count, -1), self._low, self._high)
        taken = self._env.step(flat.reshape(space.shape).astype(space.dtype))
        observation, reward, terminated, truncated, info = taken
        terminated = np.array(terminated, dtype=bool)
        truncated = np.array(truncated, dtype=bool)
        reward = np.array(reward, dtype="<f4")
        rows = np.flatnonzero(terminated | truncated)
        result = {"reward": reward, "terminated": terminated, "truncated": truncated}
        self._returns += reward
        self._lengths += 1
        if len(rows) == 0:
            return {**result, **self._groups("obs", observation, self._count)}
        result.update(self._final(rows, observation, info))
        if self._mode != "same_step":
            observation = self._restart(terminated | truncated, observation)
        result.update(self._groups("obs", observation, self._count), log=self._log(rows))
        return result

    def close(self) -> None:
        self._env.close()

    def _groups(self, prefix: str, batch: Any, rows: int) -> dict[str, np.ndarray]:
        """Copies: many environments write the next observation into the same memory."""
        parts = group_arrays(batch)
        return {f"{prefix}/{group}": joined(part, rows) for group, part in parts.items()}

    def _final(self, rows: np.ndarray, observation: Any, info: Mapping[str, Any]) -> dict[str, Any]:
        """Where the environment itself resets in the same step, the last observations are in ``info``."""
        last = info.get("final_obs", info.get("final_observation"))
        if self._mode != "same_step":
            last = rows_of(observation, rows)
        elif last is None:
            return {}
        elif isinstance(last, np.ndarray) and last.dtype == object:
            last = stacked([last[row] for row in rows])
        else:
            last = rows_of(last, rows)
        return {"final/rows": rows, **self._groups("final", last, len(rows))}

    def _restart(self, mask: np.ndarray, before: Any) -> Any:
        kept = self._groups("obs", before, self._count)
        observation, _ = self._env.reset(options={"reset_mask": mask.copy()})
        for name, array in self._groups("obs", observation, self._count).items():
            if np.array_equal(array[~mask], kept[name][~mask]):
                continue
            message = f"autoreset {self._mode}: resetting some environments moved others"
            hint = (
                "Make the environment with autoreset_mode SAME_STEP, or honour reset_mask in reset."
            )
            raise ServeError("unsupported-autoreset", message, hint, fatal=True)
        return observation

    def _log(self, rows: np.ndarray) -> dict[str, float]:
        log = {
            "episode_return": float(self._returns[rows].mean()),
            "episode_length": float(self._lengths[rows].mean()),
        }
        self._returns[rows], self._lengths[rows] = 0, 0
        return log


def _mode_of(env: Any, stated: Optional[str]) -> str:
    mode = getattr(env, "metadata", {}).get("autoreset_mode", stated)
    word = (
        str(getattr(mode, "value", mode)).lower().replace("-", "_").replace("nextstep", "next_step")
    )
    word = word.replace("samestep", "same_step")
    if word in MODES:
        return word
    message = f"the environment's autoreset mode is {mode!r}, expected one of {', '.join(MODES)}"
    hint = "Say which it is: --autoreset_mode same_step, next_step or disabled."
    raise ServeError("unsupported-autoreset", message, hint)


def _period_of(env: Any) -> float:
    try:
        return float(env.get_attr("dt")[0])
    except Exception:
        pass  # not every environment has one, and those that have not say so in many ways
    rate = getattr(env, "metadata", {}).get("render_fps")
    if rate:
        return 1.0 / float(rate)
    hint = "Say how many seconds pass between two actions: --control_period 0.05."
    raise ServeError("no-control-period", "the environment says neither dt nor render_fps", hint)


def _limit_of(env: Any) -> int:
    spec = getattr(env, "spec", None)
    limit = getattr(spec, "max_episode_steps", None)
    if limit:
        return int(limit)
    hint = "Say after how many steps an episode is cut off: --max_episode_steps 1000."
    raise ServeError("no-episode-limit", "the environment's episodes have no limit", hint)


# -------------------------------------------------------------------------------- program


def keyword_arguments(spec: Any) -> dict[str, Any]:
    """What the environment's constructor takes and a setting can say, with the defaults in effect."""
    from gymnasium.envs.registration import load_env_creator

    entry = spec.entry_point
    creator = load_env_creator(entry) if isinstance(entry, str) else entry
    target = creator.__init__ if inspect.isclass(creator) else creator
    found = {
        name: parameter.default
        for name, parameter in inspect.signature(target).parameters.items()
        if parameter.default is not inspect.Parameter.empty
        and _is_setting(parameter.default)
        and name != "render_mode"
    }
    return {**found, **{name: value for name, value in spec.kwargs.items() if _is_setting(value)}}


def _is_setting(value: Any) -> bool:
    if isinstance(value, float) and not math.isfinite(value):
        return False
    if isinstance(value, (list, tuple)):
        return len(value) <= 1024 and all(_is_setting(item) for item in value)
    return value is None or isinstance(value, (bool, int, float, str))


class Opener:
    """Makes the environment when a runner asks; its settings are the constructor's keyword arguments."""

    def __init__(self, args: argparse.Namespace, settings: Mapping[str, Any]) -> None:
        self._args = args
        self._own = dict(settings)

    def __call__(
        self, settings: Mapping[str, Any], num_envs: Optional[int], groups: Any
    ) -> GymnasiumEnv:
        import gymnasium

        args = self._args
        refuse_other_size(num_envs, args.num_envs)
        asked = {**self._own, **settings}
        limit = {"max_episode_steps": args.max_episode_steps} if args.max_episode_steps else {}
        try:
            known = keyword_arguments(_find(args.env))
            check_setting_names(asked, known)
            env = gymnasium.make_vec(
                args.env,
                num_envs=num_envs or args.num_envs or 8,
                vectorization_mode=args.vectorization_mode,
                vector_kwargs=self._vector_kwargs(gymnasium),
                **asked,
                **limit,
            )
        except (ImportError, gymnasium.error.DependencyNotInstalled) as error:
            hint = "Install what it needs, e.g. pip install 'gymnasium[mujoco]'."
            raise ServeError("missing-package", f"{args.env}: {error}", hint) from error
        except (TypeError, ValueError, AssertionError) as error:
            text = ", ".join(f"{name}={value!r}" for name, value in asked.items()) or "no settings"
            problem = f"{args.env} cannot be made with {text}: {error}"
            raise ProtocolError("bad-setting", "env", problem, "Correct the settings.") from error
        return GymnasiumEnv(
            env,
            task=args.env,
            control_period=args.control_period,
            max_episode_steps=args.max_episode_steps,
            action_bound=args.action_bound,
            autoreset_mode=args.autoreset_mode,
            bitwise=args.bitwise,
            settings={**known, **asked},
        )

    def _vector_kwargs(self, gymnasium: Any) -> Optional[dict[str, Any]]:
        """Gymnasium's own vectorisers reset in the same step if they are asked to."""
        entry = getattr(_find(self._args.env), "vector_entry_point", None)
        own = entry is not None and self._args.vectorization_mode in (None, "vector_entry_point")
        return None if own else {"autoreset_mode": gymnasium.vector.AutoresetMode.SAME_STEP}


def _find(name: str) -> Any:
    """The registered environment; ``module:ID`` imports the module first."""
    import importlib

    import gymnasium

    module, colon, rest = name.partition(":")
    try:
        if colon:
            importlib.import_module(module)
        return gymnasium.spec(rest if colon else name)
    except (gymnasium.error.Error, ImportError) as error:
        hint = "List what there is: python -c 'import gymnasium; gymnasium.pprint_registry()'."
        raise ServeError("unknown-task", f"{name}: {error}", hint) from error


def _arguments() -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(prog="python -m firstsolo_sim.gymnasium", description=__doc__)
    parser.add_argument(
        "--env", required=True, metavar="ID", help="a registered environment, or module:ID"
    )
    parser.add_argument("--num_envs", type=int, help="default: the runner's, else 8")
    parser.add_argument("--vectorization_mode", choices=["sync", "async", "vector_entry_point"])
    parser.add_argument("--max_episode_steps", type=int, help="default: the environment's own")
    parser.add_argument("--control_period", type=float, help="s; default: the environment's dt")
    parser.add_argument("--action_bound", type=float, help="for action components without bounds")
    parser.add_argument("--autoreset_mode", choices=MODES, help="for environments that don't say")
    parser.add_argument("--bitwise", action="store_true", help="promise: same seed, same bits")
    add_serving_arguments(parser)
    return parser.parse_known_args()


def main() -> None:
    args, rest = _arguments()
    try:
        import gymnasium
    except ImportError as error:
        hint = "Install it beside this package: pip install 'firstsolo-sim[gymnasium]'."
        raise ServeError("no-gymnasium", "Gymnasium is not installed", hint) from error
    opener = Opener(args, split_overrides(rest))
    _find(args.env)
    serve_from(args, opener, "gymnasium", gymnasium.__version__)


if __name__ == "__main__":
    run(main)
