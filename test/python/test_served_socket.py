"""Whose turn it is at the server's socket."""

import threading
import time
import unittest

import zmq
from firstsolo_sim import protocol
from firstsolo_sim.served_socket import Job, ServedSocket


class Turns(unittest.TestCase):
    def setUp(self):
        self.context = zmq.Context()
        self.socket = ServedSocket(self.context, "inproc://served", None, None)
        self.watch = threading.Thread(target=self.socket.watch, daemon=True)
        self.watch.start()

    def tearDown(self):
        self.socket.stopping = True
        self.watch.join(timeout=3)
        self.assertFalse(self.watch.is_alive())
        self.socket.close()
        self.context.destroy(linger=0)

    def at_work(self):
        """A request that takes long: the watch has stood in for us."""
        job = Job({"type": "step", "seq": 1, "session": "abcdefgh"}, {}, b"peer", 0.0, time.monotonic())
        self.socket._job = job
        end = time.monotonic() + 5
        while not self.socket._turn.locked():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.005)
        return job

    def test_the_watch_answers_while_the_simulation_is_at_work(self):
        job = self.at_work()
        other = self.context.socket(zmq.DEALER)
        other.rcvtimeo, other.linger = 5000, 0
        other.connect("inproc://served")
        other.send_multipart(protocol.encode({"type": "ping", "seq": 3}))
        header, _ = protocol.decode(other.recv_multipart())
        other.close(0)
        self.assertEqual((header["type"], header["seq"]), ("pong", 3))
        self.socket.finish(job)
        self.assertFalse(self.socket._wanted)

    def test_the_turn_comes_back_before_an_answer_and_before_the_next_request(self):
        for ask in (self.socket.finish, lambda job: self.socket.next_job()):
            job = self.at_work()
            self.socket.jobs.put(job)
            begun = time.monotonic()
            ask(job)
            self.assertLess(time.monotonic() - begun, 2)
            self.socket._job = None


if __name__ == "__main__":
    unittest.main()
