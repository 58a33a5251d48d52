import { CheckpointError } from "../policy-error.ts";
import { readProgram } from "../torchscript/read-program.ts";
import type { Head } from "./actor.ts";
import type { ActorEntries, RslRlActor } from "./actor-state.ts";
import { findWeights, keysText, unwrapped } from "./find-weights.ts";
import { remembersLate, rlGamesEntries } from "./rl-games.ts";
import { readActor } from "./rsl-rl-actor.ts";
import { TorchReader } from "./torch-reader.ts";
import {
  describe,
  isDict,
  isTensor,
  Opaque,
  OrderedDict,
  type TorchDict,
  type TorchValue,
} from "./torch-value.ts";

/**
 * Families of layouts; files of rsl_rl 4 and 5 without a noise parameter look alike and are called
 * 4.
 */
export type RslRlVersion = "2.3" | "3" | "4" | "5";

interface Common {
  readonly version: RslRlVersion;
  readonly iteration: number;
  /** What the runner kept beside the networks; None unless somebody put something there. */
  readonly infos: TorchValue;
  /** State of torch.optim, as it is in the file. */
  readonly optimiser: TorchValue;
  /** Who made it, where it was not rsl_rl or Firstsolo: completes "it is …". */
  readonly origin?: string;
  /** Between its layers, where the file itself says it. */
  readonly activation?: string;
  /** How actions come out of it, where the file itself says it. */
  readonly head?: Head;
  /** What a person should know of how it was read. */
  readonly notes?: readonly string[];
}

/** A PPO run: its critic is not read. */
export interface RslRlPpo extends Common {
  readonly kind: "ppo";
  readonly actor: RslRlActor;
}

export interface RslRlDistillation extends Common {
  readonly kind: "distillation";
  readonly student: RslRlActor;
  readonly teacher: RslRlActor;
}

/** A policy of Firstsolo's that is no network of rsl_rl's: what surrounds its layers is in `infos`. */
export interface PolicyCheckpoint extends Common {
  readonly kind: "policy";
  readonly actor: RslRlActor;
}

export type RslRlCheckpoint = RslRlPpo | RslRlDistillation | PolicyCheckpoint;

/** Where a network's parts are in the one dict of rsl_rl 2 and 3. */
interface Prefixes {
  readonly mlp: string;
  readonly rnn: string;
  readonly normaliser: string;
  /** The dict beside it in which 2.3 keeps the statistics. */
  readonly normaliserDict: string;
  readonly hasStd: boolean;
}

const OLD: Readonly<Record<"actor" | "student" | "teacher", Prefixes>> = {
  actor: {
    mlp: "actor.",
    rnn: "memory_a.rnn.",
    normaliser: "actor_obs_normalizer.",
    normaliserDict: "obs_norm_state_dict",
    hasStd: true,
  },
  student: {
    mlp: "student.",
    rnn: "memory_s.rnn.",
    normaliser: "student_obs_normalizer.",
    normaliserDict: "obs_norm_state_dict",
    hasStd: true,
  },
  teacher: {
    mlp: "teacher.",
    rnn: "memory_t.rnn.",
    normaliser: "teacher_obs_normalizer.",
    normaliserDict: "privileged_obs_norm_state_dict",
    hasStd: false,
  },
};

/** Keys of a v2 or v3 dict that belong to nothing that flies. */
const CRITIC = /^(critic|memory_c\.|critic_obs_normalizer\.)/;

/**
 * Reads a checkpoint of rsl_rl 2.3 to 5, of PPO or distillation. No code in the file is run.
 *
 * @param where what to call the file in messages
 * @throws CheckpointError naming the file, and the key where there is one
 */
export function readRslRl(bytes: Uint8Array, where: string): RslRlCheckpoint {
  const reader = new TorchReader(bytes, where);
  if (reader.isProgram) {
    const nothing = { iteration: 0, infos: null, optimiser: null };
    const origin = "a TorchScript program";
    return { ...nothing, kind: "ppo", version: "4", origin, ...readProgram(reader, where) };
  }
  const file = reader.read();
  if (!isDict(file)) throw notRslRl(where, `it holds ${describe(file)}`);
  const common = {
    iteration: iterationOf(file, where),
    infos: file.get("infos") ?? null,
    optimiser: file.get("optimizer_state_dict") ?? null,
  };
  if (file.has("model_state_dict")) return readOld(file, common, where);
  if (file.has("actor_state_dict")) {
    const state = dictAt(file, "actor_state_dict", where);
    return { ...common, ...readPpo(state, "actor_state_dict", where) };
  }
  if (file.has("policy_state_dict")) {
    const state = dictAt(file, "policy_state_dict", where);
    const entries = newEntries(state, "policy_state_dict", { ppo: false });
    const actor = readActor({ ...entries, parts: true }, where);
    return { ...common, kind: "policy", version: "5", actor };
  }
  if (file.has("student_state_dict")) return readDistillation(file, common, where);
  return readWeights(file, common, where);
}

function readPpo(state: TorchDict, name: string, where: string) {
  const actor = readActor(newEntries(state, name, { ppo: true }), where);
  return { kind: "ppo", version: versionOf(state), actor } as const;
}

function readDistillation(
  file: TorchDict,
  common: Omit<Common, "version">,
  where: string,
): RslRlDistillation {
  const student = dictAt(file, "student_state_dict", where);
  const teacher = dictAt(file, "teacher_state_dict", where);
  const entries = newEntries(teacher, "teacher_state_dict", { ppo: false });
  return {
    ...common,
    kind: "distillation",
    version: versionOf(student) === "5" ? "5" : versionOf(teacher),
    student: readActor(newEntries(student, "student_state_dict", { ppo: false }), where),
    teacher: readActor({ ...entries, mayBeEmpty: true, parts: true }, where),
  };
}

/** Weights that lie in the file without one of rsl_rl's blocks around them. */
function readWeights(
  file: TorchDict,
  common: Omit<Common, "version">,
  where: string,
): RslRlCheckpoint {
  const found = findWeights(file);
  if (found === undefined) {
    throw notRslRl(where, `its keys are ${keysText(file)}`);
  }
  const { layout, state, under = "the state dict" } = found;
  if (layout === "rl_games") return { ...common, ...readRlGames(state, where) };
  const origin = `a state dict${found.under ? ` under ${found.under}` : ""}`;
  if (layout === "old") {
    return { ...readOld(new Map([...file, ["model_state_dict", state]]), common, where), origin };
  }
  if (layout === "new") return { ...common, ...readPpo(state, under, where), origin };
  const renamed = new Map([...state].map(([key, value]) => [`mlp.${key}`, value] as const));
  const entries = { ...newEntries(renamed, under, { ppo: false }) };
  return { ...common, kind: "ppo", version: "4", actor: readActor(entries, where), origin };
}

function readRlGames(
  state: TorchDict,
  where: string,
): Omit<RslRlPpo, keyof Common> & Pick<Common, "version" | "origin" | "notes"> {
  if (remembersLate(state)) {
    throw new CheckpointError(
      "unsupported-layer",
      `${where}: its GRU or LSTM sits behind the MLP (rl_games without before_mlp), which can't be flown`,
      "Export the policy to ONNX, and give that.",
    );
  }
  const actor = readActor(rlGamesEntries(state), where);
  const notes = ["rl_games clips actions to ±1 where its configuration says clip_actions"];
  return { kind: "ppo", version: "4", actor, origin: "of rl_games, PPO", notes };
}

function readOld(file: TorchDict, common: Omit<Common, "version">, where: string): RslRlCheckpoint {
  const state = dictAt(file, "model_state_dict", where);
  const version = oldVersionOf(file, state);
  const keys = [...state.keys()].map(String);
  const actor = (name: keyof typeof OLD) => readActor(oldEntries(file, state, name), where);
  if (keys.some((key) => key.startsWith("student."))) {
    const [student, teacher] = [actor("student"), actor("teacher")];
    return { ...common, kind: "distillation", version, student, teacher };
  }
  if (keys.some((key) => key.startsWith("actor."))) {
    return { ...common, kind: "ppo", version, actor: actor("actor") };
  }
  throw notRslRl(where, `model_state_dict has ${keys.slice(0, 12).join(", ") || "no keys"}`);
}

/** One network's values in the dict of v2 and v3, under the names of v5. */
function oldEntries(file: TorchDict, state: TorchDict, name: keyof typeof OLD): ActorEntries {
  const own = OLD[name];
  const others = Object.values(OLD).filter((prefixes) => prefixes !== own);
  const values = new Map<string, { key: string; value: TorchValue }>();
  const statistics = file.get(own.normaliserDict);
  if (isDict(statistics)) {
    for (const [key, value] of statistics) {
      values.set(`obs_normalizer.${key}`, { key: `${own.normaliserDict} ${key}`, value });
    }
  }
  const isNoise = (key: string) => key === "std" || key === "log_std";
  for (const [rawKey, value] of state) {
    const key = String(rawKey);
    const renamed = rename(key, own);
    if (renamed !== undefined) values.set(renamed, { key, value });
    else if (isNoise(key) && own.hasStd) values.set(key, { key, value });
    else if (!isNoise(key) && !CRITIC.test(key) && !others.some((other) => rename(key, other))) {
      values.set(key, { key, value });
    }
  }
  return { values, name: `model_state_dict ${own.mlp.slice(0, -1)}`, doubled: name === "actor" };
}

function rename(key: string, { mlp, rnn, normaliser }: Prefixes): string | undefined {
  if (key.startsWith(mlp)) return `mlp.${key.slice(mlp.length)}`;
  if (key.startsWith(rnn)) return `rnn.rnn.${key.slice(rnn.length)}`;
  if (key.startsWith(normaliser)) return `obs_normalizer.${key.slice(normaliser.length)}`;
  return undefined;
}

/**
 * A PPO actor without noise parameters puts them out; a student or teacher may have no noise at
 * all, unless the file names a distribution.
 */
function newEntries(state: TorchDict, name: string, { ppo }: { ppo: boolean }): ActorEntries {
  const values = new Map(
    [...state].map(([key, value]) => [String(key), { key: `${name} ${key}`, value }] as const),
  );
  return { values, name, doubled: ppo || hasModule(state, "distribution") };
}

function versionOf(state: TorchDict): "4" | "5" {
  const named = [...state.keys()].some((key) => String(key).startsWith("distribution."));
  return named || hasModule(state, "distribution") ? "5" : "4";
}

function oldVersionOf(file: TorchDict, state: TorchDict): "2.3" | "3" {
  if (file.has("obs_norm_state_dict")) return "2.3";
  const modules = ["actor_obs_normalizer", "student_obs_normalizer"];
  const named = [...state.keys()].some((key) => modules.includes(String(key).split(".")[0] ?? ""));
  return named || modules.some((module) => hasModule(state, module)) ? "3" : "2.3";
}

/** Torch names every module of a network beside its weights, those without weights too. */
function hasModule(state: TorchDict, module: string): boolean {
  const metadata = state instanceof OrderedDict ? state.attributes.get("_metadata") : undefined;
  return isDict(metadata) && metadata.has(module);
}

/** A number that is none of ours to judge, such as an object, counts as 0. */
function iterationOf(file: TorchDict, where: string): number {
  const found = file.get("iter") ?? file.get("epoch") ?? 0;
  if (found instanceof Opaque) return 0;
  const value = isTensor(found) && found.shape.length === 0 ? Number(found.data[0]) : found;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new CheckpointError(
    "wrong-type",
    `${where}: iter is ${describe(value)}, expected a whole number from 0`,
    "Use a checkpoint that rsl_rl has saved.",
  );
}

function dictAt(file: TorchDict, key: string, where: string): TorchDict {
  const value = file.get(key);
  if (isDict(value)) return unwrapped(value);
  throw new CheckpointError(
    file.has(key) ? "wrong-type" : "missing-key",
    `${where}: ${key} is ${file.has(key) ? describe(value) : "missing"}, expected a dict of tensors`,
    "Use a checkpoint that rsl_rl has saved.",
  );
}

function notRslRl(where: string, what: string): CheckpointError {
  return new CheckpointError(
    "not-rsl-rl",
    `${where}: ${what}; expected model_state_dict (rsl_rl 2 and 3), actor_state_dict or student_state_dict (4 and 5), a2c_network (rl_games), or the weights actor.0.weight …, mlp.0.weight … themselves`,
    "Give a model_*.pt or best_model.pt that rsl_rl, rl_games or Firstsolo has saved, or export the policy to ONNX.",
  );
}
