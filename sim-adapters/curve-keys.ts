import { readFile, stat } from "node:fs/promises";
import { EndpointError } from "./endpoint.ts";

/** CURVE keys in Z85, 40 characters each. */
export interface KeyFile {
  readonly publicKey: string;
  /** In a `.key_secret` file only. */
  readonly secretKey?: string;
}

/** What a client needs to speak to a simulator over CURVE; keys in Z85, 40 characters each. */
export interface ClientCurve {
  /** Public key of the simulator; only its owner can answer. */
  readonly serverKey: string;
  readonly publicKey: string;
  readonly secretKey: string;
}

/** From the simulator's public certificate and our own secret one. @throws EndpointError */
export async function readClientCurve(serverFile: string, ownFile: string): Promise<ClientCurve> {
  const server = await readKeyFile(serverFile, { secret: false });
  const { publicKey, secretKey = "" } = await readKeyFile(ownFile, { secret: true });
  return { serverKey: server.publicKey, publicKey, secretKey };
}

/** As ZeroMQ's sockets want it. */
export function clientCurveOptions(curve: ClientCurve | undefined) {
  if (curve === undefined) return {};
  const { serverKey, publicKey, secretKey } = curve;
  return { curveServerKey: serverKey, curvePublicKey: publicKey, curveSecretKey: secretKey };
}

/**
 * Reads a certificate as ZeroMQ's own tools write it (`zmq.auth.create_certificates`): `NAME.key` with
 * the public key, `NAME.key_secret` with both. @throws EndpointError
 */
export async function readKeyFile(path: string, { secret }: { secret: boolean }): Promise<KeyFile> {
  const hint = "Make a pair with: firstsolo keys NAME.";
  const refuse = (why: string) => new EndpointError("bad-key-file", `${path} ${why}`, hint);
  if (secret) await refuseOpenFile(path);
  const text = await readFile(path, "utf8").catch((error: Error) => {
    throw refuse(`can't be read: ${error.message}`);
  });
  const key = (name: string) =>
    new RegExp(`^\\s*${name}-key\\s*=\\s*"(.{40})"`, "m").exec(text)?.[1];
  const publicKey = key("public");
  const secretKey = key("secret");
  if (publicKey === undefined) throw refuse('holds no line public-key = "…" of 40 characters');
  if (!secret) return { publicKey };
  if (secretKey === undefined) throw refuse('holds no line secret-key = "…" of 40 characters');
  return { publicKey, secretKey };
}

/** A secret that others can read is none. @throws EndpointError */
async function refuseOpenFile(path: string): Promise<void> {
  const mode = await stat(path).then(
    (found) => found.mode,
    () => 0,
  );
  if ((mode & 0o077) === 0) return;
  const rights = (mode & 0o777).toString(8).padStart(3, "0");
  const message = `${path} holds a secret key and others may read it (mode ${rights})`;
  const hint = `chmod 600 ${path}; and make a new pair if somebody may have read it.`;
  throw new EndpointError("bad-key-file", message, hint);
}
