import { Dealer } from "zeromq";

/** Milliseconds in which the end of a socket has surely been told. */
const farewell = 500;

/**
 * A DEALER that is watched through its `events`. ZeroMQ names a socket's monitor after its place in memory, and a closed
 * one keeps the name until it is reaped: where the name is taken, another socket has another place.
 */
export function openObserved(options: ConstructorParameters<typeof Dealer>[0]): Dealer {
  const unlucky: Dealer[] = [];
  try {
    for (;;) {
      const socket = new Dealer(options);
      try {
        if (!socket.events.closed) return socket;
      } catch (error) {
        if (unlucky.push(socket) > 32) throw error;
      }
    }
  } finally {
    for (const socket of unlucky) socket.close();
  }
}

/**
 * The observer goes last, and not at once: ZeroMQ tells it of the socket's end, and one that is gone holds up the thread
 * that tells, for ever and for all sockets. And it must go: now and then it misses the end and would keep the process alive.
 */
export function closeObserved(socket: Dealer): void {
  const observer = socket.events;
  socket.close();
  setTimeout(() => observer.close(), farewell).unref();
}
