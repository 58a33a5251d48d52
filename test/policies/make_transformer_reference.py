"""What torch's own transformer blocks do on given numbers: ``python make_transformer_reference.py``, with PyTorch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

WIDTH, TOKENS, INPUTS, OUTPUTS, HEADS, BLOCKS = 8, 3, 5, 4, 4, (6, 10)


def block(wide: int) -> torch.nn.Module:
    return torch.nn.TransformerEncoderLayer(
        WIDTH, HEADS, wide, dropout=0.0, activation=torch.nn.functional.elu, batch_first=True, norm_first=True
    )


def numbers(tensor: torch.Tensor, digits: int) -> list[float]:
    return [round(float(value), digits) for value in tensor.detach().flatten()]


def main() -> None:
    torch.manual_seed(1)
    parts: dict[str, Any] = {"embed": torch.nn.Linear(INPUTS, WIDTH)}
    layers = {f"layers.{i}": block(wide) for i, wide in enumerate(BLOCKS)}
    ends = {"norm": torch.nn.LayerNorm(WIDTH), "output": torch.nn.Linear(WIDTH, OUTPUTS)}
    parts.update(layers, **ends)
    places = torch.randn(TOKENS, WIDTH) * 0.3
    named = {f"{part}.{name}": value for part, module in parts.items() for name, value in module.named_parameters()}
    weights = {"places": places, **named}
    inputs = torch.randn(2, TOKENS, INPUTS)
    with torch.no_grad():
        for value in [*weights.values(), inputs]:
            value.add_(0.1 * torch.randn_like(value))
            value.copy_(torch.tensor(numbers(value, 6)).reshape(value.shape))
    hidden = parts["embed"](inputs) + places
    for layer in layers.values():
        hidden = layer(hidden)
    outputs = parts["output"](parts["norm"](hidden[:, -1]))
    outputs.square().sum().backward()
    made = {
        "source": f"PyTorch {torch.__version__.split('+')[0]}, nn.TransformerEncoderLayer with norm_first",
        "inputs": numbers(inputs, 6),
        "outputs": numbers(outputs, 7),
        "embed_gradient": numbers(parts["embed"].weight.grad, 7),
        "weights": {f"t.{name}": {"shape": list(value.shape), "data": numbers(value, 6)} for name, value in weights.items()},
    }
    Path(__file__).with_name("transformer-reference.json").write_text(json.dumps(made) + "\n")


if __name__ == "__main__":
    main()
