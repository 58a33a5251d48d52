"""One TD3+BC of d3rlpy's on flights of ours: ``peer_offline.py ORDER``; JSON in, JSON out.

The order names the ``dataset`` (Minari's layout), ``seed``, ``updates``, ``batch_size``, ``hidden``, ``alpha``,
``discount``, ``learning_rate``, ``layer_norm`` (in the critics), ``threads``, and ``weights``: the file that gets
the actor, to be flown by the judge that flies all. Episodes that the clock ended end for d3rlpy one step earlier:
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
    milliseconds = fit(algo, dataset, order["updates"])
    value = float(algo.predict_value(starts, algo.predict(starts)).mean())
    with open(order["weights"], "w", encoding="utf-8") as file:
        json.dump(actor_of(algo), file)
    versions = f"d3rlpy {d3rlpy.__version__}, PyTorch {torch.__version__}"
    print(json.dumps({"versions": versions, "value": value, "milliseconds": milliseconds}))


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
    def encoder(layer_norm: bool) -> Any:
        return d3rlpy.models.VectorEncoderFactory(hidden_units=order["hidden"], use_layer_norm=layer_norm)

    config = d3rlpy.algos.TD3PlusBCConfig(
        batch_size=order["batch_size"],
        gamma=order["discount"],
        alpha=order["alpha"],
        actor_learning_rate=order["learning_rate"],
        critic_learning_rate=order["learning_rate"],
        actor_encoder_factory=encoder(False),
        critic_encoder_factory=encoder(order["layer_norm"]),
        observation_scaler=d3rlpy.preprocessing.StandardObservationScaler(),
    )
    return config.create(device="cpu")


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
    layers = [module for module in algo.impl.policy.modules() if isinstance(module, torch.nn.Linear)]
    scaler = algo.observation_scaler
    return {
        "layers": [
            {"weight": layer.weight.detach().flatten().tolist(), "bias": layer.bias.detach().tolist()}
            for layer in layers
        ],
        "mean": np.asarray(scaler.mean).tolist(),
        "std": np.asarray(scaler.std).tolist(),
    }


if __name__ == "__main__":
    main()
