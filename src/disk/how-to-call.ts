import { existsSync, realpathSync } from "node:fs";
import { delimiter, dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** What decides how a person can call this program again; of this process where it is left out. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** `firstsolo.mjs`, absolute. */
  readonly program: string;
}

/**
 * A command line of ours that works when it is pasted into the shell that this process was started from:
 * `firstsolo …` where that is on the PATH, `npx firstsolo …` in a clone or below a project that depends on
 * it, else `node …/firstsolo.mjs …`. Words that a shell would take apart are quoted.
 *
 *     howToCall("train", "--resume", run.path) // npx firstsolo train --resume logs/hover/1
 */
export function howToCall(...words: readonly string[]): string {
  return callFrom({ env: process.env, cwd: process.cwd(), program: ownProgram() }, words);
}

/** `howToCall` from elsewhere. */
export function callFrom(where: Surroundings, words: readonly string[]): string {
  return [programName(where), ...words.map(quoted)].join(" ");
}

function programName({ env, cwd, program }: Surroundings): string {
  // While npm installs us globally, the link on the PATH is yet to come.
  if (env.npm_config_global === "true" || isOnPath(env.PATH ?? "", program)) return "firstsolo";
  if (npxFinds(cwd, program)) return "npx firstsolo";
  const near = relative(cwd, program);
  return `node ${quoted(near.length < program.length ? near : program)}`;
}

/** npm and npx put folders of their own in front, which the person's shell has not. */
function isOnPath(path: string, program: string): boolean {
  return path
    .split(delimiter)
    .filter((folder) => folder !== "" && !folder.includes(`${sep}node_modules${sep}.bin`))
    .some((folder) => leadsTo(join(folder, "firstsolo"), program));
}

/** npx looks into the project around the folder: at what it depends on, and at its own commands. */
function npxFinds(cwd: string, program: string): boolean {
  for (let folder = cwd; ; folder = dirname(folder)) {
    if (leadsTo(join(folder, "node_modules", ".bin", "firstsolo"), program)) return true;
    if (existsSync(join(folder, "package.json")) || existsSync(join(folder, "node_modules"))) {
      return leadsTo(join(folder, "src", "cli", "firstsolo.mjs"), program);
    }
    if (dirname(folder) === folder) return false;
  }
}

function leadsTo(path: string, program: string): boolean {
  try {
    return realpathSync(path) === realpathSync(program);
  } catch {
    return false;
  }
}

function ownProgram(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "src/cli/firstsolo.mjs")) && dirname(folder) !== folder) {
    folder = dirname(folder);
  }
  return join(folder, "src/cli/firstsolo.mjs");
}

function quoted(word: string): string {
  return /^[\w@%+=:,./~-]+$/.test(word) && !word.startsWith("~")
    ? word
    : `'${word.replaceAll("'", `'\\''`)}'`;
}
