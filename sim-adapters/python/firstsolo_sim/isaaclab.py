"""Serves a task of Isaac Lab 2 or 3: ``python -m firstsolo_sim.isaaclab --task Isaac-Cartpole-Direct --bind …``.

Flags of Isaac Lab's launcher (--headless, --device, --viz …) are passed on; ``env.a.b=value`` sets what Hydra would,
and in 3 ``physics=``, ``renderer=`` and ``presets=`` choose the engines.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from contextlib import ExitStack
from typing import Any, Callable, List, Mapping, Optional, Sequence, Tuple

from .command_line import add_serving_arguments, refuse_other_size, run, serve_from, split_overrides
from .isaaclab_env import IsaacEnv
from .isaaclab_settings import apply_settings, shown_settings
from .protocol import ProtocolError
from .session_order import ServeError


class Opener:
    """Makes the environment when a runner asks, and keeps it for the next one with the same wishes."""

    def __init__(
        self,
        args: argparse.Namespace,
        settings: Mapping[str, Any],
        selectors: Sequence[str] = (),
        launch: Optional[Callable[[Any], Any]] = None,
    ) -> None:
        """``launch``: what Isaac Lab 3 wants to know the configuration for, before the environment is made."""
        self._args = args
        self._own = dict(settings)
        self._selectors = list(selectors)
        self._launch = launch
        self._made: Optional[tuple[str, IsaacEnv]] = None

    def __call__(
        self, settings: Mapping[str, Any], num_envs: Optional[int], groups: Any
    ) -> IsaacEnv:
        refuse_other_size(num_envs, self._args.num_envs)
        wishes = {**self._own, **settings}
        count = self._args.num_envs or num_envs
        key = json.dumps([wishes, count], sort_keys=True)
        if self._made is not None and self._made[0] == key:
            return self._made[1]
        config = self._config(wishes, count)
        self.end()
        if self._launch is not None:
            # The runtime is chosen by the first configuration, and stays for the process.
            self._launch(config)
            self._launch = None
        env = self._make(config, shown_settings(config, wishes))
        self._made = (key, env)
        return env

    def end(self) -> None:
        """Closes the environment, if there is one."""
        if self._made is not None:
            made, self._made = self._made[1], None
            made.end()

    def _config(self, settings: Mapping[str, Any], num_envs: Optional[int]) -> Any:
        from isaaclab_tasks.utils import parse_env_cfg

        args = self._args
        device = getattr(args, "device", None)
        more = {} if device is None else {"device": device}
        if self._selectors:
            more["overrides"] = self._selectors
        try:
            config = parse_env_cfg(args.task, num_envs=num_envs, **more)
        except Exception as error:
            hint = "List the tasks: isaaclab list_envs (3), or ./isaaclab.sh -p scripts/environments/list_envs.py (2); 3 has no -v0."
            raise ServeError("unknown-task", f"{args.task}: {error}", hint) from error
        config.seed = args.seed
        if hasattr(config, "compute_final_obs"):
            config.compute_final_obs = True
        apply_settings(config, settings)
        return config

    def _make(self, config: Any, settings: Mapping[str, Any]) -> IsaacEnv:
        import gymnasium
        import torch

        args = self._args
        env = gymnasium.make(args.task, cfg=config).unwrapped
        if hasattr(env, "possible_agents"):
            hint = "Serve a task with one agent per environment."
            raise ServeError("unsupported-task", f"{args.task} has several agents", hint)
        return IsaacEnv(
            env,
            args.task,
            to_tensor=lambda actions: torch.from_numpy(actions).to(env.device),
            torch=torch,
            settings=settings,
            clip_actions=args.clip_actions or _agents_clip(args.task),
            teacher=_teacher(args, env),
        )


def _teacher(args: argparse.Namespace, env: Any) -> Any:
    if args.teacher_checkpoint is None:
        return None
    from .torch_teacher import TorchTeacher

    return TorchTeacher(
        args.teacher_checkpoint,
        device=env.device,
        groups=args.teacher_groups,
        activation=args.teacher_activation,
        distribution=args.teacher_distribution,
        actions=math.prod(env.single_action_space.shape),
    )


def _agents_clip(task: str) -> Optional[float]:
    """``clip_actions`` of the task's rsl_rl configuration: the range its teachers were trained with."""
    try:
        from isaaclab_tasks.utils import load_cfg_from_registry

        clip = getattr(load_cfg_from_registry(task, "rsl_rl_cfg_entry_point"), "clip_actions", None)
        return None if clip is None else float(clip)
    except Exception:
        return None  # a task without such a configuration, or without rsl_rl beside it


SELECTORS = ("physics", "renderer", "presets")
"""Words of Isaac Lab 3 that choose engines: they are no settings of the task."""


class Launcher:
    """Isaac Lab 2 starts its application first; 3 launches what a configuration needs, once it is known."""

    def __init__(self) -> None:
        try:
            import isaaclab.app as app
        except ImportError as error:
            hint = "Run it with Isaac Lab's Python: ./isaaclab.sh -p -m firstsolo_sim.isaaclab …"
            raise ServeError("no-isaaclab", f"Isaac Lab is not there ({error})", hint) from error
        self._module = app
        self._open = ExitStack()
        self._app: Any = None
        self.is_new = hasattr(app, "launch_simulation")

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        if not self.is_new:
            self._module.AppLauncher.add_app_launcher_args(parser)
            return
        self._module.add_launcher_args(parser)
        try:
            parser.add_argument("--headless", action="store_true", help="without effect: see --viz")
        except argparse.ArgumentError:
            pass  # it has one of its own

    def start(self, args: argparse.Namespace) -> None:
        if not self.is_new:
            self._app = self._module.AppLauncher(args).app

    def launch(self, args: argparse.Namespace) -> Optional[Callable[[Any], Any]]:
        if not self.is_new:
            return None
        return lambda config: self._open.enter_context(self._module.launch_simulation(config, args))

    def close(self) -> None:
        self._open.close()
        if self._app is not None:
            self._app.close()


def _arguments(launcher: Launcher) -> Tuple[argparse.Namespace, dict[str, Any], List[str]]:
    parser = argparse.ArgumentParser(prog="python -m firstsolo_sim.isaaclab", description=__doc__)
    parser.add_argument("--task", required=True, metavar="ID")
    parser.add_argument("--num_envs", type=int, help="default: the runner's, else the task's")
    parser.add_argument("--seed", type=int, default=42, help="for what is random while it loads")
    parser.add_argument("--clip_actions", type=float, help="actions are clamped to ± this")
    parser.add_argument(
        "--teacher_checkpoint", metavar="FILE", help="fly a teacher here, beside the physics"
    )
    from_run = "default: what the file or the params/agent.yaml of its run says"
    parser.add_argument("--teacher_groups", nargs="+", metavar="GROUP", help=from_run)
    parser.add_argument("--teacher_activation", metavar="NAME", help=from_run)
    parser.add_argument("--teacher_distribution", choices=["gaussian", "beta"], help=from_run)
    add_serving_arguments(parser)
    launcher.add_arguments(parser)
    args, rest = parser.parse_known_args()
    agents = [word for word in rest if word.startswith("agent.")]
    if agents:
        print(f"sim: {' '.join(agents)}: the agent is the runner's; ignored here", file=sys.stderr)
    selectors = [word for word in rest if word.partition("=")[0] in SELECTORS]
    if selectors and not launcher.is_new:
        hint = "Isaac Lab 2 has one physics engine: drop it, or use Isaac Lab 3."
        raise ServeError("bad-argument", f"{' '.join(selectors)}: words of Isaac Lab 3", hint)
    settings = split_overrides([word for word in rest if word not in [*agents, *selectors]])
    return args, settings, selectors


def main() -> None:
    launcher = Launcher()
    args, settings, selectors = _arguments(launcher)
    launcher.start(args)
    try:
        import isaaclab
        import isaaclab_tasks  # noqa: F401  (registers the tasks)

        opener = Opener(args, settings, selectors, launcher.launch(args))
        try:
            serve_from(args, opener, "isaaclab", getattr(isaaclab, "__version__", "unknown"))
        finally:
            opener.end()
    except (ServeError, ProtocolError) as error:
        # Isaac Sim ends the process when it closes: what is to be said must be said before.
        print(f"firstsolo_sim: {error}\n  → {error.hint}", file=sys.stderr, flush=True)
        launcher.close()
        sys.exit(1)
    launcher.close()


if __name__ == "__main__":
    run(main)
