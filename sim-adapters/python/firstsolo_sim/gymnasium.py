"""Serves any Gymnasium vector environment: ``python -m firstsolo_sim.gymnasium --env Pendulum-v1 --bind …``."""

from __future__ import annotations

import argparse
import inspect
import math
from typing import Any, Mapping, Optional

from .command_line import add_serving_arguments, refuse_other_size, run, serve_from, split_overrides
from .gymnasium_env import MODES, GymnasiumEnv
from .protocol import ProtocolError, check_setting_names
from .session_order import ServeError
from .teaching import Taught, load_function

__all__ = ["GymnasiumEnv"]


def keyword_arguments(spec: Any, *, vector: bool = False) -> dict[str, Any]:
    """What the environment's constructor takes and a setting can say, with the defaults in effect."""
    from gymnasium.envs.registration import load_env_creator

    entry = None if vector else spec.entry_point
    entry = entry or spec.vector_entry_point
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
    ) -> Any:
        import gymnasium

        args = self._args
        refuse_other_size(num_envs, args.num_envs)
        asked = {**self._own, **settings}
        limit = {"max_episode_steps": args.max_episode_steps} if self._takes_limit() else {}
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
        served = GymnasiumEnv(
            env,
            task=args.env,
            control_period=args.control_period,
            max_episode_steps=args.max_episode_steps,
            action_bound=args.action_bound,
            autoreset_mode=args.autoreset_mode,
            choices=args.choices,
            bitwise=args.bitwise,
            settings={**known, **asked},
        )
        return served if args.teacher is None else Taught(served, load_function(args.teacher))

    def _own_vector(self) -> bool:
        """Whether the environment makes many of itself."""
        entry = getattr(_find(self._args.env), "vector_entry_point", None)
        return entry is not None and self._args.vectorization_mode in (None, "vector_entry_point")

    def _takes_limit(self) -> bool:
        """Gymnasium's own vectorisers do; others where they have a parameter of that name."""
        if self._args.max_episode_steps is None:
            return False
        spec = _find(self._args.env)
        return not self._own_vector() or "max_episode_steps" in keyword_arguments(spec, vector=True)

    def _vector_kwargs(self, gymnasium: Any) -> Optional[dict[str, Any]]:
        """Gymnasium's own vectorisers reset in the same step if they are asked to."""
        if self._own_vector():
            return None
        return {"autoreset_mode": gymnasium.vector.AutoresetMode.SAME_STEP}


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
    choices = {"choices": ["one_hot", "index"], "default": "one_hot"}
    parser.add_argument("--choices", **choices, help="how a Discrete action travels")
    taught = "observations by group to actions: a controller that teaches beside it"
    parser.add_argument("--teacher", metavar="MODULE:FUNCTION", help=taught)
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
