import { createHash } from "node:crypto";
import { type Dirent, lstatSync, readdirSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { getJson } from "./control-files.ts";
import { RunError } from "./run-error.ts";
import { RunFolder } from "./run-folder.ts";

export interface OpenRunOptions {
  /** Python regular expression that a run's folder name begins with; the last match in alphabetical order is taken. Default `.*`. */
  readonly load_run?: string;
  /** The same for the file in it. Default: the checkpoint with the highest iteration, or the best one. */
  readonly checkpoint?: string;
  /** Which checkpoint of a run is meant where none is named. Default `latest`. */
  readonly prefer?: "latest" | "best";
}

export interface OpenedRun {
  readonly run: RunFolder;
  /** Absolute path of the checkpoint that was meant. */
  readonly checkpoint: string;
}

/**
 * Finds a run by a checkpoint file, a run folder, or an experiment folder, in the last case by Isaac
 * Lab's rule for `--load_run` and `--checkpoint`. @throws RunError that lists what is there
 */
export async function openRun(path: string, options: OpenRunOptions = {}): Promise<OpenedRun> {
  const absolute = resolve(path);
  const stat = statSync(absolute, { throwIfNoEntry: false });
  if (!stat) throw notThere(absolute);
  if (stat.isFile()) {
    // A link from elsewhere belongs to the run that it leads to.
    const linked = lstatSync(absolute).isSymbolicLink();
    const checkpoint = linked ? realpathSync(absolute) : absolute;
    return { run: openFolder(dirname(checkpoint)), checkpoint };
  }
  const folder = isRun(absolute)
    ? absolute
    : join(absolute, pickRun(absolute, options.load_run ?? ".*"));
  const run = openFolder(folder);
  return { run, checkpoint: await pickCheckpoint(run, options) };
}

function notThere(path: string): RunError {
  const parent = dirname(path);
  const near = statSync(parent, { throwIfNoEntry: false })?.isDirectory()
    ? `${parent} holds ${listed(names(parent))}`
    : `${parent} isn't there either`;
  return new RunError("no-such-run", `There is no ${path}`, `${near}.`);
}

/** A run has its parameters, or at least a checkpoint: folders of rsl_rl's own runs are fine too. */
function isRun(folder: string): boolean {
  const inside = names(folder);
  return inside.some((name) => name === "run.json" || /^(model_\d+|best_model)\.pt$/.test(name));
}

function openFolder(path: string): RunFolder {
  return new RunFolder(path, savedId(path) ?? derivedId(path));
}

function savedId(path: string): string | undefined {
  const id = getJson(join(path, "run.json"), 1 << 20)?.id;
  return typeof id === "string" && /^[a-z0-9]{8}$/.test(id) ? id : undefined;
}

/** The same every time for a run that another tool has made. */
function derivedId(path: string): string {
  const digest = createHash("sha256").update(basename(path)).digest();
  return digest.readBigUInt64LE().toString(36).padStart(8, "0").slice(-8);
}

function pickRun(experiment: string, pattern: string): string {
  const begins = compile(pattern, "--load_run");
  const runs = entries(experiment).flatMap((entry) =>
    isFolder(experiment, entry) ? entry.name : [],
  );
  const last = runs
    .filter((name) => begins.test(name))
    .sort()
    .at(-1);
  if (last !== undefined) return last;
  const message = `No run in ${experiment} matches ${JSON.stringify(pattern)}`;
  throw new RunError("no-such-run", message, `Runs there: ${listed(runs)}.`);
}

async function pickCheckpoint(run: RunFolder, options: OpenRunOptions): Promise<string> {
  const files = names(run.path);
  const found =
    options.checkpoint === undefined
      ? await preferred(run, options.prefer ?? "latest")
      : matching(run.path, files, options.checkpoint);
  if (found !== undefined) return found;
  const wanted =
    options.checkpoint === undefined ? "" : ` that matches ${JSON.stringify(options.checkpoint)}`;
  const hint = `In that folder: ${listed(files)}.`;
  throw new RunError("no-checkpoint", `There is no checkpoint${wanted} in ${run.path}`, hint);
}

async function preferred(run: RunFolder, which: "latest" | "best"): Promise<string | undefined> {
  const latest = await run.latestCheckpoint();
  const best = await run.bestCheckpoint();
  return which === "best" ? (best ?? latest) : (latest ?? best);
}

/** Isaac Lab sorts by the name filled up with zeros to 15 places, so that 1000 comes after 900. */
function matching(folder: string, files: readonly string[], pattern: string): string | undefined {
  const begins = compile(pattern, "--checkpoint");
  const key = (name: string) => name.padStart(15, "0");
  const sorted = files
    .filter((name) => begins.test(name) && name.endsWith(".pt"))
    .sort((a, b) => (key(a) < key(b) ? -1 : 1));
  return sorted.length === 0 ? undefined : join(folder, sorted.at(-1)!);
}

/** As Python's `re.match`: anchored at the beginning only. */
function compile(pattern: string, flag: string): RegExp {
  try {
    return new RegExp(`^(?:${pattern})`);
  } catch (cause) {
    const message = `${flag} ${JSON.stringify(pattern)} is no regular expression`;
    throw new RunError("bad-pattern", message, "Name the folder or file itself.", { cause });
  }
}

function isFolder(parent: string, entry: Dirent): boolean {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return statSync(join(parent, entry.name), { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function entries(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (cause) {
    const message = `${folder} can't be read: ${(cause as Error).message}`;
    throw new RunError("no-such-run", message, "Name a run folder or a checkpoint.", { cause });
  }
}

function names(folder: string): readonly string[] {
  return entries(folder).map(({ name }) => name);
}

function listed(found: readonly string[]): string {
  if (found.length === 0) return "nothing";
  const last = [...found].sort().slice(-12);
  return `${found.length > last.length ? "…, " : ""}${last.join(", ")}`;
}
