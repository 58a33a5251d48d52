"""What our network's figures are compared with: PyTorch. ``peer_network.py JOB``; JSON in, JSON out.

The same layers, the same readback after acting, the same loss, clipping and Adam as rsl_rl calls them.
"""

from __future__ import annotations

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
    return f"optimiser step, batch {rows}, h = {width}"


ACTIONS = {"act": acting, "both": acting_together, "step": updating, "unroll": unrolling}


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
