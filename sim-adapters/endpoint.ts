import { connect } from "node:net";
import { setTimeout } from "node:timers/promises";
import { CodedError } from "../protocol/coded-error.ts";

/** An address that cannot be used, or may not be. */
export class EndpointError extends CodedError<
  "bad-endpoint" | "unprotected-endpoint" | "address-in-use" | "bad-key-file"
> {
  override readonly name = "EndpointError";
}

/** Longest path of a socket file: 108 bytes on Linux, 104 on macOS, a zero at the end. */
const longestPath = 103;

/** @throws EndpointError when it is neither `ipc://PATH` nor `tcp://HOST:PORT`. */
export function checkEndpoint(endpoint: string): void {
  const refuse = (problem: string, hint: string): never => {
    throw new EndpointError("bad-endpoint", `${JSON.stringify(endpoint)}: ${problem}`, hint);
  };
  const [, transport, address] = /^(ipc|tcp):\/\/(.+)$/.exec(endpoint) ?? [];
  if (transport === undefined || address === undefined) {
    refuse("not an endpoint", "Write ipc:///tmp/NAME.ipc or tcp://127.0.0.1:5555.");
  } else if (transport === "ipc" && Buffer.byteLength(address) > longestPath) {
    const hint = `Socket files may have at most ${longestPath} bytes in their path; use one in /tmp.`;
    refuse("the path is too long", hint);
  } else if (transport === "tcp" && !/:(\d{1,5}|\*)$/.test(address)) {
    refuse("the port is missing", "Write tcp://HOST:PORT.");
  }
}

/** Whether only this machine reaches it: a socket file, or TCP on 127.0.0.0/8, ::1 or localhost. */
export function isLocal(endpoint: string): boolean {
  if (endpoint.startsWith("ipc://")) return true;
  const host = endpoint.replace(/^tcp:\/\//, "").replace(/:[^:]*$/, "");
  return host === "localhost" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * ZeroMQ takes over a socket file that another process listens on, without a word; this asks first. A server that
 * was just closed lets go a moment later, so it asks a few times.
 *
 * @throws EndpointError `address-in-use`
 */
export async function refuseTakenFile(endpoint: string): Promise<void> {
  if (!endpoint.startsWith("ipc://")) return;
  for (let asked = 0; asked < 5; asked++) {
    if (!(await isListening(endpoint.slice("ipc://".length)))) return;
    await setTimeout(200);
  }
  const message = `${endpoint}: another process listens there`;
  throw new EndpointError("address-in-use", message, "Stop it, or choose another path.");
}

function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    const answer = (listening: boolean) => {
      probe.destroy();
      resolve(listening);
    };
    probe.once("connect", () => answer(true));
    probe.once("error", () => answer(false));
    probe.setTimeout(1000, () => answer(true));
  });
}

/**
 * Whoever listens beyond this machine must know who may come in.
 *
 * @throws EndpointError `unprotected-endpoint`
 */
export function refuseOpenDoor(bind: string, guarded: boolean): void {
  if (guarded || isLocal(bind)) return;
  const message = `${bind} can be reached from the network, and nothing says who may come in`;
  const hint =
    "Bind to ipc:// or 127.0.0.1, or give CURVE keys and the public keys of the clients.";
  throw new EndpointError("unprotected-endpoint", message, hint);
}

/**
 * Whoever flies a simulator beyond this machine must know that it is the right one, and that nobody reads along.
 *
 * @throws EndpointError `unprotected-endpoint`
 */
export function refuseOpenLine(endpoint: string, guarded: boolean): void {
  if (guarded || isLocal(endpoint)) return;
  const message = `${endpoint} is beyond this machine, and nothing protects the line`;
  const hint =
    "Give CURVE keys (train sim.curve_server_key_file=FILE sim.curve_client_key_file=FILE, conform --curve_…; firstsolo keys makes them), or say --insecure where you trust everybody in the network.";
  throw new EndpointError("unprotected-endpoint", message, hint);
}
