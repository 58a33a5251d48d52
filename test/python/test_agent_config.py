"""The runner's rules for a policy's activation, distribution and groups, on this side."""

import json
import pickle
import tempfile
import unittest
from pathlib import Path

from firstsolo_sim.agent_config import find_agent_config
from firstsolo_sim.session_order import ServeError


class Silent:
    """A class of somebody else's, in a pickle."""


class Loud:
    def __reduce__(self):
        return (exec, ("raise SystemExit('a pickle was run')",))


class Found(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.run = Path(self.folder.name) / "run"
        (self.run / "params").mkdir(parents=True)
        self.addCleanup(self.folder.cleanup)

    def put(self, name, text):
        path = self.run / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def find(self, file="model_1.pt", role="actor"):
        return find_agent_config(str(self.run / file), role)

    def test_nothing_where_nobody_says(self):
        self.assertIsNone(self.find())

    def test_a_block_of_its_own_with_pythons_tags(self):
        self.put(
            "params/agent.yaml",
            "seed: !!python/object/apply:numpy.int64 [3]\nactor:\n  class_name: !!python/name:rsl_rl.MLPModel ''\n"
            "  hidden_dims: !!python/tuple [8, 8]\n  activation: SiLU\n  distribution_cfg:\n"
            "    class_name: BetaDistribution\n    action_range: !!python/tuple [-2.0, 3.0]\n"
            "critic: {activation: tanh}\nobs_groups: {actor: [policy, extra], critic: [all]}\n",
        )
        found = self.find("exported/policy.pt")
        self.assertEqual(found.activation, "swish")
        self.assertEqual(found.distribution, "BetaDistribution")
        self.assertEqual(found.action_range, (-2.0, 3.0))
        self.assertEqual(found.groups, ["policy", "extra"])

    def test_one_block_for_all_and_one_activation_by_role(self):
        text = "policy: {activation: elu, teacher_activation: relu}\nobs_groups: {policy: [obs]}"
        self.put("params/agent.yaml", text)
        self.assertEqual(self.find(role="student").activation, "elu")
        self.assertEqual(self.find(role="teacher").activation, "relu")
        self.assertEqual(self.find().groups, ["obs"])
        self.assertIsNone(self.find(role="teacher").groups)

    def test_others_fill_up_what_is_missing(self):
        self.put("params/agent.yaml", "obs_groups: {actor: [state]}")
        self.put("params/more.yaml", "net: {activation_fn: <class 'torch.nn.LeakyReLU'>}")
        found = self.find()
        self.assertEqual((found.activation, found.groups), ("lrelu", ["state"]))
        self.assertTrue(found.path.endswith("more.yaml"))

    def test_json_beside_the_file_and_a_critic_aside(self):
        self.put("model_1.json", json.dumps({"critic": {"activation": "elu"}, "activation": "CELU"}))
        self.assertEqual(self.find().activation, "crelu")

    def test_two_activations_name_none(self):
        self.put("config.json", json.dumps({"a": {"activation": "elu"}, "b": {"activation": "relu"}}))
        self.assertIsNone(self.find())

    def test_a_pickle_is_data(self):
        silent = Silent()
        silent.policy = {"activation": "mish"}
        (self.run / "cfgs.pkl").write_bytes(pickle.dumps([1, silent, Loud()]))
        self.assertEqual(self.find().activation, "mish")

    def test_an_agent_yaml_that_is_none_is_told(self):
        self.put("params/agent.yaml", "a: [1")
        with self.assertRaises(ServeError) as caught:
            self.find()
        self.assertEqual(caught.exception.code, "bad-agent-yaml")


if __name__ == "__main__":
    unittest.main()
