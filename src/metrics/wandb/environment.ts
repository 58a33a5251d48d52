/** W&B's environment variables, as far as they concern a run that is written here. */
import { homedir } from "node:os";

export type WandbMode = "offline" | "online" | "disabled";

/** What the environment asks for; a key is there only where its variable is. */
export interface WandbEnvironment {
  readonly mode?: WandbMode;
  /** Holds a folder `wandb` with the runs; `~` in front is the user's home, as W&B has it. */
  readonly directory?: string;
  readonly project?: string;
  readonly entity?: string;
  readonly name?: string;
  readonly group?: string;
  readonly jobType?: string;
  readonly notes?: string;
  readonly tags?: readonly string[];
}

/** W&B's own words, older ones among them. */
const modes: ReadonlyMap<string, WandbMode> = new Map([
  ["offline", "offline"],
  ["dryrun", "offline"],
  ["online", "online"],
  ["run", "online"],
  ["disabled", "disabled"],
]);

/** An empty variable is one that is not set. @param say is told of a value that means nothing. */
export function readWandbEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  say: (line: string) => void,
): WandbEnvironment {
  const read = (name: string) => env[name]?.trim() || undefined;
  const word = read("WANDB_MODE")?.toLowerCase();
  const mode = word === undefined ? undefined : modes.get(word);
  if (word !== undefined && mode === undefined) {
    say(
      `WANDB_MODE is ${JSON.stringify(word)}; known are ${[...modes.keys()].join(", ")}: ignored`,
    );
  }
  const tags = read("WANDB_TAGS")
    ?.split(",")
    .map((tag) => tag.trim())
    .filter((tag) => tag !== "");
  return defined({
    mode,
    directory: read("WANDB_DIR")?.replace(/^~(?=\/|$)/, () => homedir()),
    project: read("WANDB_PROJECT"),
    // rsl_rl's own name for it comes second.
    entity: read("WANDB_ENTITY") ?? read("WANDB_USERNAME"),
    name: read("WANDB_NAME"),
    group: read("WANDB_RUN_GROUP"),
    jobType: read("WANDB_JOB_TYPE"),
    notes: read("WANDB_NOTES"),
    tags,
  });
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function defined<T extends object>(fields: T): Defined<T> {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Defined<T>;
}
