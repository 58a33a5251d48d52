import { nearest } from "../../protocol/nearest.ts";
import { slatesTasks } from "../../sim-adapters/slates/tasks.ts";
import { ConfigError } from "../config/config-error.ts";

const environments = slatesTasks.map(({ name }) => environmentOf(name));

/** `diffuse_topdown`, however it is spelt, as a task: `slates-diffuse_topdown`. @throws ConfigError */
export function slateTask(name: string): string {
  const plain = name
    .toLowerCase()
    .replaceAll("-", "_")
    .replace(/^slates_/, "");
  const meant = plain.replace(/_mixed$/, "_mix");
  if (environments.includes(meant)) return `slates-${meant}`;
  const near = nearest(plain, environments);
  throw new ConfigError(
    "unknown-env",
    `--env_name is ${JSON.stringify(name)}; expected one of ${environments.join(", ")}`,
    near === undefined ? "For example --env_name diffuse_topdown." : `Did you mean ${near}?`,
  );
}

/** Of a task, as its users call it. */
export function environmentOf(task: string): string {
  return task.replace(/^slates-/, "");
}

/** `--env-name` and `train-agent` are what `--env_name` and `train_agent` are: flags spelt with underscores. */
export function withUnderscores(args: readonly string[]): readonly string[] {
  return args.map((word) => {
    const [flag = "", ...rest] = word.split("=");
    if (!/^--[a-z]/.test(flag)) return word;
    return [`--${flag.slice(2).replaceAll("-", "_")}`, ...rest].join("=");
  });
}
