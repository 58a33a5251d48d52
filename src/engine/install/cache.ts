import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { isRunning } from "../../disk/is-running.ts";
import { EngineError, reasonOf } from "../engine-error.ts";

const MANIFEST = "manifest.json";
const FORMAT = 1;

interface CachedFile {
  /** Relative to the entry. */
  readonly path: string;
  /** bytes */
  readonly size: number;
  readonly sha256: string;
  /** When it was last changed, milliseconds: a file of the same size and time is not read again. */
  readonly changed: number;
}

interface Manifest {
  readonly format: number;
  readonly files: readonly CachedFile[];
}

/** `FIRSTSOLO_CACHE`, or `firstsolo` in `XDG_CACHE_HOME`, or in `~/.cache`. */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  if (env.FIRSTSOLO_CACHE) return resolve(env.FIRSTSOLO_CACHE);
  return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "firstsolo");
}

/**
 * Looks at an entry. `thorough` reads every byte; otherwise only files whose size or time differs from
 * the manifest's are read. Returns what is wrong, or undefined for a sound entry.
 */
export async function faultOf(
  entry: string,
  options: { readonly thorough?: boolean } = {},
): Promise<string | undefined> {
  const manifest = await readManifest(entry);
  if (typeof manifest === "string") return manifest;
  for (const file of manifest.files) {
    const path = join(entry, file.path);
    const found = await stat(path).catch(() => undefined);
    if (found === undefined) return `${file.path} is missing`;
    if (found.size !== file.size) return `${file.path} has ${found.size} of ${file.size} bytes`;
    if (!options.thorough && Math.abs(found.mtimeMs - file.changed) < 2) continue;
    if ((await sha256OfFile(path)) !== file.sha256) return `${file.path} has other content`;
  }
  return undefined;
}

async function readManifest(entry: string): Promise<Manifest | string> {
  let text: string;
  try {
    text = await readFile(join(entry, MANIFEST), "utf8");
  } catch {
    return "not there";
  }
  try {
    const manifest = JSON.parse(text) as Manifest;
    if (manifest.format !== FORMAT) return `manifest of format ${manifest.format}, not ${FORMAT}`;
    if (!Array.isArray(manifest.files) || manifest.files.length === 0) return "an empty manifest";
    return manifest;
  } catch (error) {
    return `unreadable manifest (${reasonOf(error)})`;
  }
}

/**
 * Makes the entry `root/name`: `fill` writes into a fresh folder beside it, the manifest is written
 * last, and one rename publishes it. Killed at any point, this leaves the old entry or none.
 */
export async function makeEntry(
  root: string,
  name: string,
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  const entry = join(root, name);
  await sweep(root, name);
  const work = join(root, `.making-${name}-${process.pid}-${crypto.randomUUID().slice(0, 8)}`);
  try {
    await mkdir(work, { recursive: true });
  } catch (error) {
    throw new EngineError(
      "cache-unusable",
      `can't write in the cache ${root}: ${reasonOf(error)}`,
      "Make that folder writable, or point FIRSTSOLO_CACHE at one that is.",
      { cause: error },
    );
  }
  try {
    await fill(work);
    await writeManifest(work);
    await publish(work, entry);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return entry;
}

async function writeManifest(folder: string): Promise<void> {
  const files: CachedFile[] = [];
  for (const path of await filesUnder(folder)) {
    const full = join(folder, path);
    const { size, mtimeMs } = await stat(full);
    files.push({ path, size, sha256: await sha256OfFile(full), changed: mtimeMs });
  }
  const manifest: Manifest = { format: FORMAT, files };
  await writeFile(join(folder, MANIFEST), `${JSON.stringify(manifest, null, 1)}\n`);
}

async function publish(work: string, entry: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const aside = `${entry}.old-${crypto.randomUUID().slice(0, 8)}`;
    await rename(entry, aside).catch(() => {});
    try {
      await rename(work, entry);
      return;
    } catch (error) {
      // Another install may have put its own there in between: equal, and as good as ours.
      if ((await faultOf(entry)) === undefined) return;
      if (attempt === 2) throw error;
    } finally {
      await rm(aside, { recursive: true, force: true });
    }
  }
}

/** Takes away what killed installs of this entry left behind. */
async function sweep(root: string, name: string): Promise<void> {
  for (const found of await readdir(root).catch(() => [])) {
    const making = found.startsWith(`.making-${name}-`);
    const pid = Number(found.slice(`.making-${name}-`.length).split("-")[0]);
    if ((making && !isRunning(pid)) || found.startsWith(`${name}.old-`)) {
      await rm(join(root, found), { recursive: true, force: true });
    }
  }
}

/** Paths of the plain files below a folder, relative to it, sorted. */
export async function filesUnder(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  const walk = async (inside: string): Promise<void> => {
    const entries = await readdir(join(folder, inside), { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const path = inside === "" ? entry.name : `${inside}/${entry.name}`;
      if (entry.isDirectory()) await walk(path);
      else if (entry.isFile()) found.push(path);
    }
  };
  await walk("");
  return found.sort();
}

export async function bytesUnder(folder: string): Promise<number> {
  let bytes = 0;
  for (const path of await filesUnder(folder)) {
    bytes += await stat(join(folder, path)).then(
      (found) => found.size,
      () => 0,
    );
  }
  return bytes;
}

export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    hash.update(chunk as Buffer);
  }
  return hash.digest("hex");
}
