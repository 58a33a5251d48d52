"""What our network's figures are compared with: PyTorch. ``peer_network.py JOB``; JSON in, JSON out.

The same layers, the same readback after acting, the same loss, clipping and Adam as rsl_rl calls them.
"""

from __future__ import annotations

import copy
import json
import sys
import time
from statistics import median
from typing import Any, Callable

import torch

INPUTS, OUTPUTS, UPDATE_STEPS, UNROLLED = 12, 4, 10, 15


def network(width: int, inputs: int = INPUTS) -> torch.nn.Sequential:
    widths = [inputs, width, width, width]
    hidden = [layer for i, o in zip(widths, widths[1:]) for layer in (torch.nn.Linear(i, o), torch.nn.ELU())]
    return torch.nn.Sequential(*hidden, torch.nn.Linear(width, OUTPUTS))


def acting(rows: int, width: int) -> Callable[[], Any]:
    model = network(width)
    observations = torch.randn(rows, INPUTS).numpy()

    def act() -> Any:
        with torch.inference_mode():
            return model(torch.from_numpy(observations)).numpy()

    return act


def acting_together(rows: int, width: int) -> Callable[[], Any]:
    """A student and its teacher on the same observations."""
    pilots = [acting(rows, width) for _ in range(2)]

    def act() -> Any:
        return [pilot() for pilot in pilots]

    return act


def updating(rows: int, width: int) -> Callable[[], Any]:
    model = network(width)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    inputs, targets = torch.randn(rows, INPUTS), torch.randn(rows, OUTPUTS)

    def update() -> float:
        total = 0.0
        for _ in range(UPDATE_STEPS):
            loss = torch.nn.functional.mse_loss(model(inputs), targets)
            total += loss.item()
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
        return total

    return update


def unrolling(rows: int, width: int) -> Callable[[], Any]:
    """Step by step, as rsl_rl's Distillation goes through a rollout."""
    rnn, head = torch.nn.GRU(INPUTS, width), network(width, inputs=width)
    parameters = [*rnn.parameters(), *head.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=1e-3)
    inputs, targets = torch.randn(UNROLLED, rows, INPUTS), torch.randn(UNROLLED, rows, OUTPUTS)

    def update() -> float:
        total = 0.0
        for _ in range(UPDATE_STEPS):
            loss, memory = 0, torch.zeros(1, rows, width)
            for seen, wanted in zip(inputs, targets):
                features, memory = rnn(seen.unsqueeze(0), memory)
                step_loss = torch.nn.functional.mse_loss(head(features.squeeze(0)), wanted)
                loss = loss + step_loss
                total += step_loss.item()
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
        return total

    return update


def learning_offline(layer_norm: bool) -> Callable[[int, int], Callable[[], Any]]:
    """TD3+BC with the operations of its authors' PyTorch: batches are drawn and brought to tensors, figures read."""

    def updating_offline(rows: int, width: int) -> Callable[[], Any]:
        return Td3Bc(rows, width, layer_norm).update

    return updating_offline


class Td3Bc:
    """A replay buffer of tensors, twin critics and an actor, slow copies of all of them."""

    OBSERVATIONS, ACTIONS, STORED = 17, 6, 100_000

    def __init__(self, rows: int, width: int, layer_norm: bool) -> None:
        seen, done = self.OBSERVATIONS, self.ACTIONS

        def layers(inputs: int, outputs: int, norm: bool) -> list[torch.nn.Module]:
            widths = [inputs, width, width]
            hidden: list[torch.nn.Module] = []
            for i, o in zip(widths, widths[1:]):
                hidden += [torch.nn.Linear(i, o), torch.nn.ReLU(), *([torch.nn.LayerNorm(o)] if norm else [])]
            return [*hidden, torch.nn.Linear(width, outputs)]

        self.rows = rows
        self.actor = torch.nn.Sequential(*layers(seen, done, False), torch.nn.Tanh())
        self.critics = [torch.nn.Sequential(*layers(seen + done, 1, layer_norm)) for _ in range(2)]
        self.actor_target, self.critic_targets = copy.deepcopy(self.actor), copy.deepcopy(self.critics)
        self.actor_optimiser = torch.optim.Adam(self.actor.parameters(), lr=3e-4)
        self.critic_optimisers = [torch.optim.Adam(critic.parameters(), lr=3e-4) for critic in self.critics]
        sizes = (seen, done, 1, seen, 1)
        self.stored = [torch.randn(self.STORED, size) for size in sizes]
        self.stored[-1].zero_()
        self.count = 0

    def update(self) -> dict[str, float]:
        figures: dict[str, float] = {}
        for _ in range(UPDATE_STEPS):
            self.count += 1
            chosen = torch.randint(self.STORED, (self.rows,)).numpy()
            figures.update(self.learn(*(array[chosen] for array in self.stored)))
        return figures

    def learn(self, states: Any, actions: Any, rewards: Any, successors: Any, ended: Any) -> dict[str, float]:
        functional = torch.nn.functional
        with torch.no_grad():
            noise = (torch.randn_like(actions) * 0.2).clamp(-0.5, 0.5)
            steered = (self.actor_target(successors) + noise).clamp(-1, 1)
            behind = torch.cat([successors, steered], 1)
            value = torch.min(*(critic(behind) for critic in self.critic_targets))
            target = rewards + (1 - ended) * 0.99 * value
        beside = torch.cat([states, actions], 1)
        loss = sum(functional.mse_loss(critic(beside), target) for critic in self.critics)
        figures = {"critic_loss": loss.item()}
        for optimiser in self.critic_optimisers:
            optimiser.zero_grad()
        loss.backward()
        for optimiser in self.critic_optimisers:
            optimiser.step()
        if self.count % 2 == 0:
            figures["actor_loss"] = self.act(states, actions)
        return figures

    def act(self, states: Any, actions: Any) -> float:
        steered = self.actor(states)
        value = self.critics[0](torch.cat([states, steered], 1))
        weight = 2.5 / value.abs().mean().detach()
        loss = -weight * value.mean() + torch.nn.functional.mse_loss(steered, actions)
        figure = loss.item()
        self.actor_optimiser.zero_grad()
        loss.backward()
        self.actor_optimiser.step()
        copies = [self.actor_target, *self.critic_targets]
        for slow, source in zip(copies, [self.actor, *self.critics]):
            for a, b in zip(slow.parameters(), source.parameters()):
                a.data.copy_(0.995 * a.data + 0.005 * b.data)
        return figure


def timed(action: Callable[[], Any], warm_up: int, seconds: float) -> float:
    for _ in range(warm_up):
        action()
    durations: list[float] = []
    end = time.perf_counter() + seconds
    while len(durations) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        action()
        durations.append(time.perf_counter() - start)
    return median(durations)


def name_of(case: dict[str, Any]) -> str:
    rows, width = case["rows"], case["width"]
    if case["kind"] == "act":
        return f"act, N = {rows}, h = {width}"
    if case["kind"] == "both":
        return f"act of two, N = {rows}, h = {width}"
    if case["kind"] == "unroll":
        return f"optimiser step through {UNROLLED} of a GRU, N = {rows}, h = {width}"
    if case["kind"].startswith("td3_bc"):
        return f"{case['kind']} update, batch {rows}, h = {width}"
    return f"optimiser step, batch {rows}, h = {width}"


ACTIONS = {
    "act": acting,
    "both": acting_together,
    "step": updating,
    "unroll": unrolling,
    "td3_bc": learning_offline(layer_norm=False),
    "td3_bc with LayerNorm": learning_offline(layer_norm=True),
}


def main() -> None:
    job = json.loads(sys.argv[1])
    torch.set_num_threads(job["threads"])
    torch.manual_seed(1)
    milliseconds = {}
    for case in job["cases"]:
        flies = case["kind"] in ("act", "both")
        action = ACTIONS[case["kind"]](case["rows"], case["width"])
        seconds = timed(action, 20 if flies else 2, job["seconds"])
        milliseconds[name_of(case)] = 1000 * seconds / (1 if flies else UPDATE_STEPS)
    print(json.dumps({"engine": f"PyTorch {torch.__version__}", "milliseconds": milliseconds}))


if __name__ == "__main__":
    main()
