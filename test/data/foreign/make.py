"""Files as other programs save them, by torch itself, with what the policy in each does.

    pip install torch numpy
    python make.py          # writes *.pt, *.pth and examples.json beside this file

`rl_games-*` have the keys, shapes and arithmetic of rl_games 1.6's `a2c_continuous` with its `actor_critic` network
(`ModelA2CContinuousLogStd`, `RunningMeanStd`), written down here, since rl_games 1.6.1 wants a Python before 3.11.
"""

import collections
import dataclasses
import enum
import json
import pathlib
import types

import numpy as np
import torch
from torch import nn

OBS, ACTIONS, ROWS = 6, 2, 3
folder = pathlib.Path(__file__).parent
examples = {}


@dataclasses.dataclass
class Settings:
    rate: float = 1e-3
    names: tuple = ("a", "b")


class Phase(enum.Enum):
    WARM = 1


class Odd:
    def __init__(self):
        self.inside = {"deep": [1, 2, {3}]}


def mlp(widths, activation):
    layers = []
    for before, after in zip(widths, widths[1:]):
        layers += [nn.Linear(before, after), activation()]
    return nn.Sequential(*layers[:-1])


def record(name, inputs, outputs):
    examples[name] = {"inputs": [inputs.tolist()], "outputs": [outputs.detach().tolist()]}


def everything():
    """What a careless programmer leaves beside the weights."""
    return {
        "np_float": np.float64(0.5), "np_int": np.int64(7), "np_bool": np.bool_(True), "np_half": np.float16(1.5),
        "np_array": np.arange(6.0).reshape(2, 3), "np_text": np.array(["x", "y"]), "np_generator": np.random.default_rng(0),
        "device": torch.device("cuda:0"), "dtype": torch.float16, "size": torch.Size([1, 2]), "layout": torch.strided,
        "set": {1, 2}, "frozen": frozenset({"a"}), "bytes": b"\x00\xff" * 9, "array": bytearray(b"xyz"), "complex": 1 + 2j,
        "dataclass": Settings(), "enum": Phase.WARM, "odd": Odd(), "default": collections.defaultdict(list, a=[1]),
        "counter": collections.Counter("aab"), "deque": collections.deque([1, 2], maxlen=3), "slice": slice(1, 2),
        "range": range(3), "namespace": types.SimpleNamespace(a=1), "path": pathlib.PurePosixPath("/x"), "class": Odd,
        "function": len, "tuple_key": {(1, 2): 3, None: 4}, "complex_tensor": torch.zeros(2, dtype=torch.complex64),
        "quantised": torch.zeros(3, dtype=torch.uint16), "sparse": torch.eye(2).to_sparse(), "generator": torch.get_rng_state(),
        "nothing": ..., "big": 10**30, "parameter": nn.Parameter(torch.ones(2)), "buffer": nn.Buffer(torch.ones(2)),
    }


def rl_games(name, normalised):
    hidden = [9, 7]
    actor = mlp([OBS, *hidden, 1], nn.ELU)[:-1]
    mu, value = nn.Linear(hidden[-1], ACTIONS), nn.Linear(hidden[-1], 1)
    state = collections.OrderedDict()
    state["a2c_network.sigma"] = torch.full((ACTIONS,), -0.7)
    for key, tensor in actor.state_dict().items():
        state[f"a2c_network.actor_mlp.{key}"] = tensor
    for part, layer in (("value", value), ("mu", mu)):
        for key, tensor in layer.state_dict().items():
            state[f"a2c_network.{part}.{key}"] = tensor
    inputs = 4 * torch.randn(ROWS, OBS)
    seen = inputs
    if normalised:
        mean, variance = torch.randn(OBS, dtype=torch.float64), torch.rand(OBS, dtype=torch.float64) * 0.2
        variance[0] = 0.0  # a component that never moved: cut to 5 instead of blown up
        state["value_mean_std.running_mean"] = torch.zeros(1, dtype=torch.float64)
        state["value_mean_std.running_var"] = torch.ones(1, dtype=torch.float64)
        state["value_mean_std.count"] = torch.tensor(9.0, dtype=torch.float64)
        state["running_mean_std.running_mean"] = mean
        state["running_mean_std.running_var"] = variance
        state["running_mean_std.count"] = torch.tensor(4097.0, dtype=torch.float64)
        seen = (inputs - mean.float()) / torch.sqrt(variance.float() + 1e-5)
        seen = torch.clamp(seen, min=-5.0, max=5.0)
    record(name, inputs, mu(actor(seen)))
    file = {"model": state, "epoch": 12, "frame": 98304, "last_mean_rewards": np.float32(3.5), "env_state": None,
            "optimizer": {"state": {}, "param_groups": [{"lr": np.float64(3e-4), "params": [0]}]}}
    torch.save(file, folder / f"{name}.pth")


def main():
    torch.manual_seed(3)
    actor = mlp([OBS, 8, ACTIONS], nn.ELU)
    inputs = torch.randn(ROWS, OBS)
    old = {"std": torch.ones(ACTIONS), **{f"actor.{k}": v for k, v in actor.state_dict().items()}}
    record("beside", inputs, actor(inputs))
    torch.save({"model_state_dict": old, "iter": np.int64(5), "infos": everything()}, folder / "beside.pt")
    torch.save({"model_state_dict": old, "iter": 5, "infos": everything()}, folder / "beside-protocol-4.pt", pickle_protocol=4)
    record("beside-protocol-4", inputs, actor(inputs))
    wrapped = {f"_orig_mod.module.{k.replace('actor.', 'actor._orig_mod.')}": v for k, v in old.items()}
    torch.save({"actor_critic": wrapped, "note": "x"}, folder / "wrapped.pt")
    record("wrapped", inputs, actor(inputs))
    torch.save(actor.state_dict(), folder / "sequential.pt")
    record("sequential", inputs, actor(inputs))
    deep = {f"alg.actor_critic.{k}": v for k, v in old.items()}
    torch.save({"state_dict": deep}, folder / "deep.pt")
    record("deep", inputs, actor(inputs))
    torch.save(Odd(), folder / "other-object.pt")
    torch.save({"state_dict": {"cnn.0.weight": torch.zeros(2, 3, 3, 3)}}, folder / "other-weights.pt")
    rl_games("rl_games-plain", False)
    rl_games("rl_games-normalised", True)
    (folder / "examples.json").write_text(json.dumps(examples) + "\n")


main()
