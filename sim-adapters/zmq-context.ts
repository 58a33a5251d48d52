import { Context } from "zeromq";

/**
 * One for the whole process. A context has two threads and a handful of descriptors, and ZeroMQ gives them back only
 * when the garbage collector finds it: one per connection would be a leak.
 */
export const zmqContext = new Context();
// 1023 by default: the sockets of a closed connection count until ZeroMQ's own thread has reaped them.
zmqContext.maxSockets = Math.max(zmqContext.maxSockets, 16_384);
