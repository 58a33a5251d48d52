"""What the server remembers of a step it would read again in the same way."""

import unittest

import numpy as np
from firstsolo_sim import protocol
from firstsolo_sim.request_check import check_request
from firstsolo_sim.step_memory import StepMemory

SESSION = "abcdefghijkl"


def step(seq, more=None, actions=None):
    header = {**(more or {}), "type": "step", "seq": seq, "session": SESSION}
    array = np.arange(6, dtype="<f4").reshape(3, 2) if actions is None else actions
    return [b"peer", *map(bytes, protocol.encode(header, {"actions": array}))]


def thoroughly(frames):
    header, tensors = protocol.decode(frames[1:])
    return check_request(header), tensors


def memory_of(frames):
    memory = StepMemory()
    memory.learn(frames, thoroughly(frames)[0])
    return memory


class Recall(unittest.TestCase):
    def same(self, recalled, frames):
        request, tensors = thoroughly(frames)
        self.assertEqual(recalled[0], request)
        self.assertEqual(list(recalled[1]), list(tensors))
        for name, array in tensors.items():
            self.assertEqual(recalled[1][name].dtype, array.dtype)
            np.testing.assert_array_equal(recalled[1][name], array)

    def test_reads_other_numbers_and_actions_as_the_thorough_way_does(self):
        memory = memory_of(step(300))
        for seq in (301, 65_535, 128):
            frames = step(seq, actions=np.full((3, 2), seq, "<f4"))
            recalled = memory.recall(frames)
            if seq == 128:
                self.assertIsNone(recalled)  # of another width
            else:
                self.same(recalled, frames)

    def test_leaves_everything_else_to_the_thorough_way(self):
        memory = memory_of(step(300))
        self.assertIsNone(StepMemory().recall(step(300)))
        self.assertIsNone(memory.recall(step(301, {"more": 1})))
        self.assertIsNone(memory.recall(step(301, actions=np.zeros((2, 3), "<f4"))))
        self.assertIsNone(memory.recall(step(301)[:-1]))
        self.assertIsNone(memory.recall([*step(301)[:-1], b"short"]))

    def test_takes_nothing_that_the_thorough_way_refuses_whichever_bit_is_flipped(self):
        memory, frames = memory_of(step(300)), step(301)
        taken = 0
        for bit in range(8 * len(frames[1])):
            packed = bytearray(frames[1])
            packed[bit // 8] ^= 1 << bit % 8
            damaged = [frames[0], bytes(packed), *frames[2:]]
            recalled = memory.recall(damaged)
            if recalled is not None:
                taken += 1
                self.same(recalled, damaged)
        self.assertEqual(taken, 16)

    def test_refuses_the_number_0(self):
        frames = step(300)
        zero = frames[1].replace(b"\xcd\x01\x2c", b"\xcd\0\0")
        self.assertIsNone(memory_of(frames).recall([frames[0], zero, *frames[2:]]))

    def test_is_not_misled_by_the_letters_of_the_key_in_a_text(self):
        for text in ("\u00a3seq\u0378xyz", "\u00a3seq\u033cy", "\u00a3seq"):
            frames = step(300, {"note": text})
            recalled = memory_of(frames).recall(step(301, {"note": text}))
            self.assertIsNone(recalled)
            self.assertIsNone(memory_of(frames).recall(step(301, {"note": text.replace("x", "z")})))


if __name__ == "__main__":
    unittest.main()
