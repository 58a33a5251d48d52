"""Opens flights with the package Minari and prints what it sees: python read_flights.py FOLDER."""

import json
import sys

import gymnasium as gym
import minari
import numpy as np

dataset = minari.MinariDataset(sys.argv[1])


def listed(value):
    if isinstance(value, dict):
        return {key: listed(inner) for key, inner in value.items()}
    return np.asarray(value).tolist()


def bounds(space):
    if isinstance(space, gym.spaces.Dict):
        return {key: bounds(inner) for key, inner in space.spaces.items()}
    return {"shape": list(space.shape), "dtype": str(space.dtype), "low": [str(x) for x in space.low.ravel()], "high": [str(x) for x in space.high.ravel()]}


def contains(space, rows):
    if isinstance(space, gym.spaces.Dict):
        return all(contains(inner, rows[key]) for key, inner in space.spaces.items())
    return all(space.contains(row) for row in rows)


episodes = [
    {
        "id": int(e.id), "length": len(e), "observations": listed(e.observations), "actions": listed(e.actions),
        "rewards": listed(e.rewards), "terminations": listed(e.terminations), "truncations": listed(e.truncations),
        "infos": listed(e.infos), "observed": contains(dataset.observation_space, e.observations),
        "acted": contains(dataset.action_space, e.actions),
    }
    for e in dataset
]
print(json.dumps({
    "id": dataset.id, "total_episodes": dataset.total_episodes, "total_steps": dataset.total_steps,
    "name": dataset.spec.dataset_name, "observation_space": bounds(dataset.observation_space),
    "action_space": bounds(dataset.action_space), "episodes": episodes,
    "sampled": len(list(dataset.sample_episodes(2))) if len(episodes) > 1 else 0,
    "kept": dataset.filter_episodes(lambda e: e.terminations[-1]).total_episodes,
    "metadata": [m["total_steps"].item() for m in dataset.storage.get_episode_metadata(range(dataset.total_episodes))],
}))
