"""What a run's configuration says of a policy and its checkpoint does not: activation, distribution, groups.

The rules are those of the runner's own reader, so that a teacher flies alike on both sides.
"""

from __future__ import annotations

import json
import os
import pickle
import re
from typing import Any, Iterator, List, Mapping, NamedTuple, Optional, Set, Tuple

from .session_order import ServeError

_OTHERS = ("agent.yaml", "config.yaml", "config.yml", "config.json", "cfgs.pkl")
"""Where else it may stand, beside the file: other learners' and Genesis' habits."""
_FOLDERS = 2
"""The folder of the file and the one above, for files in a subfolder of the run."""
_DEPTH = 8
_BYTES = 1 << 20
_OTHER_NAMES = {
    "silu": "swish",
    "leaky_relu": "lrelu",
    "leakyrelu": "lrelu",
    "celu": "crelu",
    "linear": "identity",
    "none": "identity",
}


class AgentConfig(NamedTuple):
    """Of one network; None where nobody says."""

    path: str
    activation: Optional[str] = None
    distribution: Optional[str] = None
    action_range: Optional[Tuple[float, float]] = None
    groups: Optional[List[str]] = None


def find_agent_config(file: str, role: str) -> Optional[AgentConfig]:
    """``params/agent.yaml`` of the run, filled up by what other learners put there.

    ``role``: ``actor``, ``student`` or ``teacher``. Raises ServeError for an agent.yaml that cannot be read.
    """
    folder = os.path.dirname(os.path.abspath(file))
    found: Optional[AgentConfig] = None
    for level in range(_FOLDERS):
        for path in _places(folder, file if level == 0 else None):
            if found is not None and found.activation is not None:
                return found
            own = path == os.path.join(folder, "params", "agent.yaml")
            found = _filled(found, _read(path, role, must=own))
        folder = os.path.dirname(folder)
    return found


def _places(folder: str, file: Optional[str]) -> Iterator[str]:
    params = os.path.join(folder, "params")
    yield os.path.join(params, "agent.yaml")
    names = sorted(os.listdir(params)) if os.path.isdir(params) else []
    for name in names:
        if re.search(r"\.ya?ml$", name) and not re.match(r"(agent|env)\.", name):
            yield os.path.join(params, name)
    for name in _OTHERS:
        yield os.path.join(folder, name)
    if file is not None:
        yield os.path.splitext(os.path.abspath(file))[0] + ".json"


def _filled(first: Optional[AgentConfig], more: Optional[AgentConfig]) -> Optional[AgentConfig]:
    if first is None or more is None:
        return first or more
    merged = {key: getattr(more, key) for key in first._fields if getattr(first, key) is None}
    path = more.path if first.activation is None else first.path
    return first._replace(**{**merged, "path": path})


def _read(path: str, role: str, *, must: bool) -> Optional[AgentConfig]:
    """Nothing where a file that ``must`` not say anything is none of the kind: it may be anybody's."""
    if not os.path.isfile(path) or os.path.getsize(path) > _BYTES:
        return None
    try:
        config = config_in(_parse(path), role, path)
    except Exception as error:
        if not must:
            return None
        hint = "Mend the file, or move it away and name the activation: --teacher_activation."
        raise ServeError("bad-agent-yaml", f"{path} cannot be read: {error}", hint) from error
    return config if must or config.activation is not None else None


def _parse(path: str) -> Any:
    if path.endswith(".pkl"):
        with open(path, "rb") as file:
            return _plain(_DataOnly(file).load(), 0)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if path.endswith(".json"):
        return json.loads(text)
    import yaml

    class Loader(yaml.SafeLoader):
        """Isaac Lab writes Python's own tags, which are read as what they wrap."""

    def wrapped(loader: Any, _suffix: str, node: Any) -> Any:
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node, deep=True)
        if isinstance(node, yaml.MappingNode):
            return loader.construct_mapping(node, deep=True)
        return loader.construct_scalar(node)

    Loader.add_multi_constructor("tag:yaml.org,2002:python/", wrapped)
    return yaml.load(text, Loader)


def config_in(tree: Any, role: str, path: str) -> AgentConfig:
    """rsl_rl 4 and 5 keep a block per network, 2 and 3 one block ``policy`` for all."""
    root = tree if isinstance(tree, Mapping) else {}
    blocks = [root[name] for name in (role, "policy") if isinstance(root.get(name), Mapping)]
    policy = root.get("policy")
    own = policy.get(f"{role}_activation") if isinstance(policy, Mapping) else None
    named = [name for name in (own, *(block.get("activation") for block in blocks)) if _text(name)]
    configured = [block.get("distribution_cfg") for block in blocks]
    distribution = next((cfg for cfg in configured if isinstance(cfg, Mapping)), {})
    class_name = distribution.get("class_name")
    limits = distribution.get("action_range")
    return AgentConfig(
        path,
        _torch_name(named[0]) if named else _only_activation(tree),
        class_name if _text(class_name) else None,
        (float(limits[0]), float(limits[1])) if _is_range(limits) else None,
        _groups_in(root.get("obs_groups"), role),
    )


def _groups_in(groups: Any, role: str) -> Optional[List[str]]:
    if not isinstance(groups, Mapping):
        return None
    for name in (role, "policy") if role != "teacher" else (role,):
        found = groups.get(name)
        if isinstance(found, (list, tuple)) and found and all(_text(group) for group in found):
            return list(found)
    return None


def _only_activation(tree: Any) -> Optional[str]:
    """Of all values under ``activation``, critics aside, the one that there is; None where they differ."""
    found: Set[str] = set()

    def visit(value: Any, depth: int) -> None:
        if depth > _DEPTH:
            return
        if isinstance(value, (list, tuple)):
            value = dict(enumerate(value))
        if not isinstance(value, Mapping):
            return
        for key, item in value.items():
            if re.search(r"activation(_fn)?$", str(key)) and _text(item) and item != "None":
                found.add(_torch_name(item))
            elif not re.search(r"critic|value|disc|final|output", str(key)):
                visit(item, depth + 1)

    visit(tree, 0)
    return found.pop() if len(found) == 1 else None


def _torch_name(name: str) -> str:
    """``SiLU``, ``torch.nn.ELU``, ``<class '….LeakyReLU'>``: by rsl_rl's name."""
    words = re.findall(r"[A-Za-z_]\w*", name)
    lower = (words[-1] if words else name).lower()
    return _OTHER_NAMES.get(lower, lower)


class _Opaque:
    """Stands for every class that a pickle names: nothing of it is run."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _DataOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return _Opaque


def _plain(value: Any, depth: int) -> Any:
    if depth > _DEPTH:
        return None
    if isinstance(value, _Opaque):
        return _plain(value.state, depth + 1)
    if isinstance(value, (list, tuple)):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item, depth + 1) for key, item in value.items()}
    return value


def _text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_range(value: Any) -> bool:
    numbers = isinstance(value, (list, tuple)) and len(value) == 2
    return numbers and all(isinstance(v, (int, float)) for v in value)
