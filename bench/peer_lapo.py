"""What our LAPO's update with pictures is compared with: PyTorch. ``peer_lapo.py JOB``; JSON in, JSON out.

The same parts and the same order of operations: a CNN before critics, value, VAE and latent actor, moved by the
critic's loss; slow copies of all. A batch is handed over as it lies in memory: bytes of pictures, a channel after the
other, as PyTorch likes them. ``fused``: Adam in one kernel and slow copies by ``torch._foreach_lerp_``, which a careful author would
use; without it everything as it is usually written.
"""

from __future__ import annotations

import copy
import json
import sys
import time
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

DISCOUNT, TAU, EXPECTILE, KL_BETA, SHARE, BOUND = 0.99, 0.005, 0.8, 0.5, 0.8, 2.0
LEAST, MOST = -50.0, 100.0
LATENT_NOISE, NOISE_CLIP = 0.1, 0.2
POOL = 10
"""Batches that are gone through in turns."""


def mlp(inputs: int, outputs: int, width: int) -> nn.Sequential:
    widths = [inputs, width, width, width]
    hidden = [layer for i, o in zip(widths, widths[1:]) for layer in (nn.Linear(i, o), nn.ReLU())]
    return nn.Sequential(*hidden, nn.Linear(width, outputs))


class Encoder(nn.Module):
    def __init__(self, size: int, channels: int, numbers: int, features: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(channels, 16, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
        )
        self.joined = nn.Linear(numbers + 32 * (size // 4) ** 2, features)

    def forward(self, pictures: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
        seen = self.convolutions(pictures * (1 / 255))
        return functional.relu(self.joined(torch.cat([numbers, seen], 1)))


class Vae(nn.Module):
    def __init__(self, features: int, actions: int, latent: int, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(*mlp(features + actions, 1, width)[:-1])
        self.mean, self.log_var = nn.Linear(width, latent), nn.Linear(width, latent)
        self.decoder = mlp(features + latent, actions, width)

    def decode(self, features: torch.Tensor, latent: torch.Tensor) -> torch.Tensor:
        return self.decoder(torch.cat([features, latent], 1))

    def encode(self, features: torch.Tensor, actions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        seen = self.body(torch.cat([features, actions], 1))
        return self.mean(seen), self.log_var(seen)


class Parts(nn.Module):
    def __init__(self, case: dict[str, Any]) -> None:
        super().__init__()
        features, actions, width = case["features"], case["actions"], case["width"]
        self.encoder = Encoder(case["size"], case["channels"], case["numbers"], features)
        self.q1, self.q2 = (mlp(features + actions, 1, width) for _ in range(2))
        self.v = mlp(features, 1, width)
        self.vae = Vae(features, actions, 2 * actions, width)
        self.actor = mlp(features, 2 * actions, width)

    def see(self, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        return self.encoder(*batch)

    def latent(self, features: torch.Tensor) -> torch.Tensor:
        return BOUND * torch.tanh(self.actor(features))

    def mixed(self, features: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        both = torch.cat([features, actions], 1)
        first, second = self.q1(both), self.q2(both)
        return SHARE * torch.min(first, second) + (1 - SHARE) * torch.max(first, second)


class Lapo:
    def __init__(self, case: dict[str, Any]) -> None:
        self.rows, self.latent = case["rows"], 2 * case["actions"]
        self.fused = case["fused"]
        self.online = Parts(case)
        self.slow = copy.deepcopy(self.online)
        online = self.online
        adam = lambda rate, *parts: torch.optim.Adam(  # noqa: E731
            [one for part in parts for one in part.parameters()], lr=rate, fused=self.fused or None
        )
        self.critic_optimiser = adam(5e-4, online.encoder, online.q1, online.q2, online.v)
        self.vae_optimiser = adam(1e-4, online.vae)
        self.actor_optimiser = adam(1e-4, online.actor)

    def learn(self, batch: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
        told = {name: torch.from_numpy(array) for name, array in batch.items()}
        here = told["camera"].float(), told["numbers"]
        behind = told["next_camera"].float(), told["next_numbers"]
        actions, rewards = told["actions"], told["rewards"]
        alive = DISCOUNT * (1 - told["ended"])
        figures = self.learn_critic(here, behind, actions, (rewards, alive))
        with torch.no_grad():
            features = self.online.see(here)
        figures |= self.learn_vae(features, behind, actions, (rewards, alive))
        figures |= self.learn_actor(features, actions)
        self.follow()
        return figures

    def learn_critic(self, here: Any, behind: Any, actions: torch.Tensor, ends: Any) -> dict[str, torch.Tensor]:
        online, slow = self.online, self.slow
        rewards, alive = ends
        with torch.no_grad():
            wanted = rewards + alive * online.v(online.see(behind))
            features = slow.see(here)
            noise = (LATENT_NOISE * torch.randn(self.rows, self.latent)).clamp(-NOISE_CLIP, NOISE_CLIP)
            steered = slow.vae.decode(features, slow.latent(features) + noise)
            best = slow.mixed(features, steered).clamp(LEAST, MOST)
        features = online.see(here)
        both = torch.cat([features, actions], 1)
        first, second, value = online.q1(both), online.q2(both), online.v(features)
        q1, q2 = functional.mse_loss(first, wanted), functional.mse_loss(second, wanted)
        v = functional.mse_loss(value, best)
        loss = q1 + q2 + v
        step(self.critic_optimiser, loss)
        figures = {"critic": loss, "q1": q1, "q2": q2, "v": v, "q": first.mean(), "value": value.mean()}
        return {name: figure.detach() for name, figure in figures.items()}

    def learn_vae(
        self, features: torch.Tensor, behind: Any, actions: torch.Tensor, ends: Any
    ) -> dict[str, torch.Tensor]:
        online, slow = self.online, self.slow
        rewards, alive = ends
        with torch.no_grad():
            ahead = slow.see(behind)
            value = slow.mixed(ahead, slow.vae.decode(ahead, slow.latent(ahead)))
            advantage = rewards + alive * value - online.v(features)
            weight = torch.where(advantage > 0, EXPECTILE, 1 - EXPECTILE)
        mean, log_var = online.vae.encode(features, actions)
        z = mean + torch.exp(log_var / 2) * torch.randn(self.rows, self.latent)
        distance = (online.vae.decode(features, z) - actions).square().sum(1, keepdim=True)
        divergence = -0.5 * (1 + log_var - mean.square() - log_var.exp()).sum(1, keepdim=True)
        loss = (weight * (distance + KL_BETA * divergence)).mean()
        step(self.vae_optimiser, loss)
        figures = {"vae": loss, "reconstruction": distance.mean(), "kl": divergence.mean()}
        return {name: figure.detach() for name, figure in figures.items()}

    def learn_actor(self, features: torch.Tensor, actions: torch.Tensor) -> dict[str, torch.Tensor]:
        latent = self.online.latent(features)
        steered = self.slow.vae.decode(features, latent)
        value = self.online.q1(torch.cat([features, steered], 1))
        loss = -value.mean()
        step(self.actor_optimiser, loss)
        figures = {"actor": loss, "latent": latent.abs().mean(), "mse": functional.mse_loss(steered, actions)}
        return {name: figure.detach() for name, figure in figures.items()}

    @torch.no_grad()
    def follow(self) -> None:
        pairs = list(zip(self.slow.parameters(), self.online.parameters()))
        if self.fused:
            torch._foreach_lerp_([slow for slow, _ in pairs], [source for _, source in pairs], TAU)
            return
        for slow, source in pairs:
            slow.data.copy_(TAU * source.data + (1 - TAU) * slow.data)


def step(optimiser: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()


def batches(case: dict[str, Any]) -> list[dict[str, np.ndarray]]:
    draw = np.random.default_rng(1)
    rows = case["rows"]
    picture = (rows, case["channels"], case["size"], case["size"])

    def one() -> dict[str, np.ndarray]:
        normal = lambda width: draw.standard_normal((rows, width), np.float32)  # noqa: E731
        seen = lambda: draw.integers(0, 256, picture, np.uint8)  # noqa: E731
        return {
            **{"camera": seen(), "next_camera": seen()},
            **{"numbers": normal(case["numbers"]), "next_numbers": normal(case["numbers"])},
            **{"actions": normal(case["actions"]), "rewards": normal(1), "ended": np.zeros((rows, 1), np.float32)},
        }

    return [one() for _ in range(POOL)]


def measured(case: dict[str, Any], seconds: float) -> dict[str, float]:
    """Milliseconds of an update: by the clock, the median of rounds, and of the processor, over all of them."""
    learner, pool = Lapo(case), batches(case)

    def round_of() -> None:
        kept: list[dict[str, torch.Tensor]] = [learner.learn(batch) for batch in pool]
        for name in kept[0]:
            torch.stack([figures[name] for figures in kept]).mean().item()

    for _ in range(2):
        round_of()
    durations, since = [], time.process_time()
    end = time.perf_counter() + seconds
    while len(durations) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        round_of()
        durations.append(time.perf_counter() - start)
    per_update = 1000 / POOL
    return {
        "wall": per_update * median(durations),
        "cpu": per_update * (time.process_time() - since) / len(durations),
    }


def main() -> None:
    job = json.loads(sys.argv[1])
    torch.set_num_threads(job["threads"])
    torch.manual_seed(1)
    figures = [measured(case, job["seconds"]) for case in job["cases"]]
    print(json.dumps({"engine": f"PyTorch {torch.__version__}", "figures": figures}))


if __name__ == "__main__":
    main()
