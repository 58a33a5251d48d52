"""Exports as people have them, by torch.jit itself, with what they do on given observations.

    pip install torch rsl-rl-lib==5.5.1
    python make.py          # writes *.pt and examples.json beside this file

`rsl_rl-5.5.1-*` are the exports of rsl_rl's own models; the others have the attributes and the order of operations that
the exporters of Isaac Lab, legged_gym and unitree_rl_gym give their files.
"""

import json
import pathlib

import torch
from rsl_rl.models import MLPModel, RNNModel
from tensordict import TensorDict
from torch import nn

OBS, ACTIONS, ROWS, STEPS = 7, 3, 2, 3
folder = pathlib.Path(__file__).parent
examples = {}


class Normaliser(nn.Module):
    """Running statistics as rsl_rl 2 and 3 keep them."""

    def __init__(self, width, eps=1e-2):
        super().__init__()
        self.eps = eps
        self.until = None
        self.register_buffer("_mean", torch.randn(1, width))
        self.register_buffer("_var", torch.rand(1, width) + 0.5)
        self.register_buffer("_std", torch.sqrt(self._var))
        self.count = 1000

    def forward(self, x):
        return (x - self._mean) / (self._std + self.eps)


class Exported(nn.Module):
    """Isaac Lab's exporter: normaliser, memory, actor."""

    def __init__(self, actor, normalizer=None, rnn=None):
        super().__init__()
        self.is_recurrent = rnn is not None
        self.actor = actor
        if rnn is not None:
            self.rnn = rnn
            self.register_buffer("hidden_state", torch.zeros(rnn.num_layers, 1, rnn.hidden_size))
            self.register_buffer("cell_state", torch.zeros(rnn.num_layers, 1, rnn.hidden_size))
            self.forward = self.forward_lstm
        self.normalizer = normalizer if normalizer is not None else nn.Identity()

    def forward_lstm(self, x):
        x = self.normalizer(x)
        x, (h, c) = self.rnn(x.unsqueeze(0), (self.hidden_state, self.cell_state))
        self.hidden_state[:] = h
        self.cell_state[:] = c
        x = x.squeeze(0)
        return self.actor(x)

    def forward(self, x):
        return self.actor(self.normalizer(x))

    @torch.jit.export
    def reset(self):
        pass


class LeggedGymLstm(nn.Module):
    """legged_gym's and unitree_rl_gym's exporter of a policy with memory."""

    def __init__(self, actor, memory):
        super().__init__()
        self.actor = actor
        self.memory = memory
        self.register_buffer("hidden_state", torch.zeros(memory.num_layers, 1, memory.hidden_size))
        self.register_buffer("cell_state", torch.zeros(memory.num_layers, 1, memory.hidden_size))

    def forward(self, x):
        out, (h, c) = self.memory(x.unsqueeze(0), (self.hidden_state, self.cell_state))
        self.hidden_state[:] = h
        self.cell_state[:] = c
        return self.actor(out.squeeze(0))

    @torch.jit.export
    def reset_memory(self):
        self.hidden_state[:] = 0.0
        self.cell_state[:] = 0.0


class Keeping(nn.Module):
    """Its memory is assigned, not written into."""

    def __init__(self, actor, memory):
        super().__init__()
        self.actor = actor
        self.memory = memory
        self.register_buffer("hidden_state", torch.zeros(memory.num_layers, 1, memory.hidden_size))

    def forward(self, x):
        out, h = self.memory(x.unsqueeze(0), self.hidden_state)
        self.hidden_state = h
        return self.actor(out.squeeze(0))


class Forgetting(nn.Module):
    """A memory that starts anew at every step."""

    def __init__(self, actor, memory):
        super().__init__()
        self.actor = actor
        self.memory = memory

    def forward(self, x):
        out, _ = self.memory(x.unsqueeze(0))
        return self.actor(out.squeeze(0))


class Scaled(nn.Module):
    """A program of somebody's own: what it does to its actor's outputs is in no weight."""

    def __init__(self, actor):
        super().__init__()
        self.actor = actor

    def forward(self, x):
        return torch.tanh(self.actor(x)) * 2.0


class Branched(nn.Module):
    """Two networks side by side."""

    def __init__(self, a, b):
        super().__init__()
        self.encoder = a
        self.actor = b

    def forward(self, x):
        return self.actor(torch.cat([x, self.encoder(x)], dim=-1))


def mlp(widths, activation):
    layers = []
    for i, (before, after) in enumerate(zip(widths, widths[1:])):
        layers.append(nn.Linear(before, after))
        if i < len(widths) - 2:
            layers.append(activation())
    return nn.Sequential(*layers)


def flown(model, inputs, recurrent):
    """One environment after the other, since exports remember one."""
    rows = []
    for row in range(ROWS):
        if recurrent:
            for name in ("hidden_state", "cell_state"):
                if hasattr(model, name):
                    getattr(model, name).zero_()
        rows.append(torch.cat([model(inputs[step, row : row + 1]) for step in range(inputs.shape[0])]))
    return torch.stack(rows, dim=1)


def save(name, model, recurrent=False, trace=False, **notes):
    model.eval()
    inputs = torch.randn(STEPS if recurrent else 1, ROWS, OBS)
    with torch.no_grad():
        script = torch.jit.trace(model, inputs[0, :1]) if trace else torch.jit.script(model)
        outputs = flown(script, inputs, recurrent)
        for state in ("hidden_state", "cell_state"):
            if hasattr(script, state):
                getattr(script, state).zero_()
    script.save(str(folder / f"{name}.pt"))
    examples[name] = {"inputs": inputs.tolist(), "outputs": outputs.tolist(), **notes}


def rsl_rl_model(kind, distribution, activation="elu", **more):
    obs = TensorDict({"policy": torch.zeros(1, OBS)}, batch_size=[1])
    model = kind(
        obs, {"actor": ["policy"]}, "actor", ACTIONS, hidden_dims=[9, 8], activation=activation,
        obs_normalization=True, distribution_cfg=distribution, **more
    )
    for _ in range(4):
        model.update_normalization(TensorDict({"policy": 2 * torch.randn(16, OBS) + 1}, batch_size=[16]))
    return model.as_jit()


def main():
    torch.manual_seed(5)
    gaussian = {"class_name": "GaussianDistribution", "init_std": 0.5, "std_type": "scalar"}
    beta = {"class_name": "BetaDistribution"}
    save("rsl_rl-5.5.1-mlp", rsl_rl_model(MLPModel, gaussian), activation="elu")
    save("rsl_rl-5.5.1-mish", rsl_rl_model(MLPModel, gaussian, "mish"), activation="mish")
    save("rsl_rl-5.5.1-gru", rsl_rl_model(RNNModel, gaussian, rnn_type="gru", rnn_hidden_dim=6), True, activation="elu")
    lstm = {"rnn_type": "lstm", "rnn_hidden_dim": 5, "rnn_num_layers": 2}
    save("rsl_rl-5.5.1-lstm", rsl_rl_model(RNNModel, gaussian, **lstm), True, activation="elu")
    save("rsl_rl-5.5.1-beta", rsl_rl_model(MLPModel, beta), activation="elu")
    heteroscedastic = {"class_name": "HeteroscedasticGaussianDistribution"}
    save("rsl_rl-5.5.1-heteroscedastic", rsl_rl_model(MLPModel, heteroscedastic), activation="elu")
    save("isaaclab-mlp", Exported(mlp([OBS, 9, ACTIONS], nn.Tanh)), activation="tanh")
    save("isaaclab-normalised", Exported(mlp([OBS, 9, ACTIONS], nn.ELU), Normaliser(OBS)), activation="elu")
    rnn = nn.LSTM(OBS, 6, 1)
    save("isaaclab-lstm", Exported(mlp([6, 8, ACTIONS], nn.ELU), Normaliser(OBS, 1e-3), rnn), True, activation="elu")
    save("legged_gym-mlp", mlp([OBS, 10, 9, ACTIONS], nn.SELU), activation="selu")
    save("legged_gym-lstm", LeggedGymLstm(mlp([6, 8, ACTIONS], nn.ELU), nn.LSTM(OBS, 6, 2)), True, activation="elu")
    save("traced-mlp", mlp([OBS, 9, 8, ACTIONS], nn.SiLU), trace=True, activation="swish")
    save("keeping-gru", Keeping(mlp([6, ACTIONS], nn.ELU), nn.GRU(OBS, 6)), True, activation="elu")
    traced = LeggedGymLstm(mlp([6, 8, ACTIONS], nn.GELU), nn.LSTM(OBS, 6))
    save("traced-lstm", traced, True, trace=True, activation="gelu")
    save("other-forgetting", Forgetting(mlp([6, 8, ACTIONS], nn.ELU), nn.GRU(OBS, 6)))
    save("other-scaled", Scaled(mlp([OBS, 9, ACTIONS], nn.ELU)))
    save("other-branched", Branched(mlp([OBS, 4], nn.ELU), mlp([OBS + 4, ACTIONS], nn.ELU)))
    save("other-slope", mlp([OBS, 9, ACTIONS], lambda: nn.LeakyReLU(0.2)))
    save("other-norm", nn.Sequential(nn.Linear(OBS, 9), nn.LayerNorm(9), nn.ELU(), nn.Linear(9, ACTIONS)))
    frozen = torch.jit.freeze(torch.jit.script(mlp([OBS, 9, ACTIONS], nn.ELU).eval()))
    frozen.save(str(folder / "other-frozen.pt"))
    normalised = Exported(mlp([OBS, 9, ACTIONS], nn.Tanh), Normaliser(OBS, 1e-2))
    save("traced-normalised", normalised, trace=True, activation="tanh")
    (folder / "examples.json").write_text(json.dumps(examples) + "\n")


main()
