import { type Context, Reply } from "zeromq";
import { ServeError } from "./serve-error.ts";

/** CURVE keys of a server, in Z85 (40 characters each). */
export interface ServerCurve {
  readonly publicKey: string;
  readonly secretKey: string;
  /** Public keys of the clients that may come in. */
  readonly allowedClients: readonly string[];
}

/**
 * Lets in only the listed clients. CURVE without this encrypts, but admits anyone who knows the server's public key.
 * Must run before the server's socket binds; one per context. See RFC 27 (ZAP).
 */
export async function guard(context: Context, curve: ServerCurve): Promise<() => void> {
  const allowed = new Set(curve.allowedClients.map((key) => z85Decode(key).toString("hex")));
  const door = new Reply({ context, linger: 0 });
  await door.bind("inproc://zeromq.zap.01");
  void answer(door, allowed);
  return () => door.close();
}

async function answer(door: Reply, allowed: ReadonlySet<string>): Promise<void> {
  try {
    for await (const [version, id, , , , mechanism, key] of door) {
      const known =
        mechanism?.toString() === "CURVE" && key !== undefined && allowed.has(key.toString("hex"));
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
