"""The Gymnasium client on a live server, whose address is the first argument."""

import sys
import unittest

import numpy as np
from firstsolo_sim import Client
from firstsolo_sim.client import FirstsoloVectorEnv
from gymnasium.vector import AutoresetMode

ENDPOINT = sys.argv.pop(1)


class VectorEnv(unittest.TestCase):
    def test_shows_what_the_lean_client_shows(self):
        rng = np.random.default_rng(2)
        actions = rng.uniform(-1, 1, (25, 5, 1)).astype("<f4")
        with Client(ENDPOINT, num_envs=5) as client:
            plain = [client.reset(9)] + [client.step(action) for action in actions]
        env = FirstsoloVectorEnv(ENDPOINT, num_envs=5)
        self.assertEqual(env.metadata["autoreset_mode"], AutoresetMode.SAME_STEP)
        shown, _ = env.reset(seed=9)
        np.testing.assert_array_equal(shown["policy"], plain[0]["policy"])
        ended = 0
        for action, step in zip(actions, plain[1:]):
            shown, reward, terminated, truncated, infos = env.step(action)
            self.assertTrue(env.observation_space.contains(shown))
            np.testing.assert_array_equal(shown["exact"], step.observations["exact"])
            np.testing.assert_array_equal(reward.astype("<f4"), step.rewards)
            mask = terminated | truncated
            self.assertEqual("final_obs" in infos, bool(mask.any()))
            if mask.any():
                ended += 1
                np.testing.assert_array_equal(infos["_final_obs"], mask)
                for row, last in enumerate(infos["final_obs"]):
                    self.assertEqual(last is not None, bool(mask[row]))
            shown["policy"][:] = 0  # copies: theirs to write to
        self.assertGreater(ended, 0)
        env.close()

    def test_one_group_is_a_plain_box(self):
        env = FirstsoloVectorEnv(ENDPOINT, num_envs=2, groups=["exact"])
        shown, _ = env.reset()
        self.assertEqual((shown.shape, env.single_action_space.shape), ((2, 1), (1,)))
        env.close()

    def test_nothing_needs_torch_or_gymnasium_until_asked_for(self):
        import subprocess

        code = "import sys, firstsolo_sim; assert not {'torch', 'gymnasium'} & set(sys.modules)"
        subprocess.run([sys.executable, "-c", code], check=True)


if __name__ == "__main__":
    unittest.main()
