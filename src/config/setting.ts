/** A block of keys: a list is a value, and so is null. */
export function isBlock(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** One value that somebody gave for one key. */
export interface Setting {
  /** Dotted name, e.g. `algorithm.learning_rate`. */
  readonly name: string;
  readonly value: unknown;
  /** The value as it was typed, where an argument has no type of its own: `--run_name 42`. */
  readonly raw?: string;
  /** Where it came from, for people: `agent.yaml:12`, `--num_envs`. */
  readonly origin: string;
}
