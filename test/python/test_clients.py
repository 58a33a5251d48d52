"""The Gymnasium client on a live server, whose address is the first argument."""

import os
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


class SharedMemory(unittest.TestCase):
    """The way through memory and the way by frames bring the same, also where the first breaks off midway."""

    def fly(self, mode, midway=lambda lane: None):
        with Client(ENDPOINT, num_envs=5, shared_memory=mode) as client:
            seen = [client.reset(9)]
            rng = np.random.default_rng(2)
            for i in range(25):
                if i == 12:
                    midway(client._memory._lane)
                step = client.step(rng.uniform(-1, 1, (5, 1)).astype("<f4"))
                seen.append({**step.observations, "reward": step.rewards, "rows": step.final_rows})
            return seen, client._memory._lane is not None

    def check(self, midway, *, kept):
        frames, _ = self.fly("off")
        shared, still = self.fly("on", midway)
        for one, other in zip(frames, shared):
            self.assertEqual(list(one), list(other))
            for name in one:
                np.testing.assert_array_equal(one[name], other[name])
        self.assertEqual(still, kept)

    def test_brings_the_same_arrays(self):
        self.check(lambda lane: None, kept=True)

    def test_goes_on_where_the_file_was_cut_short(self):
        self.check(lambda lane: os.ftruncate(lane._file, 100), kept=True)

    def test_goes_on_with_frames_where_the_simulator_reads_an_older_record(self):
        def silent(lane):
            described = lane.put(1, {"actions": np.zeros((5, 1), "<f4")})
            lane.put = lambda seq, tensors: described

        self.check(silent, kept=False)

    def test_goes_on_with_frames_where_a_reply_is_spoilt(self):
        def spoil(lane):
            take = lane.take

            def spoilt(seq, described):
                os.pwrite(lane._file, b"\xff", lane._in[0] + 8)
                return take(seq, described)

            lane.take = spoilt

        self.check(spoil, kept=False)


if __name__ == "__main__":
    unittest.main()
