"""The environment's side: turns requests into calls of it and what it returns into replies."""

from __future__ import annotations

import logging
from typing import Any, Mapping, Optional

import numpy as np

from . import protocol, shared_memory, spec as specs
from .protocol import ProtocolError, check_setting_names
from .request_check import checked_actions
from .session_order import ServeError
from .shared_memory import Offered
from .visible import visible

log = logging.getLogger("firstsolo_sim")

_TEACHER = "teacher_actions"
_FLOATS, _BYTES = np.dtype("<f4"), np.dtype("u1")


class EnvCalls:
    """Runs on the simulation's thread; ``env`` as in ``serve``."""

    def __init__(self, env: Any, name: str, version: str, *, local: bool = False) -> None:
        """``local``: drivers are on this machine, and memory may be shared with them."""
        self._open = None if hasattr(env, "step") else env
        self._env: Any = env if self._open is None else None
        self._server = {"name": name, "version": version}
        self._spec: Optional[dict[str, Any]] = None
        self._action_shape: tuple[int, ...] = ()
        self._flying = False
        self._taught = False
        self._told: set[str] = set()
        self._memory: Optional[Offered] = None
        self._local = local

    def answer(self, request: dict[str, Any], tensors: Mapping[str, np.ndarray]) -> Any:
        kind = request["type"]
        if kind == "hello":
            return self._welcome(request), {}
        if self._memory is not None:
            self._memory.unlink()  # by now the driver has it open, or never will
        if request.get("shared"):
            tensors = {**tensors, **self._shared(request)}
        if self._spec is None:
            raise _not_reset()
        if kind == "reset":
            return self._frame(self._env.reset(request["seed"] & 0x7FFFFFFF))
        if kind == "restore":
            return self._frame(self._ability("restore")(_state(tensors)))
        if not self._flying:
            raise _not_reset()
        if kind == "snapshot":
            state = np.frombuffer(self._ability("snapshot")(), dtype=np.uint8)
            return {"type": "state"}, {"state": state}
        return self._result(self._env.step(self._actions(tensors)))

    def share(self, request: dict[str, Any], tensors: Mapping[str, Any]) -> Any:
        """What to announce instead of frames; None where the driver doesn't ask for it, or it can't be."""
        if self._memory is None or not tensors or request.get("shared") is None:
            return None
        return self._memory.lane.put(request["seq"], tensors)

    def _shared(self, request: dict[str, Any]) -> dict[str, np.ndarray]:
        try:
            if self._memory is None:
                raise ProtocolError("bad-shared-memory", "shared", "none was offered")
            return self._memory.lane.take(request["seq"], request["shared"])
        except ProtocolError as error:
            raise ServeError("bad-shared-memory", str(error), error.hint, retryable=True) from error

    def _offer(self, hello: dict[str, Any]) -> dict[str, Any]:
        """For the welcome: a file that both sides have open, where the driver takes it up."""
        if not (shared_memory.possible and self._local and "shared_memory" in hello["capabilities"]):
            return {}
        try:
            self._memory = Offered(self._spec)
        except OSError as error:
            log.warning("no shared memory, arrays travel as frames: %s", error)
            return {}
        return {"shared_memory": self._memory.offer}

    def driver_left(self) -> None:
        """Ends the session; closes the environment if it was built for it."""
        if self._memory is not None:
            self._memory.close()
            self._memory = None
        self._spec, self._flying = None, False
        if self._open is not None and self._env is not None:
            env, self._env = self._env, None
            try:
                getattr(env, "close", lambda: None)()
            except Exception:
                # It is given up either way: the next driver gets a new one.
                log.exception("the environment could not be closed")

    def _welcome(self, hello: dict[str, Any]) -> dict[str, Any]:
        settings, groups, num_envs = hello["settings"], hello["groups"], hello["num_envs"]
        self.driver_left()
        if self._open is not None:
            self._env = self._open(settings=settings, num_envs=num_envs, groups=groups)
            # What it took it shows; a function that looks at none took none.
            check_setting_names(settings, getattr(self._env, "settings", {}))
        elif hasattr(self._env, "configure"):
            self._env.configure(settings)
        else:
            _refuse_other_settings(settings, getattr(self._env, "settings", {}))
        spec = dict(specs.plain_spec(self._env.spec))
        spec["observations"] = _choose(spec.get("observations", {}), groups)
        specs.check_spec(spec)
        notices = _leave_strange_pictures_out(spec, hello["protocol"]["minor"], groups)
        if num_envs is not None and num_envs != spec["num_envs"]:
            message = f"{num_envs} environments were asked for, the simulator has {spec['num_envs']}"
            hint = f"Ask for {spec['num_envs']}, or start the simulator with {num_envs}."
            raise ServeError("num-envs-refused", message, hint)
        self._refuse_empty_promise(spec["capabilities"])
        self._spec = spec
        self._action_shape = (spec["num_envs"], *spec["action"]["shape"])
        self._taught = _TEACHER in spec["capabilities"] and _TEACHER in hello["capabilities"]
        return {
            "type": "welcome",
            "protocol": protocol.PROTOCOL_VERSION,
            "server": self._server,
            "capabilities": list(spec["capabilities"]),
            "spec": spec,
            "spec_hash": specs.hash_spec(spec),
            "settings": specs.plain(getattr(self._env, "settings", {})),
            "notices": [str(line)[:4096] for line in [*notices, *getattr(self._env, "notices", [])]][:32],
            "limits": {
                "frame_bytes": protocol.MAX_FRAME_BYTES,
                "frames": protocol.MAX_FRAMES,
            },
            **self._offer(hello),
        }

    def _frame(self, found: Mapping[str, Any]) -> Any:
        wanted = self._observations(found, "obs", self._spec["num_envs"])
        wanted.update(self._teacher(found))
        if found.get("started") is not None:
            wanted["started"] = self._rows(found, "started", _BYTES)
        self._flying = True
        return {"type": "frame"}, wanted

    def _result(self, found: Mapping[str, Any]) -> Any:
        count = self._spec["num_envs"]
        wanted = self._observations(found, "obs", count)
        wanted.update(self._teacher(found))
        wanted["reward"] = self._rows(found, "reward", _FLOATS)
        wanted["terminated"] = self._rows(found, "terminated", _BYTES)
        wanted["truncated"] = self._rows(found, "truncated", _BYTES)
        if (rows := found.get("final/rows")) is not None and len(rows) > 0:
            wanted["final/rows"] = _numbers(rows).astype("<i4")
            wanted.update(self._observations(found, "final", len(rows)))
        header: dict[str, Any] = {"type": "result"}
        for key in ("log", "timing"):
            if found.get(key):
                header[key], dropped = _figures(found[key])
                self._tell_dropped(key, dropped)
        return header, wanted

    def _tell_dropped(self, where: str, names: list[str]) -> None:
        """Once for each name: a figure that is no number is no reason to end."""
        for name in names:
            if name not in self._told:
                self._told.add(name)
                log.warning("%s in %s is no number and is left out", visible(name), where)

    def _observations(self, found: Mapping[str, Any], prefix: str, count: int) -> dict[str, Any]:
        return {
            f"{prefix}/{group}": _observed(found, f"{prefix}/{group}", (count, *tensor["shape"]), tensor["dtype"])
            for group, tensor in self._spec["observations"].items()
        }

    def _teacher(self, found: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """The teacher's actions, for a driver that wants them."""
        if not self._taught:
            return {}
        return {"teacher/actions": _shaped(found, "teacher/actions", self._action_shape, _FLOATS)}

    def _rows(self, found: Mapping[str, Any], name: str, dtype: Any) -> np.ndarray:
        return _shaped(found, name, (self._spec["num_envs"],), dtype)

    def _actions(self, tensors: Mapping[str, np.ndarray]) -> np.ndarray:
        """A copy that the environment may keep and write to."""
        return checked_actions(tensors.get("actions"), self._action_shape).copy()

    def _refuse_empty_promise(self, capabilities: list[str]) -> None:
        missing = [name for name in ("snapshot", "restore") if not hasattr(self._env, name)]
        if "snapshot" not in capabilities or not missing:
            return
        problem = f"has 'snapshot', but the simulator has no {' and no '.join(missing)}"
        raise ProtocolError("invalid-spec", "spec.capabilities", problem, "Write it, or drop the word.")

    def _ability(self, name: str) -> Any:
        if "snapshot" in self._spec["capabilities"] and hasattr(self._env, name):
            return getattr(self._env, name)
        hint = "Only simulators with the capability snapshot can."
        raise ServeError("unsupported", f"this simulator cannot {name}", hint)


def _shaped(found: Mapping[str, Any], name: str, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    if found.get(name) is None:
        message = f"the simulator gave no {name}"
        hint = f"Let reset() and step() of the environment return {name} as {list(shape)}."
        raise ServeError("simulator-failed", message, hint, fatal=True)
    array = _numbers(found[name])
    if array.shape != shape:
        message = f"the simulator gave {name} as {list(array.shape)}, expected {list(shape)}"
        hint = "The first width is that of num_envs; the spec that the environment gave says the rest."
        raise ServeError("simulator-failed", message, hint, fatal=True)
    return array if dtype is None or array.dtype is dtype else array.astype(dtype, copy=False)


def _observed(found: Mapping[str, Any], name: str, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Pictures must be bytes already: turning other numbers into bytes would ruin them in silence."""
    array = _shaped(found, name, shape, None if dtype == "|u1" else _FLOATS)
    if dtype == "|u1" and array.dtype != np.uint8:
        message = f"the simulator gave {name} as {array.dtype}, its specification says |u1"
        hint = "Give pictures as uint8, 0 to 255; or make it a group of <f4."
        raise ServeError("simulator-failed", message, hint, fatal=True)
    return array


def _numbers(value: Any) -> np.ndarray:
    """NumPy's view of an array, a list or a torch tensor, wherever that lives."""
    known = type(value) is np.ndarray or not hasattr(value, "detach")
    return np.asarray(value if known else value.detach().cpu())


def _figures(figures: Mapping[str, Any]) -> tuple[dict[str, float], list[str]]:
    """Figures as single finite numbers, arrays averaged; and the names of those that are neither."""
    kept, dropped = {}, []
    for key, value in list(figures.items())[:512]:
        name = str(key)[:128]
        try:
            numbers = np.asarray(_numbers(value), dtype=float)
        except (TypeError, ValueError):
            dropped.append(name)
            continue
        if numbers.size == 0:
            dropped.append(name)
        elif np.isfinite(numbers).all():
            kept[name] = float(numbers.mean())
    return kept, dropped


def _state(tensors: Mapping[str, np.ndarray]) -> bytes:
    state = tensors.get("state")
    if state is None or state.dtype != np.uint8 or state.ndim != 1:
        raise ProtocolError("bad-tensor", "tensors.state", "expected |u1 [n]")
    return state.tobytes()


def _choose(observations: Mapping[str, Any], groups: Optional[list[str]]) -> dict[str, Any]:
    if groups is None:
        return dict(observations)
    for group in groups:
        if group not in observations:
            hint = f"Known: {', '.join(observations)}."
            raise ProtocolError("unknown-group", "groups", f"there is no group {group}", hint)
    return {group: tensor for group, tensor in observations.items() if group in groups}


def _leave_strange_pictures_out(spec: dict[str, Any], minor: int, asked: Optional[list[str]]) -> list[str]:
    """A driver whose version knows no pictures gets the other groups; notices that say so."""
    pictures = specs.picture_groups(spec) if minor < protocol.PICTURES_SINCE else []
    if not pictures:
        return []
    others = {name: tensor for name, tensor in spec["observations"].items() if name not in pictures}
    told = f"{', '.join(pictures)}: pictures (|u1), which protocol 1.{minor} does not know"
    if asked is not None or not others:
        names = ", ".join(others) or "there are none"
        hint = f"Speak protocol 1.{protocol.PICTURES_SINCE} on both sides, or ask for other groups: {names}."
        raise ServeError("unsupported", f"observation group {told}", hint)
    spec["observations"] = others
    return [f"left out: {told}"]


def _refuse_other_settings(given: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    check_setting_names(given, known)
    for name, value in given.items():
        if value != known[name]:
            problem = f"is {known[name]!r} and cannot become {value!r} while the simulator runs"
            hint = "Start the simulator with that setting."
            raise ProtocolError("bad-setting", f"env.{name}", problem, hint)


def _not_reset() -> ServeError:
    return ServeError("not-reset", "there is no frame to go on from yet", "Send reset first.")
