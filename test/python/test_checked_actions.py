"""Which actions a simulator is given."""

import unittest
import warnings

import numpy as np
from firstsolo_sim.protocol import MAX_MAGNITUDE, ProtocolError
from firstsolo_sim.request_check import checked_actions


def actions(value=0.0, at=(0, 0), shape=(3, 2)):
    array = np.full(shape, 0.5, "<f4")
    array[at] = value
    return array


class CheckedActions(unittest.TestCase):
    def setUp(self):
        warnings.simplefilter("error")

    def test_lets_every_size_up_to_the_limit_pass(self):
        for value in (0.0, -1.0, 1e-40, 1e14, -1e14, 9.99e14, -9.99e14, np.float32(MAX_MAGNITUDE)):
            given = actions(value)
            self.assertIs(checked_actions(given, (3, 2)), given)

    def test_refuses_what_is_beyond_wherever_it_stands(self):
        shape = (5000, 4)
        for value in (np.nan, np.inf, -np.inf, 1.001e15, -1.001e15, 3e38):
            for row in (0, 2047, 2048, 4999):
                with self.assertRaisesRegex(ProtocolError, f"environment {row} ") as caught:
                    checked_actions(actions(value, (row, 3), shape), shape)
                self.assertEqual(caught.exception.code, "bad-value")

    def test_refuses_other_kinds(self):
        for given in (None, actions().astype("f8"), actions(shape=(2, 3)), actions().astype(">f4")):
            with self.assertRaises(ProtocolError) as caught:
                checked_actions(given, (3, 2))
            self.assertEqual(caught.exception.code, "bad-tensor")


if __name__ == "__main__":
    unittest.main()
