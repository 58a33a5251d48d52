import { statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { entries, foldersIn, timeOf } from "./folders.ts";
import { openRun } from "./open-run.ts";
import { RunError } from "./run-error.ts";
import { fetchFromWandb, isOfWandb } from "./wandb-checkpoint.ts";

/** Names of files that may hold a policy. */
const POLICY = /\.(pt|pth|onnx)$/;
/** Files of a run that is written by rsl_rl or Firstsolo. */
const CHECKPOINT = /^(model_\d+|best_model)\.pt$/;
/** Entries that a pattern looks at. */
const MOST = 100_000;

export interface FindCheckpointOptions {
  /** Folder of all experiments, for `latest`, `best` and patterns without a folder. */
  readonly logRoot: string;
  /** Which checkpoint of a run is meant where a folder is named. Default: `best`. */
  readonly prefer?: "latest" | "best";
}

/**
 * The file that a policy is meant by: a file itself; a run folder (its best checkpoint, else the last), an
 * experiment's (its last run) or a folder with policies in it; `latest` or `best` of the newest run below
 * `logRoot`; a pattern with `*`, `?` or `[…]`, of which the last match counts (100 comes after 20), or a regular
 * expression for the file's name, as Isaac Lab has it; or `wandb:ENTITY/PROJECT/RUN`, which is downloaded.
 *
 * @throws RunError that lists what is there
 */
export async function findCheckpoint(
  text: string,
  { logRoot, prefer = "best" }: FindCheckpointOptions,
): Promise<string> {
  if (isOfWandb(text)) return fetchFromWandb(text, logRoot);
  const stat = statSync(text, { throwIfNoEntry: false });
  if (stat?.isDirectory()) return inFolder(text, prefer);
  if (stat !== undefined) return text;
  if (text === "latest" || text === "best") {
    return (await openRun(newestRun(logRoot), { prefer: text })).checkpoint;
  }
  if (!/[*?[\]()|^$+]/.test(text)) return text;
  const found = last(matching(text)) ?? last(named(text, logRoot));
  if (found !== undefined) return found;
  throw new RunError(
    "no-checkpoint",
    `No policy (.pt, .pth, .onnx) matches ${JSON.stringify(text)}`,
    `Looked at ${resolve(dirname(text))} and at the newest run below ${resolve(logRoot)}.`,
  );
}

async function inFolder(folder: string, prefer: "latest" | "best"): Promise<string> {
  const files = entries(folder).flatMap((entry) => (entry.isDirectory() ? [] : [entry.name]));
  const own = files.some((name) => CHECKPOINT.test(name) || name === "run.json");
  const policies = files.filter((name) => POLICY.test(name));
  if (own || policies.length === 0) return (await openRun(folder, { prefer })).checkpoint;
  const exported = ["policy.pt", "policy.onnx"].find((name) => policies.includes(name));
  return join(folder, exported ?? last(policies)!);
}

/** Of all folders two below with a checkpoint in them the one that was changed last. */
function newestRun(logRoot: string): string {
  const runs = foldersIn(logRoot)
    .flatMap((experiment) => [experiment, ...foldersIn(experiment)])
    .flatMap((folder) => {
      const times = entries(folder).flatMap(({ name }) =>
        CHECKPOINT.test(name) ? [timeOf(join(folder, name)) ?? 0] : [],
      );
      return times.length === 0 ? [] : [{ folder, at: Math.max(...times) }];
    });
  const newest = runs.sort((a, b) => b.at - a.at)[0];
  if (newest) return newest.folder;
  throw new RunError(
    "no-such-run",
    `There is no run with a checkpoint below ${resolve(logRoot)}`,
    "Name the folder of experiments with --log_root, or the file itself.",
  );
}

/** Paths that a pattern of the shell matches, segment by segment. */
function matching(pattern: string): string[] {
  let found = [pattern.startsWith("/") ? "/" : "."];
  let looked = 0;
  for (const segment of pattern.split("/").filter((part) => part !== "" && part !== ".")) {
    const fits = globOf(segment);
    found = found.flatMap((folder) => {
      if (segment === "..") return [join(folder, "..")];
      const names = entries(folder).map(({ name }) => name);
      looked += names.length;
      if (looked > MOST) return [];
      return names.filter((name) => fits.test(name)).map((name) => join(folder, name));
    });
  }
  return found.filter((path) => POLICY.test(path));
}

function globOf(segment: string): RegExp {
  const text = segment
    .replace(/[.+^${}()|\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".")
    .replaceAll("[!", "[^");
  return compiled(`^${segment.startsWith(".") ? "" : "(?!\\.)"}${text}$`);
}

/** Files by a regular expression for their name, in the folder before it or in the newest run. */
function named(text: string, logRoot: string): string[] {
  const parent = dirname(text);
  const folder = parent === "." && !text.startsWith("./") ? newestRun(logRoot) : parent;
  const fits = compiled(`^(?:${basename(text)})$`);
  const names = entries(folder).map(({ name }) => name);
  return names
    .filter((name) => fits.test(name) && POLICY.test(name))
    .map((name) => join(folder, name));
}

function compiled(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch {
    return /(?!)/;
  }
}

/** In an order in which 100 comes after 20. */
function last(paths: readonly string[]): string | undefined {
  const key = (path: string) => path.replace(/\d+/g, (digits) => digits.padStart(15, "0"));
  return [...paths].sort((a, b) => (key(a) < key(b) ? -1 : 1)).at(-1);
}
