"""LightZero's MuZero on recorded flights of ours: ``peer_world_model.py ORDER``; JSON in, JSON in a file.

LightZero 0.2.0 has no entry that learns from recorded data; its buffer, model, policy and search are used as they
are, and this feeds them. One segment is one episode. What its policy shall be is, for ``reanalyze`` of each batch,
what LightZero's own search finds in its own model now, and for the rest the action that was taken, as our world
model has it. It sees what ours sees: ``window`` observations and the actions between them, in standard units.

The order names the ``dataset`` (Minari's layout), its observation ``group``, ``endpoint`` of a simulator in which
each environment flies one episode, ``settings`` for it, ``record`` (group and column of what is true) and ``period``
(s), ``seed``, ``env_seed``, ``updates``, ``batch_size``, ``reanalyze``, ``simulations``, ``levels``, ``window``,
``threads``, and the file of the ``answer``: milliseconds of an update, returns, and what is true at each step.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import h5py
import numpy as np
import torch
from ding.utils import deep_merge_dicts
from easydict import EasyDict
from firstsolo_sim.client import Client
from lzero.mcts import MuZeroGameBuffer
from lzero.mcts.buffer.game_segment import GameSegment
from lzero.policy.muzero import MuZeroPolicy


def main() -> None:
    order = json.loads(sys.argv[1])
    torch.set_num_threads(order["threads"])
    torch.manual_seed(order["seed"])
    np.random.seed(order["seed"])
    flights = read(order["dataset"], order["group"])
    coder = Coder(flights, order)
    cfg = config(order, coder, len(flights[0][1]))
    policy = MuZeroPolicy(cfg, enable_field=["learn", "eval"])
    policy._collect_mcts_temperature, policy.collect_epsilon = 1.0, 0.0
    buffer = MuZeroGameBuffer(cfg)
    fill(buffer, flights, coder, cfg)
    seconds = learn(policy, buffer, order)
    said = {"seconds": seconds, "milliseconds": 1000 * seconds / order["updates"], **fly(policy, coder, order)}
    with open(order["answer"], "w", encoding="utf-8") as file:
        json.dump(said, file)
    print("null")


Flight = tuple[np.ndarray, np.ndarray, np.ndarray]


def read(path: str, group: str) -> list[Flight]:
    """Observations ``[steps + 1, width]``, actions and rewards of each episode."""
    with h5py.File(path) as file:
        episodes = [file[f"episode_{i}"] for i in range(len(file))]
        return [(e["observations"][group][:], e["actions"][:], e["rewards"][:]) for e in episodes]


class Coder:
    """Between our units and LightZero's: windows of standardised numbers, one number for each pair of levels."""

    def __init__(self, flights: list[Flight], order: dict[str, Any]) -> None:
        observations = np.concatenate([flight[0] for flight in flights])
        actions = np.concatenate([flight[1] for flight in flights])
        self.window = order["window"]
        self.middle, self.spread = observations.mean(0), observations.std(0) + 1e-6
        self.most = actions.max(0) + 1e-6
        self.levels = [self._quantiles(column, order["levels"]) for column in actions.T]
        self.width = self.window * (observations.shape[1] + actions.shape[1])

    @staticmethod
    def _quantiles(column: np.ndarray, count: int) -> np.ndarray:
        """As many levels, from the least to the most; where many are alike, the widest gaps are halved."""
        found = sorted(set(np.quantile(column, np.linspace(0, 1, count)).tolist()))
        while len(found) < count:
            at = int(np.argmax(np.diff(found)))
            found.insert(at + 1, (found[at] + found[at + 1]) / 2)
        return np.array(found)

    def number(self, action: np.ndarray) -> int:
        parts = [int(np.abs(levels - value).argmin()) for levels, value in zip(self.levels, action)]
        return parts[0] * len(self.levels[1]) + parts[1]

    def action(self, number: int) -> list[float]:
        first, second = divmod(int(number), len(self.levels[1]))
        return [self.levels[0][first], self.levels[1][second]]

    def step(self, observation: np.ndarray, action: np.ndarray) -> np.ndarray:
        return np.concatenate([(observation - self.middle) / self.spread, action / self.most]).astype(np.float32)

    def windows(self, observations: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """Of each step: what was seen lately, and what was done before it; the first is repeated."""
        before = np.concatenate([np.zeros_like(actions[:1]), actions])[: len(observations)]
        steps = np.stack([self.step(*pair) for pair in zip(observations, before)])
        padded = np.concatenate([np.repeat(steps[:1], self.window - 1, 0), steps])
        return np.stack([padded[i : i + self.window].ravel() for i in range(len(steps))])


def config(order: dict[str, Any], coder: Coder, steps: int) -> Any:
    """LightZero's defaults for vectors, with our discount, batch, simulations, latent and unrolled steps."""
    actions = len(coder.levels[0]) * len(coder.levels[1])
    ours = dict(
        model=dict(
            model_type="mlp",
            observation_shape=coder.width,
            action_space_size=actions,
            latent_state_dim=32,
            support_scale=50,
            reward_support_size=101,
            value_support_size=101,
            norm_type="BN",
        ),
        **dict(cuda=False, device="cpu", game_segment_length=steps, batch_size=order["batch_size"]),
        **dict(optim_type="Adam", piecewise_decay_lr_scheduler=False, learning_rate=1e-3, discount_factor=0.9),
        **dict(num_simulations=order["simulations"], reanalyze_ratio=order["reanalyze"], reanalyze_outdated=True),
        **dict(replay_buffer_size=10**6, num_unroll_steps=5, td_steps=5, env_type="not_board_games"),
    )
    whole = deep_merge_dicts(MuZeroPolicy.default_config(), MuZeroGameBuffer.default_config())
    return EasyDict(deep_merge_dicts(whole, ours))


def fill(buffer: Any, flights: list[Flight], coder: Coder, cfg: Any) -> None:
    size = cfg.model.action_space_size
    allowed = np.ones(size, dtype=np.int8)
    for observations, actions, rewards in flights:
        segment = GameSegment(None, game_segment_length=len(actions), config=cfg)
        seen = coder.windows(observations, actions)
        segment.reset([seen[0]])
        returns = 0.0
        values = np.zeros(len(rewards))
        for i in reversed(range(len(rewards))):
            returns = values[i] = rewards[i] + cfg.discount_factor * returns
        for i, action in enumerate(actions):
            number = coder.number(action)
            segment.store_search_stats(np.eye(size)[number].tolist(), float(values[i]))
            segment.append(number, seen[i + 1], float(rewards[i]), allowed, -1, i)
        segment.game_segment_to_array()
        meta = {"done": True, "unroll_plus_td_steps": 10, "priorities": np.ones(len(actions))}
        buffer.push_game_segments(([segment], [meta]))


def learn(policy: Any, buffer: Any, order: dict[str, Any]) -> float:
    begun = time.time()
    for i in range(order["updates"]):
        figures = policy._forward_learn(buffer.sample(order["batch_size"], policy))
        if i % 100 == 0:
            told = {name: round(figures[name], 4) for name in ("policy_loss", "reward_loss", "value_loss")}
            print(i, round(time.time() - begun), told, file=sys.stderr, flush=True)
    return time.time() - begun


def fly(policy: Any, coder: Coder, order: dict[str, Any]) -> dict[str, Any]:
    """One episode in each environment, with the search, without noise."""
    group, (truth, column) = order["group"], order["record"]
    with Client(order["endpoint"], settings=order["settings"]) as sim:
        count = sim.spec["num_envs"]
        seen = sim.reset(order["env_seed"])
        first = np.stack([coder.step(row, np.zeros(2)) for row in seen[group]])
        window = np.repeat(first[:, None], coder.window, 1)
        mask = np.ones((count, policy._cfg.model.action_space_size), dtype=np.int8)
        returns, over, record = np.zeros(count), np.zeros(count, bool), []
        while not over.all():
            found = policy._forward_eval(torch.from_numpy(window.reshape(count, -1)), mask, [-1] * count)
            actions = np.array([coder.action(found[i]["action"]) for i in range(count)])
            step = sim.step(actions)
            returns += np.where(over, 0, step.rewards)
            now = step.observations[truth][:, column].copy()
            now[step.final_rows] = step.final_observations[truth][:, column] if len(step.final_rows) else 0
            record.append(np.where(over, np.nan, now))
            over |= step.terminated | step.truncated
            rows = [coder.step(row, action) for row, action in zip(step.observations[group], actions)]
            window = np.concatenate([window[:, 1:], np.stack(rows)[:, None]], 1)
    return {"returns": returns.tolist(), "record": np.array(record).T.tolist()}


if __name__ == "__main__":
    main()
