import { randomBytes } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { Reply } from "zeromq";
import { zmqContext } from "../zmq-context.ts";
import { ServeError } from "./serve-error.ts";

/** CURVE keys of a server, in Z85 (40 characters each). */
export interface ServerCurve {
  readonly publicKey: string;
  readonly secretKey: string;
  /** Public keys of the clients that may come in. */
  readonly allowedClients: readonly string[];
}

/** One handler serves every guarded server of the context; each has a domain of its own. */
const guests = new Map<string, ReadonlySet<string>>();
let door: Promise<Reply> | undefined;

export interface Guard {
  /** For the server's socket: `zapDomain`. */
  readonly domain: string;
  /** Ends it, for this server. */
  end(): void;
}

/**
 * Lets in only the listed clients. CURVE without this encrypts, but admits anyone who knows the server's public key.
 * Must run before the server's socket binds. See RFC 27 (ZAP).
 */
export async function guard(curve: ServerCurve): Promise<Guard> {
  const allowed = new Set(curve.allowedClients.map((key) => z85Decode(key).toString("hex")));
  const domain = randomBytes(12).toString("hex");
  guests.set(domain, allowed);
  door ??= openDoor();
  await door;
  return { domain, end: () => endGuard(domain) };
}

function endGuard(domain: string): void {
  guests.delete(domain);
  if (guests.size > 0) return;
  void door?.then((socket) => socket.close()).catch(() => {});
  door = undefined;
}

/** The one before may not have let go of the name yet: ZeroMQ closes in a thread of its own. */
async function openDoor(): Promise<Reply> {
  const socket = new Reply({ context: zmqContext, linger: 0 });
  for (let tries = 0; ; tries++) {
    try {
      await socket.bind("inproc://zeromq.zap.01");
      break;
    } catch (error) {
      if (tries === 20) {
        door = undefined;
        socket.close();
        throw error;
      }
      await setTimeout(50);
    }
  }
  void answer(socket);
  return socket;
}

async function answer(door: Reply): Promise<void> {
  try {
    for await (const [version, id, domain, , , mechanism, key] of door) {
      const allowed = guests.get(domain?.toString() ?? "");
      const curve = mechanism?.toString() === "CURVE" && key !== undefined;
      const known = curve && allowed?.has(key.toString("hex")) === true;
      const verdict = known ? ["200", "OK"] : ["400", "this client's key is not on the list"];
      await door.send([version ?? "1.0", id ?? "", ...verdict, "", ""]);
    }
  } catch (error) {
    if (!door.closed) throw error;
  }
}

const alphabet =
  "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/** Five characters → four bytes, base 85, as RFC 32 has it. */
function z85Decode(key: string): Buffer {
  const digits = Array.from(key, (letter) => alphabet.indexOf(letter));
  if (key.length !== 40 || digits.includes(-1)) {
    throw new ServeError("bad-curve-key", `a key of ${key.length} characters is not Z85`, {
      hint: "CURVE keys have 40 characters; firstsolo and pyzmq's curve_keypair write them so.",
    });
  }
  const bytes = Buffer.alloc(32);
  for (let i = 0; i < 8; i++) {
    const value = digits.slice(i * 5, i * 5 + 5).reduce((sum, digit) => sum * 85 + digit, 0);
    bytes.writeUInt32BE(value % 0x1_0000_0000, i * 4);
  }
  return bytes;
}
