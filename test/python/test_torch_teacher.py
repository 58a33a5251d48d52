"""Teachers beside the physics, against what rsl_rl's own inference gives. Needs torch: run by hand, and by bench."""

import json
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

import torch
from firstsolo_sim.session_order import ServeError
from firstsolo_sim.torch_teacher import TorchTeacher

data = Path(__file__).parents[1] / "data"
teachers = Path(__file__).parents[2] / "policies" / "teachers"


def fly(path, inputs, actions, **options):
    teacher = TorchTeacher(str(path), device="cpu", actions=actions, **options)
    return teacher({"policy": torch.tensor(inputs, dtype=torch.float32)}, None)


class Teachers(unittest.TestCase):
    def test_those_of_every_version(self):
        for name in ("2.3.3-normalised", "3.3.0-normalised", "4.0.1", "5.4.2"):
            path = teachers / f"hover-rsl_rl-{name}.pt"
            example = json.loads(path.with_suffix(".json").read_text())
            outputs = torch.tensor(example["outputs"])
            flown = fly(path, example["inputs"], outputs.shape[-1])
            self.assertLess((flown - outputs).abs().max().item(), 1e-5, name)

    def test_a_beta_distribution_is_flown_by_its_mean_in_its_range(self):
        case = json.loads((data / "checkpoints" / "cases.json").read_text())["v5-ppo-beta"]
        example = case["networks"]["actor"]
        outputs = torch.tensor(example["outputs"]).flatten(0, 1)
        inputs = torch.tensor(example["inputs"]).flatten(0, 1).tolist()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model_1.pt"
            shutil.copy(data / "checkpoints" / "v5-ppo-beta.pt", path)
            actions = outputs.shape[-1]
            # Mean and noise, or a Beta distribution's parameters: the file alone does not say.
            with self.assertRaises(ServeError):
                fly(path, inputs, actions, activation=case["activation"])
            (path.parent / "params").mkdir()
            head = {"class_name": "BetaDistribution", "action_range": case["beta"]}
            actor = {"activation": case["activation"], "distribution_cfg": head}
            (path.parent / "params" / "agent.yaml").write_text(json.dumps({"actor": actor}))
            self.assertLess((fly(path, inputs, actions) - outputs).abs().max().item(), 1e-5)

    def test_an_activation_is_never_guessed(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model_1.pt"
            shutil.copy(teachers / "hover-rsl_rl-4.0.1.pt", path)
            with self.assertRaises(ServeError) as caught:
                fly(path, [[0.0] * 12], 4)
            self.assertIn("--teacher_activation", caught.exception.hint)
            fly(path, [[0.0] * 12], 4, activation="elu")


if __name__ == "__main__":
    print(sys.version, torch.__version__, file=sys.stderr)
    unittest.main()
