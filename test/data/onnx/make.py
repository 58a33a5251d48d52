"""Makes the ONNX files in this folder with rsl_rl 5's own exporter, and the actions its models give.

    python make.py          # with rsl-rl-lib 5.4.2, torch, onnx and onnxscript

`NAME.onnx` for the torchscript exporter, which Isaac Lab's scripts use, `NAME-dynamo.onnx` for the newer one;
`external/`: with the weights in a file beside the graph, as newer exporters do; `examples.json`: inputs and outputs [step][environment][component].
"""

import json
import pathlib

import onnx
import torch
from rsl_rl.models import MLPModel, RNNModel
from tensordict import TensorDict

HERE = pathlib.Path(__file__).parent
WIDTH, ACTIONS, ENVS, STEPS = 5, 3, 2, 4
examples = {}


def export(name, kind, **arguments):
    obs = TensorDict({"policy": torch.zeros(ENVS, WIDTH)}, batch_size=[ENVS])
    model = kind(obs, {"actor": ["policy"]}, "actor", ACTIONS, [8, 6], "elu", True, **arguments).eval()
    for key, value in model.state_dict().items():
        if key.endswith(("_mean", "_var", "_std")):
            value.copy_(torch.rand_like(value) + 0.5)
    inputs = torch.randn(STEPS, ENVS, WIDTH)
    with torch.no_grad():
        outputs = torch.stack([model({"policy": x}) for x in inputs])
    examples[name] = {"inputs": inputs.tolist(), "outputs": outputs.tolist()}
    exported = model.as_onnx(verbose=False).eval()
    for suffix, dynamo in (("", False), ("-dynamo", True)):
        torch.onnx.export(
            exported,
            exported.get_dummy_inputs(),
            HERE / f"{name}{suffix}.onnx",
            export_params=True,
            opset_version=18,
            input_names=exported.input_names,
            output_names=exported.output_names,
            dynamic_axes={} if not dynamo else None,
            dynamo=dynamo,
            **({"external_data": False} if dynamo else {}),
        )


torch.manual_seed(3)
export("mlp", MLPModel)
export("gru", RNNModel, rnn_type="gru", rnn_hidden_dim=4, rnn_num_layers=2)
export("lstm", RNNModel, rnn_type="lstm", rnn_hidden_dim=4, rnn_num_layers=1)
onnx.save_model(
    onnx.load(HERE / "lstm.onnx"),
    HERE / "external" / "lstm.onnx",
    save_as_external_data=True,
    location="lstm.onnx.data",
    size_threshold=64,
)
(HERE / "examples.json").write_text(json.dumps(examples))
