"""One learner of d3rlpy's on flights of ours: ``peer_offline.py ORDER``; JSON in, JSON out.

The order names the ``algorithm``, the ``dataset`` (Minari's layout), ``seed``, ``updates``, ``batch_size``, ``hidden``,
``discount``, ``learning_rate``, ``layer_norm`` (in the critics), ``threads``, what the algorithm weighs with (``alpha``
of TD3+BC and of CQL, ``betas`` of ReBRAC), and ``weights``: the file that gets the actor, to be flown by the judge that flies all. Episodes that the clock ended end for d3rlpy one step earlier:
it has no place for the observation behind the last step.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import d3rlpy
import h5py
import numpy as np
import torch


def main() -> None:
    order = json.loads(sys.argv[1])
    torch.set_num_threads(order["threads"])
    d3rlpy.seed(order["seed"])
    dataset, starts = read(order["dataset"])
    algo = make(order)
    since = time.process_time()
    milliseconds = fit(algo, dataset, order["updates"])
    cpu_seconds = time.process_time() - since
    valued = order["algorithm"] != "bc"
    value = float(algo.predict_value(starts, algo.predict(starts)).mean()) if valued else None
    actor = actor_of(algo)
    check_actor(actor, algo, starts)
    with open(order["weights"], "w", encoding="utf-8") as file:
        json.dump(actor, file)
    versions = f"d3rlpy {d3rlpy.__version__}, PyTorch {torch.__version__}"
    figures = {"value": value, "milliseconds": milliseconds, "cpuSeconds": cpu_seconds}
    print(json.dumps({"versions": versions, **figures}))


def read(path: str) -> tuple[Any, np.ndarray]:
    """The flights, and the observations that their episodes start with."""
    parts: dict[str, list[np.ndarray]] = {"obs": [], "actions": [], "rewards": [], "ends": [], "cuts": []}
    with h5py.File(path) as file:
        for i in range(len(file)):
            episode = file[f"episode_{i}"]
            steps = len(episode["actions"])
            parts["obs"].append(episode["observations"][:steps])
            parts["actions"].append(episode["actions"][:])
            parts["rewards"].append(episode["rewards"][:])
            parts["ends"].append(episode["terminations"][:].astype(np.float32))
            cut = np.zeros(steps, np.float32)
            cut[-1] = not parts["ends"][-1][-1]
            parts["cuts"].append(cut)
    starts = np.stack([rows[0] for rows in parts["obs"]])
    whole = {name: np.concatenate(rows) for name, rows in parts.items()}
    dataset = d3rlpy.dataset.MDPDataset(
        observations=whole["obs"],
        actions=whole["actions"],
        rewards=whole["rewards"],
        terminals=whole["ends"],
        timeouts=whole["cuts"],
    )
    return dataset, starts


def make(order: dict[str, Any]) -> Any:
    algos, rate = d3rlpy.algos, order["learning_rate"]

    def encoder(layer_norm: bool) -> Any:
        return d3rlpy.models.VectorEncoderFactory(hidden_units=order["hidden"], use_layer_norm=layer_norm)

    shared = {
        "batch_size": order["batch_size"],
        "gamma": order["discount"],
        "observation_scaler": d3rlpy.preprocessing.StandardObservationScaler(),
    }
    if order["algorithm"] == "bc":
        return algos.BCConfig(**shared, learning_rate=rate, encoder_factory=encoder(False)).create(device="cpu")
    critics = {
        "actor_learning_rate": rate,
        "critic_learning_rate": rate,
        "actor_encoder_factory": encoder(False),
        "critic_encoder_factory": encoder(order["layer_norm"]),
    }
    if order["algorithm"] == "iql":
        critics["value_encoder_factory"] = encoder(order["layer_norm"])
    own: dict[str, tuple[Any, dict[str, Any]]] = {
        "td3_bc": (algos.TD3PlusBCConfig, {"alpha": order.get("alpha")}),
        "rebrac": (algos.ReBRACConfig, dict(zip(("actor_beta", "critic_beta"), order.get("betas", ())))),
        "iql": (algos.IQLConfig, {"expectile": 0.7, "weight_temp": 3.0}),
        # A weight that is not learned, as ours.
        "cql": (
            algos.CQLConfig,
            {"conservative_weight": order.get("alpha"), "alpha_learning_rate": 0.0, "temp_learning_rate": rate},
        ),
        "sac": (algos.SACConfig, {"temp_learning_rate": rate}),
    }
    config, weights = own[order["algorithm"]]
    return config(**shared, **critics, **weights).create(device="cpu")


def fit(algo: Any, dataset: Any, updates: int) -> float:
    """Milliseconds of an update: the median of ten stretches, the first left out."""
    stretch = max(1, updates // 10)
    marks = []
    quiet = {"logger_adapter": d3rlpy.logging.NoopAdapterFactory(), "show_progress": False}
    since = time.perf_counter()
    for _ in algo.fitter(dataset, n_steps=stretch * (updates // stretch), n_steps_per_epoch=stretch, **quiet):
        now = time.perf_counter()
        marks.append(1000 * (now - since) / stretch)
        since = now
    return float(np.median(marks[1:] or marks))


def actor_of(algo: Any) -> dict[str, Any]:
    """Its linear layers up to the mean of its actions, before the tanh."""
    modules = algo.impl.modules
    policy = modules.imitator if hasattr(modules, "imitator") else modules.policy
    layers = [
        module
        for name, module in policy.named_modules()
        if isinstance(module, torch.nn.Linear) and "logstd" not in name
    ]
    scaler = algo.observation_scaler
    return {
        "layers": [
            {"weight": layer.weight.detach().flatten().tolist(), "bias": layer.bias.detach().tolist()}
            for layer in layers
        ],
        "mean": np.asarray(scaler.mean).tolist(),
        "std": np.asarray(scaler.std).tolist(),
    }


def check_actor(actor: dict[str, Any], algo: Any, starts: np.ndarray) -> None:
    """That what is handed over acts as d3rlpy's own does."""
    x = (starts - np.asarray(actor["mean"])) / np.asarray(actor["std"])
    for i, layer in enumerate(actor["layers"]):
        weight = np.asarray(layer["weight"]).reshape(len(layer["bias"]), -1)
        x = x @ weight.T + np.asarray(layer["bias"])
        x = np.maximum(x, 0) if i + 1 < len(actor["layers"]) else np.tanh(x)
    distance = float(np.abs(x - algo.predict(starts)).max())
    if distance > 1e-2:
        raise SystemExit(f"the actor handed over is {distance} away from d3rlpy's")


if __name__ == "__main__":
    main()
