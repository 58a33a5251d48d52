import { open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { curveKeyPair } from "zeromq";
import { EndpointError } from "./endpoint.ts";

export interface MadeKeys {
  /** `NAME.key`, for everybody. */
  readonly publicFile: string;
  /** `NAME.key_secret`, 0600, for its owner. */
  readonly secretFile: string;
}

/**
 * A new CURVE pair in two files of the form of ZeroMQ's own certificates. What is there already stays as it is.
 *
 * @throws EndpointError `bad-key-file`
 */
export async function makeKeys(folder: string, name: string): Promise<MadeKeys> {
  if (!/^[\w][\w.-]{0,60}$/.test(name)) {
    const hint = "Letters, digits, points and dashes: firstsolo keys robot.";
    throw new EndpointError("bad-key-file", `${JSON.stringify(name)} names no key`, hint);
  }
  const { publicKey, secretKey } = curveKeyPair();
  const publicLine = `    public-key = "${publicKey}"\n`;
  const secretLine = `    secret-key = "${secretKey}"\n`;
  const publicFile = join(folder, `${name}.key`);
  const secretFile = join(folder, `${name}.key_secret`);
  const head = (what: string) =>
    `# A CURVE key of ZeroMQ, made by firstsolo keys: ${what}\ncurve\n`;
  await write(secretFile, `${head("keep it secret")}${publicLine}${secretLine}`, 0o600);
  try {
    await write(publicFile, `${head("give it away")}${publicLine}`, 0o644);
  } catch (error) {
    await unlink(secretFile);
    throw error;
  }
  return { publicFile, secretFile };
}

/** Never over a file, nor through a link: a key that is lost can't be made again. */
async function write(path: string, text: string, mode: number): Promise<void> {
  try {
    const file = await open(path, "wx", mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    const message = `${path} can't be made: ${(cause as Error).message}`;
    const hint = "Choose another name, or a folder of your own: --folder.";
    throw new EndpointError("bad-key-file", message, hint, { cause });
  }
}
