"""Writes cnn-reference.json: what rsl_rl 5.5.1's CNNModel makes of two groups of pictures and one of numbers.

Run with rsl-rl-lib==5.5.1 and torch: python make_cnn_reference.py > cnn-reference.json.
"""

import json

import torch
from rsl_rl.models import CNNModel
from tensordict import TensorDict

torch.manual_seed(7)
rows, width = 3, 3
camera = torch.randint(0, 256, (rows, 9, 12, 2))
down = torch.randint(0, 256, (rows, 8, 8, 1))
numbers = torch.randn(rows, width)
obs = TensorDict(
    {"camera": camera.permute(0, 3, 1, 2) / 255, "down": down.permute(0, 3, 1, 2) / 255, "joints": numbers},
    batch_size=[rows],
)
model = CNNModel(
    obs,
    {"actor": ["camera", "joints", "down"]},
    "actor",
    2,
    hidden_dims=[5],
    activation="elu",
    cnn_cfg={"output_channels": [3, 4], "kernel_size": 3, "stride": 2, "padding": "zeros", "activation": "elu"},
)
outputs = model(obs)
loss = (outputs**2).sum()
loss.backward()


def listed(tensor):
    return {"shape": list(tensor.shape), "data": [float(f"{x:.9g}") for x in tensor.detach().flatten().tolist()]}


print(
    json.dumps(
        {
            "camera": listed(camera),
            "down": listed(down),
            "joints": listed(numbers),
            "outputs": listed(outputs),
            "weights": {name: listed(value) for name, value in model.state_dict().items()},
            "gradients": {name: listed(value.grad) for name, value in model.named_parameters()},
        }
    )
)
