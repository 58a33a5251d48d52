import { Context, Dealer } from "zeromq";
import { stepFrames } from "./trivial-frames.ts";

export interface BareTrip {
  trip(): Promise<void>;
  close(): void;
}

/** A step's bytes there and back through ZeroMQ, with no protocol and nobody who looks at them. */
export function bareTrip(endpoint: string, numEnvs: number): BareTrip {
  const socket = new Dealer({ context: new Context(), linger: 0, receiveTimeout: 5000 });
  socket.connect(endpoint);
  const frames = stepFrames(numEnvs);
  return {
    trip: async () => {
      await socket.send(frames);
      await socket.receive();
    },
    close: () => socket.close(),
  };
}
