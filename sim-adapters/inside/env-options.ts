import { SimError } from "./sim-error.ts";

/** What one process flies at most. */
const mostEnvs = 16_384;

/** @throws SimError `bad-num-envs` unless it is a whole number from 1 to 16384 */
export function checkNumEnvs(numEnvs: number): void {
  if (Number.isInteger(numEnvs) && numEnvs >= 1 && numEnvs <= mostEnvs) return;
  const message = `got ${numEnvs} environments, expected a whole number from 1 to ${mostEnvs}`;
  const hint = "Give it with --num_envs.";
  throw new SimError("bad-num-envs", message, { field: "num_envs", hint });
}

/** A simulator's tasks, and other spellings of their names. */
export interface TaskList<T extends { readonly name: string }> {
  readonly tasks: readonly T[];
  readonly aliases: Readonly<Record<string, string>>;
}

/** @throws SimError `unknown-task` */
export function taskNamed<T extends { readonly name: string }>(
  name: string,
  { tasks, aliases }: TaskList<T>,
): T {
  const real = Object.hasOwn(aliases, name) ? aliases[name] : name;
  const task = tasks.find((candidate) => candidate.name === real);
  if (task !== undefined) return task;
  const known = tasks.map((candidate) => candidate.name).join(", ");
  throw new SimError("unknown-task", `there is no task ${JSON.stringify(name.slice(0, 100))}`, {
    ...{ field: "task", hint: `Known: ${known}.` },
  });
}
