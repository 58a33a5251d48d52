import * as zmq from "zeromq";

export interface ZeromqFacts {
  /** Version of libzmq. */
  readonly version: string;
  /** Whether messages can be encrypted. */
  readonly curve: boolean;
  /** Loopback speed of encrypted messages; absent without CURVE. */
  readonly curveMegabytesPerSecond?: number;
  readonly plainMegabytesPerSecond: number;
}

/** One message: about what 1000 quadcopters' observations are. */
const MESSAGE = 256 * 1024;
/** Each measurement stops after so many milliseconds, or after this many messages. */
const BUDGET = 400;
const MOST = 4000;

export async function probeZeromq(): Promise<ZeromqFacts> {
  const curve = zmq.capability.curve === true;
  const plain = await loopback(false);
  return {
    version: zmq.version,
    curve,
    ...(curve ? { curveMegabytesPerSecond: await loopback(true) } : {}),
    plainMegabytesPerSecond: plain,
  };
}

/** Megabytes per second through a request and its echo, one way counted, over loopback TCP. */
async function loopback(encrypted: boolean): Promise<number> {
  const keys = encrypted ? { server: zmq.curveKeyPair(), client: zmq.curveKeyPair() } : undefined;
  const options = { linger: 0, receiveTimeout: 3000, sendTimeout: 3000 };
  const server = new zmq.Pair({
    ...options,
    ...(keys ? { curveServer: true, curveSecretKey: keys.server.secretKey } : {}),
  });
  const client = new zmq.Pair({
    ...options,
    ...(keys
      ? {
          curveServerKey: keys.server.publicKey,
          curvePublicKey: keys.client.publicKey,
          curveSecretKey: keys.client.secretKey,
        }
      : {}),
  });
  try {
    await server.bind("tcp://127.0.0.1:*");
    client.connect(server.lastEndpoint!);
    return await measure(server, client);
  } finally {
    client.close();
    server.close();
  }
}

async function measure(server: zmq.Pair, client: zmq.Pair): Promise<number> {
  const message = new Uint8Array(MESSAGE);
  const roundTrip = async () => {
    await client.send(message);
    const [received] = await server.receive();
    await server.send(received!);
    await client.receive();
  };
  await roundTrip();
  const start = performance.now();
  let count = 0;
  while (count < MOST && performance.now() - start < BUDGET) {
    await roundTrip();
    count++;
  }
  const seconds = (performance.now() - start) / 1000;
  return (2 * count * MESSAGE) / 1e6 / seconds;
}
