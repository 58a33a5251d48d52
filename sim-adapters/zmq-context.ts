import { Context } from "zeromq";

/**
 * One for the whole process. A context has two threads and a handful of descriptors, and ZeroMQ gives them back only
 * when the garbage collector finds it: one per connection would be a leak.
 */
export const zmqContext = new Context();
// 1023 by default: the sockets of a closed connection count until ZeroMQ's own thread has reaped them.
zmqContext.maxSockets = Math.max(zmqContext.maxSockets, 16_384);

/**
 * Messages that ZeroMQ holds for a peer that doesn't read, each way. Its thread tells ours each time half of them are through, and
 * at 2 to 4 that woke both ends at every step, for 25 µs. One step is under way at a time: more than a few only ever wait
 * when a peer is stalled.
 */
export const highWaterMark = 16;
