"""Policies whose inputs and outputs have other names, or more of them, with what onnxruntime makes of them.

    pip install onnx onnxruntime numpy
    python make_ports.py     # writes ports/*.onnx and ports/examples.json beside this file
"""

import json
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

folder = pathlib.Path(__file__).parent / "ports"
OBS, HIDDEN, ACTIONS = 5, 6, 2
random = np.random.default_rng(7)
examples = {}


def weight(name, *shape):
    return numpy_helper.from_array(random.normal(size=shape).astype(np.float32), name)


def save(name, inputs, outputs, nodes, weights, flown):
    graph = helper.make_graph(nodes, name, inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, folder / f"{name}.onnx")
    if flown is None:
        return
    observed, acted = flown
    session = onnxruntime.InferenceSession(model.SerializeToString())
    rows = random.normal(size=(3, OBS)).astype(np.float32)
    feeds = {}
    for port in session.get_inputs():
        kind = np.int64 if port.type == "tensor(int64)" else np.float32
        feeds[port.name] = np.zeros([1 if not isinstance(d, int) else d for d in port.shape], kind)
    results = [session.run([acted], {**feeds, observed: row[None]})[0][0].tolist() for row in rows]
    examples[name] = {"inputs": rows.tolist(), "outputs": results}


def floats(name, *shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def policy(observed, acted, tag=""):
    nodes = [
        helper.make_node("Gemm", [observed, f"w0{tag}", f"b0{tag}"], [f"x0{tag}"]),
        helper.make_node("Tanh", [f"x0{tag}"], [f"x1{tag}"]),
        helper.make_node("Gemm", [f"x1{tag}", f"w1{tag}", f"b1{tag}"], [acted]),
    ]
    weights = [weight(f"w0{tag}", OBS, HIDDEN), weight(f"b0{tag}", HIDDEN),
               weight(f"w1{tag}", HIDDEN, ACTIONS), weight(f"b1{tag}", ACTIONS)]
    return nodes, weights


def main():
    folder.mkdir(exist_ok=True)
    nodes, weights = policy("input", "output")
    save("other-names", [floats("input", "N", OBS)], [floats("output", "N", ACTIONS)], nodes, weights, ("input", "output"))
    nodes, weights = policy("onnx::Gemm_0", "11")
    save("no-names", [floats("onnx::Gemm_0", 1, OBS)], [floats("11", 1, ACTIONS)], nodes, weights, ("onnx::Gemm_0", "11"))
    # As Unity and mujoco_playground export them: constants and a second output beside the actions.
    nodes, weights = policy("obs", "continuous_actions")
    nodes.append(helper.make_node("Identity", ["version"], ["version_number"]))
    nodes.append(helper.make_node("Exp", ["continuous_actions"], ["deviation"]))
    save("more-outputs", [floats("obs", 1, OBS)],
         [floats("version_number", 1), floats("deviation", 1, ACTIONS), floats("continuous_actions", 1, ACTIONS)],
         nodes, [*weights, weight("version", 1)], ("obs", "continuous_actions"))
    # A motion tracker: the reference it follows comes by a step's number.
    nodes, weights = policy("obs", "actions")
    nodes.append(helper.make_node("Gather", ["motion", "time_step"], ["joint_pos"]))
    step = helper.make_tensor_value_info("time_step", TensorProto.INT64, [1])
    save("further-input", [floats("obs", 1, OBS), step], [floats("actions", 1, ACTIONS), floats("joint_pos", 1, 4)],
         nodes, [*weights, weight("motion", 9, 4)], ("obs", "actions"))
    first, first_weights = policy("left", "left_hand", "a")
    second, second_weights = policy("right", "right_hand", "b")
    save("two-of-each", [floats("left", 1, OBS), floats("right", 1, OBS)],
         [floats("left_hand", 1, ACTIONS), floats("right_hand", 1, ACTIONS)],
         [*first, *second], [*first_weights, *second_weights], ("right", "right_hand"))
    picture = [floats("picture", 1, 3, 8, 8)]
    save("of-pictures", picture, [floats("features", 1, 192)],
         [helper.make_node("Flatten", ["picture"], ["features"])], [], None)
    (folder / "examples.json").write_text(json.dumps(examples) + "\n")


main()
