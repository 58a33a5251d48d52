import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseDocument } from "yaml";
import { PolicyError } from "../policy-error.ts";

/**
 * Which of a run's networks: a PPO run has an actor, a distillation run a student and a teacher.
 */
export type Role = "actor" | "student" | "teacher";

/** What a run's configuration says of one network and its checkpoint does not. */
export interface AgentConfig {
  readonly path: string;
  readonly activation?: string;
  /** Class of the output distribution, e.g. `BetaDistribution`. */
  readonly distribution?: string;
  /** Bounds that a Beta distribution is stretched to. */
  readonly actionRange?: readonly [number, number];
}

const CONFIG = join("params", "agent.yaml");
/** The folder of the file and the one above, for files in a subfolder of the run. */
const FOLDERS = 2;
const BYTES = 2 ** 20;

/**
 * Finds and reads the `params/agent.yaml` of the run that a checkpoint lies in, in the layouts of
 * rsl_rl 2 to 5.
 *
 * @throws PolicyError `bad-agent-yaml` when it is there and can't be read
 */
export async function findAgentConfig(file: string, role: Role): Promise<AgentConfig | undefined> {
  let folder = dirname(file);
  for (let i = 0; i < FOLDERS; i++) {
    const path = join(folder, CONFIG);
    const text = await readIfThere(path);
    if (text !== undefined) return parseAgentConfig(text, role, path);
    folder = dirname(folder);
  }
  return undefined;
}

/**
 * Versions 4 and 5 keep a block per network, 2 and 3 one block `policy` for all, where Firstsolo
 * has a `teacher_activation` as well.
 */
export function parseAgentConfig(text: string, role: Role, path: string): AgentConfig {
  const root = parseYaml(text, path);
  const blocks = [root[role], root.policy].filter(isObject);
  const own = isObject(root.policy) ? root.policy[`${role}_activation`] : undefined;
  const activation = [own, ...blocks.map((block) => block.activation)].find(isText);
  const cfg = blocks.map((block) => block.distribution_cfg).find(isObject);
  const distribution = cfg?.class_name;
  const range = cfg?.action_range;
  return {
    path,
    ...(activation !== undefined && { activation }),
    ...(isText(distribution) && { distribution }),
    ...(isRange(range) && { actionRange: range }),
  };
}

function parseYaml(text: string, path: string): Record<string, unknown> {
  try {
    // Isaac Lab writes Python's own tags (tuples, classes), which are read as what they wrap.
    const document = parseDocument(text, { logLevel: "silent" });
    const [error] = document.errors;
    if (error !== undefined) throw error;
    const root: unknown = document.toJS({ maxAliasCount: 100 });
    return isObject(root) ? root : {};
  } catch (cause) {
    throw new PolicyError(
      "bad-agent-yaml",
      `${path} can't be read: ${cause instanceof Error ? cause.message.split("\n")[0] : cause}`,
      "Mend the file, or move it away and name the activation with --activation.",
      { cause },
    );
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    const bytes = await readFile(path);
    if (bytes.length <= BYTES) return bytes.toString("utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new PolicyError(
      "bad-agent-yaml",
      `${path} can't be read: ${(cause as Error).message}`,
      "Make the file readable, or name the activation with --activation.",
      { cause },
    );
  }
  throw new PolicyError(
    "bad-agent-yaml",
    `${path} is larger than ${BYTES} bytes`,
    "Move it away and name the activation with --activation.",
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isRange(value: unknown): value is readonly [number, number] {
  return Array.isArray(value) && value.length === 2 && value.every((v) => Number.isFinite(v));
}
