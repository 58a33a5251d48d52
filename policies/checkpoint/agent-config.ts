import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseDocument } from "yaml";
import { wordsOf } from "../../protocol/visible.ts";
import { PolicyError } from "../policy-error.ts";
import { readPickle } from "./pickle-read.ts";
import { isDict, Opaque, TorchTuple } from "./torch-value.ts";

/**
 * Which of a run's networks: a PPO run has an actor, a distillation run a student and a teacher.
 */
export type Role = "actor" | "student" | "teacher";

/** What a run's configuration says of one network and its checkpoint does not. */
export interface AgentConfig {
  /** Of the file, or of the one that names the activation. */
  readonly path: string;
  readonly activation?: string;
  /** Class of the output distribution, e.g. `BetaDistribution`. */
  readonly distribution?: string;
  /** Bounds that a Beta distribution is stretched to. */
  readonly actionRange?: readonly [number, number];
  /** Observation groups the network was trained on, in this order. */
  readonly groups?: readonly string[];
}

const CONFIG = join("params", "agent.yaml");
/** The folder of the file and the one above, for files in a subfolder of the run. */
const FOLDERS = 2;
const BYTES = 2 ** 20;
/** Where else the activation may stand, beside the file: other learners' and Genesis' habits. */
const OTHERS = ["agent.yaml", "config.yaml", "config.yml", "config.json", "cfgs.pkl"];

/**
 * Finds and reads the configuration of the run that a policy lies in: `params/agent.yaml` in the layouts of
 * rsl_rl 2 to 5, or else what other learners put there. A file that lacks something is filled up by the next.
 *
 * @throws PolicyError `bad-agent-yaml` when params/agent.yaml is there and can't be read
 */
export async function findAgentConfig(file: string, role: Role): Promise<AgentConfig | undefined> {
  let folder = dirname(file);
  let found: AgentConfig | undefined;
  for (let i = 0; i < FOLDERS && found?.activation === undefined; i++) {
    const path = join(folder, CONFIG);
    const text = await readIfThere(path);
    if (text !== undefined)
      found = filled(found, parseAgentConfig(text.toString("utf8"), role, path));
    const beside = i === 0 ? [file.replace(/\.[^./]*$/, ".json")] : [];
    for (const other of [...(await othersIn(folder)), ...beside]) {
      if (found?.activation !== undefined) break;
      found = filled(found, await parseOther(other, role));
    }
    folder = dirname(folder);
  }
  return found;
}

function filled(first: AgentConfig | undefined, next: AgentConfig | undefined) {
  if (first === undefined || next === undefined) return first ?? next;
  return { ...next, ...first, ...(first.activation === undefined && { path: next.path }) };
}

async function othersIn(folder: string): Promise<string[]> {
  const params = await readdir(join(folder, "params")).catch((): string[] => []);
  const yaml = params
    .filter((name) => /\.ya?ml$/.test(name) && !/^(agent|env)\./.test(name))
    .sort();
  return [
    ...yaml.map((name) => join(folder, "params", name)),
    ...OTHERS.map((name) => join(folder, name)),
  ];
}

/** Nothing where the file says nothing of an activation, is no such file or can't be read: it may be anybody's. */
async function parseOther(path: string, role: Role): Promise<AgentConfig | undefined> {
  try {
    const bytes = await readIfThere(path);
    if (bytes === undefined) return undefined;
    const root = path.endsWith(".pkl")
      ? plainPickle(bytes, path)
      : parseYaml(bytes.toString("utf8"), path);
    const config = configIn(root, role, path);
    return config.activation === undefined ? undefined : config;
  } catch (error) {
    if (error instanceof PolicyError) return undefined;
    throw error;
  }
}

/**
 * Versions 4 and 5 keep a block per network, 2 and 3 one block `policy` for all, where Firstsolo
 * has a `teacher_activation` as well. Elsewhere an activation counts that is the only one named.
 */
export function parseAgentConfig(text: string, role: Role, path: string): AgentConfig {
  return configIn(parseYaml(text, path), role, path);
}

function configIn(tree: unknown, role: Role, path: string): AgentConfig {
  const root = isObject(tree) ? tree : {};
  const blocks = [root[role], root.policy].filter(isObject);
  const own = isObject(root.policy) ? root.policy[`${role}_activation`] : undefined;
  const named = [own, ...blocks.map((block) => block.activation)].find(isText);
  const activation = named ?? onlyActivation(tree);
  const cfg = blocks.map((block) => block.distribution_cfg).find(isObject);
  const distribution = cfg?.class_name;
  const range = cfg?.action_range;
  const groups = groupsIn(root.obs_groups, role);
  return {
    path,
    ...(activation !== undefined && { activation: torchName(activation) }),
    ...(isText(distribution) && { distribution }),
    ...(isRange(range) && { actionRange: range }),
    ...(groups && { groups }),
  };
}

function groupsIn(all: unknown, role: Role): readonly string[] | undefined {
  if (!isObject(all)) return undefined;
  const names = role === "teacher" ? ["teacher"] : [role, "policy"];
  return names
    .map((name) => all[name])
    .find(
      (groups): groups is string[] =>
        Array.isArray(groups) && groups.length > 0 && groups.every(isText),
    );
}

/** Of all values under `activation`, critics aside, the one that there is; undefined where they differ. */
function onlyActivation(tree: unknown): string | undefined {
  const found = new Set<string>();
  const visit = (value: unknown, depth: number): void => {
    if (depth > DEPTH || typeof value !== "object" || value === null) return;
    for (const [key, item] of Object.entries(value)) {
      if (/activation(_fn)?$/.test(key) && isText(item) && item !== "None")
        found.add(torchName(item));
      else if (!/critic|value|disc|final|output/.test(key)) visit(item, depth + 1);
    }
  };
  visit(tree, 0);
  const [only] = found;
  return found.size === 1 ? only : undefined;
}

/** `SiLU`, `torch.nn.ELU`, `<class '….LeakyReLU'>`: by rsl_rl's name. */
function torchName(name: string): string {
  const [word = name] = /[A-Za-z_]\w*(?=\W*$)/.exec(name) ?? [];
  const lower = word.toLowerCase();
  return OTHER_NAMES.get(lower) ?? lower;
}

const DEPTH = 8;
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ["silu", "swish"],
  ["leaky_relu", "lrelu"],
  ["leakyrelu", "lrelu"],
  ["celu", "crelu"],
  ["linear", "identity"],
  ["none", "identity"],
]);

/** A pickle's dicts and lists, nothing else of it. */
function plainPickle(bytes: Uint8Array, path: string): unknown {
  const nothing = { globals: new Map(), persistent: () => null, build: () => undefined };
  const plain = (value: unknown, depth: number): unknown => {
    if (depth > DEPTH) return null;
    if (value instanceof Opaque) return plain(value.state, depth + 1);
    if (value instanceof TorchTuple) return value.items.map((item) => plain(item, depth + 1));
    if (Array.isArray(value)) return value.map((item) => plain(item, depth + 1));
    if (!isDict(value)) return value;
    return Object.fromEntries(
      [...value].map(([key, item]) => [String(key), plain(item, depth + 1)]),
    );
  };
  return plain(readPickle(bytes, nothing, path), 0);
}

function parseYaml(text: string, path: string): unknown {
  try {
    // Isaac Lab writes Python's own tags (tuples, classes), which are read as what they wrap.
    const document = parseDocument(text, { logLevel: "silent", uniqueKeys: false });
    const [error] = document.errors;
    if (error !== undefined) throw error;
    return document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw new PolicyError(
      "bad-agent-yaml",
      `${path} can't be read: ${wordsOf(cause).split("\\n")[0]}`,
      "Mend the file, or move it away and name the activation with --activation.",
      { cause },
    );
  }
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    // Opening a pipe would wait for somebody to write.
    const { size } = await stat(path);
    if (size <= BYTES) return await readFile(path);
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
