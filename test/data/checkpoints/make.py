"""Makes the checkpoints in this folder with rsl_rl's own models, and the actions those models give.

    python make.py CHECKOUT_OF_RSL_RL VERSION        # once each for 2.3.3, 3.3.0, 4.0.1, 5.4.2
    python make.py - torch                           # files that need torch only

Needs torch, tensordict and numpy. Every case is `NAME.pt`, and `cases.json` says what to expect of it.
"""

import json
import pathlib
import sys
import zipfile

import torch

HERE = pathlib.Path(__file__).parent
STUDENT, TEACHER, ACTIONS, ENVS, STEPS = 5, 6, 3, 2, 4
cases_file = HERE / "cases.json"
cases = json.loads(cases_file.read_text()) if cases_file.exists() else {}


def sequence(width):
    return torch.randn(STEPS, ENVS, width)


def shake(module):
    """Statistics and noise that differ from their initial values."""
    for name, value in module.state_dict().items():
        if name.endswith(("_mean", "_var", "_std")):
            value.copy_(torch.rand_like(value) + 0.5)
        elif name.endswith("count"):
            value.fill_(1234)
        elif "std" in name:
            value.copy_(torch.rand_like(value) * 0.5 + 0.1)


def record(name, saved, nets, **facts):
    """`nets`: role -> (inputs [step][env][component], outputs of the same form)."""
    torch.save(saved, HERE / f"{name}.pt")
    cases[name] = {
        **facts,
        "iteration": saved["iter"],
        "networks": {
            role: {"inputs": i.tolist(), "outputs": o.tolist()} for role, (i, o) in nets.items()
        },
    }


def over_time(act, inputs):
    with torch.no_grad():
        return torch.stack([act(x).reshape(ENVS, -1) for x in inputs])


def optimiser_state(parameters):
    """State after one step, which moves the parameters: to be taken before they are used."""
    parameters = [p for p in parameters if p.requires_grad]
    optimiser = torch.optim.Adam(parameters, lr=1e-3)
    sum((p * p).sum() for p in parameters).backward()
    optimiser.step()
    return optimiser.state_dict()


def version_2():
    from rsl_rl.modules import ActorCriticRecurrent, EmpiricalNormalization, StudentTeacherRecurrent

    # First, since the student in this version breaks a class of torch that it needs.
    net = ActorCriticRecurrent(
        STUDENT, TEACHER, ACTIONS, [8, 6], [7], "selu", "lstm", 4, 1
    )
    i = sequence(STUDENT)
    nets = {"actor": (i, over_time(net.act_inference, i))}
    saved = {"model_state_dict": net.state_dict(), "optimizer_state_dict": {}, "iter": 4, "infos": {"a": 1}}
    record("v2-ppo-lstm", saved, nets, version="2.3", activation="selu")

    net = StudentTeacherRecurrent(
        STUDENT, TEACHER, ACTIONS, [8, 6], [7], "tanh", "gru", 4, 2, 0.1, teacher_recurrent=True
    )
    shake(net)
    optimiser = optimiser_state(net.parameters())
    norms = [EmpiricalNormalization([STUDENT]).eval(), EmpiricalNormalization([TEACHER]).eval()]
    for norm in norms:
        shake(norm)
    si, ti = sequence(STUDENT), sequence(TEACHER)
    nets = {
        "student": (si, over_time(lambda x: net.act_inference(norms[0](x)), si)),
        "teacher": (ti, over_time(lambda x: net.evaluate(norms[1](x)), ti)),
    }
    saved = {
        "model_state_dict": net.state_dict(),
        "optimizer_state_dict": optimiser,
        "iter": 3,
        "infos": None,
        "obs_norm_state_dict": norms[0].state_dict(),
        "privileged_obs_norm_state_dict": norms[1].state_dict(),
    }
    record("v2-distillation-gru", saved, nets, version="2.3", activation="tanh")


def groups():
    from tensordict import TensorDict

    obs = {"policy": torch.zeros(ENVS, STUDENT), "teacher": torch.zeros(ENVS, TEACHER)}
    return TensorDict({**obs, "critic": torch.zeros(ENVS, TEACHER)}, batch_size=[ENVS])


def version_3():
    from rsl_rl.modules import ActorCritic, StudentTeacherRecurrent

    obs = groups()
    sets = {"policy": ["policy"], "teacher": ["teacher"], "critic": ["critic"]}
    net = StudentTeacherRecurrent(
        obs, sets, ACTIONS, True, True, [8, 6], [7], "lrelu", 0.1, "log", "lstm", 4, 2, False
    )
    shake(net)
    optimiser = optimiser_state(net.parameters())
    net.eval()
    si, ti = sequence(STUDENT), sequence(TEACHER)
    nets = {
        "student": (si, over_time(lambda x: net.act_inference({"policy": x}), si)),
        "teacher": (ti, over_time(lambda x: net.evaluate({"teacher": x}), ti)),
    }
    saved = {
        "model_state_dict": net.state_dict(),
        "optimizer_state_dict": optimiser,
        "iter": 5,
        "infos": None,
    }
    record("v3-distillation-lstm", saved, nets, version="3", activation="lrelu")

    net = ActorCritic(obs, sets, ACTIONS, False, True, [8, 6], [7], "mish", state_dependent_std=True)
    i = sequence(STUDENT)
    nets = {"actor": (i, over_time(lambda x: net.act_inference({"policy": x}), i))}
    saved = {"model_state_dict": net.state_dict(), "optimizer_state_dict": {}, "iter": 6, "infos": None}
    record("v3-ppo-state-dependent", saved, nets, version="3", activation="mish")


def models(student, teacher, activation, name, version):
    from rsl_rl.models import MLPModel, RNNModel

    obs = groups()
    sets = {"student": ["policy"], "teacher": ["teacher"]}
    made = {}
    for role, arguments in (("student", student), ("teacher", teacher)):
        kind = RNNModel if "rnn_type" in arguments else MLPModel
        made[role] = kind(obs, sets, role, ACTIONS, [8, 6], activation, **arguments).eval()
        shake(made[role])
    optimiser = optimiser_state(made["student"].parameters())
    si, ti = sequence(STUDENT), sequence(TEACHER)
    nets = {
        "student": (si, over_time(lambda x: made["student"]({"policy": x}), si)),
        "teacher": (ti, over_time(lambda x: made["teacher"]({"teacher": x}), ti)),
    }
    saved = {
        "student_state_dict": made["student"].state_dict(),
        "teacher_state_dict": made["teacher"].state_dict(),
        "optimizer_state_dict": optimiser,
        "iter": 7,
        "infos": None,
    }
    record(name, saved, nets, version=version, activation=activation)


def version_4():
    rnn = {"obs_normalization": True, "rnn_type": "gru", "rnn_hidden_dim": 4, "rnn_num_layers": 1}
    noisy = {"stochastic": True, "noise_std_type": "log"}
    models({**rnn, **noisy}, {"stochastic": False}, "swish", "v4-distillation-gru", "4")


def version_5():
    from rsl_rl.models import MLPModel

    gauss = "rsl_rl.modules.distribution:GaussianDistribution"
    hetero = "rsl_rl.modules.distribution:HeteroscedasticGaussianDistribution"
    beta = "rsl_rl.modules.distribution:BetaDistribution"
    rnn = {"obs_normalization": True, "rnn_type": "lstm", "rnn_hidden_dim": 4, "rnn_num_layers": 2}
    models(
        {**rnn, "distribution_cfg": {"class_name": gauss, "init_std": 0.1}},
        {"distribution_cfg": {"class_name": hetero}},
        "gelu",
        "v5-distillation-lstm",
        "5",
    )
    obs, sets = groups(), {"actor": ["policy"]}
    cfg = {"class_name": beta, "action_range": (-2.0, 0.5)}
    net = MLPModel(obs, sets, "actor", ACTIONS, [8, 6], "softplus", True, cfg).eval()
    shake(net)
    i = sequence(STUDENT)
    nets = {"actor": (i, over_time(lambda x: net({"policy": x}), i))}
    saved = {
        "actor_state_dict": net.state_dict(),
        "critic_state_dict": {},
        "optimizer_state_dict": {},
        "iter": 8,
        "infos": None,
    }
    record("v5-ppo-beta", saved, nets, version="5", activation="softplus", beta=[-2.0, 0.5])


def torch_only():
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    half = torch.tensor([1.5, -2.0, 65504.0, 6e-8, float("inf")], dtype=torch.float16)
    torch.save(
        {
            "transposed": base.t(),
            "window": base[1:3, 2:5],
            "every_other": base[:, ::2],
            "expanded": torch.tensor([7.0]).expand(3, 2),
            "scalar": torch.tensor(42),
            "empty": torch.zeros(0, 3),
            "half": half,
            "bfloat16": torch.tensor([1.0, -3.5, 1e38], dtype=torch.bfloat16),
            "double": torch.tensor([1e300, -0.1], dtype=torch.float64),
            "int32": torch.tensor([-1, 2**31 - 1], dtype=torch.int32),
            "int16": torch.tensor([-(2**15)], dtype=torch.int16),
            "int8": torch.tensor([-128], dtype=torch.int8),
            "uint8": torch.tensor([255], dtype=torch.uint8),
            "bool": torch.tensor([True, False]),
            "parameter": torch.nn.Parameter(torch.tensor([0.25])),
            "size": torch.Size([2, 3]),
            "plain": [None, True, -5, 300, 70000, 2**40, -(2**70), 0.5, "żółw", (), (1, 2, 3, 4), {"a": {}}],
            1: "int key",
        },
        HERE / "torch-values.pt",
    )
    with zipfile.ZipFile(HERE / "torch-values.pt") as stored:
        with zipfile.ZipFile(HERE / "torch-values-deflated.pt", "w", zipfile.ZIP_DEFLATED) as out:
            for name in stored.namelist():
                out.writestr(name, stored.read(name))

    torch.manual_seed(9)
    points = torch.tensor([[-8.0, -2.5, -1.0, -0.3, 0.0, 0.3, 1.0, 2.5, 8.0, 30.0]])
    nn = torch.nn
    kinds = {
        "elu": nn.ELU(), "selu": nn.SELU(), "relu": nn.ReLU(), "crelu": nn.CELU(), "lrelu": nn.LeakyReLU(),
        "tanh": nn.Tanh(), "sigmoid": nn.Sigmoid(), "softplus": nn.Softplus(), "gelu": nn.GELU(),
        "swish": nn.SiLU(), "mish": nn.Mish(), "identity": nn.Identity(),
    }
    values = {"points": points[0].tolist(), "values": {}, "slopes": {}}
    for name, kind in kinds.items():
        x = points.clone().requires_grad_()
        y = kind(x)
        y.sum().backward()
        values["values"][name] = y[0].tolist()
        values["slopes"][name] = x.grad[0].tolist()
    (HERE / "activations.json").write_text(json.dumps(values))


def normaliser():
    from rsl_rl.modules import EmpiricalNormalization

    norm = EmpiricalNormalization([3])
    batches = [torch.randn(rows, 3) * 3 + 10 for rows in (1, 7, 100, 2)]
    after = []
    for batch in batches:
        norm.update(batch)
        after.append({k: v.reshape(-1).tolist() for k, v in norm.state_dict().items()})
    x = torch.randn(4, 3) * 3 + 10
    norm.eval()
    (HERE / "normaliser.json").write_text(
        json.dumps(
            {"batches": [b.tolist() for b in batches], "after": after, "x": x.tolist(), "y": norm(x).tolist()}
        )
    )


def main():
    checkout, version = sys.argv[1:]
    torch.manual_seed(int(version[0]) if version[0].isdigit() else 0)
    sys.path.insert(0, checkout)
    makers = {"2": [version_2], "3": [version_3], "4": [version_4], "5": [version_5, normaliser], "t": [torch_only]}
    for make in makers[version[0]]:
        make()
    cases_file.write_text(json.dumps(cases))


main()
