import { CheckpointError } from "../policy-error.ts";
import type { RslRlActorState } from "./actor-state.ts";
import { stateDict } from "./state-dict.ts";
import { readTorchFile, writeTorchFile } from "./torch-file.ts";
import { isDict, isList, isTensor, type TorchDict, type TorchValue } from "./torch-value.ts";

export interface PpoState {
  readonly actor: RslRlActorState;
  readonly iteration: number;
  readonly infos: TorchValue;
  readonly base?: PpoBase | undefined;
}

/** What a student lacks to be trained on by PPO. */
export interface PpoBase {
  readonly critic: TorchDict;
  readonly optimiser: TorchValue;
  /** How its actor holds its noise: a strict load wants the same. */
  readonly stdType: "scalar" | "log" | undefined;
  /** Parameters of its actor: they come first in the optimiser. */
  readonly actorParameters: number;
}

/**
 * The checkpoint of a PPO run of rsl_rl 4 or 5, with its critic. @throws CheckpointError `no-critic`
 */
export function readPpoBase(bytes: Uint8Array, where: string): PpoBase {
  const file = readTorchFile(bytes, where);
  const [actor, critic] = ["actor_state_dict", "critic_state_dict"].map((key) =>
    isDict(file) ? file.get(key) : undefined,
  );
  if (!isDict(file) || !isDict(actor) || !isDict(critic)) {
    throw new CheckpointError(
      "no-critic",
      `${where} has no actor_state_dict and critic_state_dict, as PPO of rsl_rl 4 and 5 writes them`,
      "Give a model_N.pt of the teacher's own PPO run, or leave --base out: the actor alone is then written.",
    );
  }
  const names = [...actor.keys()].map(String);
  const stdType = names.some((name) => name.includes("log_std"))
    ? "log"
    : names.some((name) => /(^|\.)std/.test(name))
      ? "scalar"
      : undefined;
  const optimiser = file.get("optimizer_state_dict") ?? null;
  return { critic, optimiser, stdType, actorParameters: parametersIn(actor) };
}

/**
 * What `OnPolicyRunner.save` of rsl_rl 4 or 5 writes, with this actor: `runner.load(path)` where there is a base,
 * `runner.load(path, load_cfg={"actor": True})` without. The base's moments of its critic stay, those of its actor
 * belong to another one.
 */
export function writePpo(
  { actor, iteration, infos, base }: PpoState,
  version: "4" | "5",
): Uint8Array {
  const held = base?.stdType && actor.std ? { ...actor, stdType: base.stdType } : actor;
  const state = stateDict(held, version);
  const own = parametersIn(state);
  return writeTorchFile(
    new Map<string, TorchValue>([
      ["actor_state_dict", state],
      ...(base === undefined
        ? []
        : ([
            ["critic_state_dict", base.critic],
            ["optimizer_state_dict", withoutActor(base, own)],
          ] as const)),
      ["iter", iteration],
      ["infos", infos],
    ]),
  );
}

/** Tensors that are stepped: statistics of observations are not. */
function parametersIn(state: TorchDict): number {
  return [...state].filter(
    ([name, value]) => isTensor(value) && !String(name).startsWith("obs_normalizer."),
  ).length;
}

/** With places for another actor's parameters, whose moments begin anew. */
function withoutActor({ optimiser, actorParameters: before }: PpoBase, own: number): TorchValue {
  const state = isDict(optimiser) ? optimiser.get("state") : undefined;
  const groups = isDict(optimiser) ? optimiser.get("param_groups") : undefined;
  const group = isList(groups) && groups.length === 1 ? groups[0] : undefined;
  const places = isDict(group) ? group.get("params") : undefined;
  if (!isDict(optimiser) || !isDict(state) || !isDict(group) || !isList(places)) return optimiser;
  const count = places.length - before + own;
  const moved = [...state].flatMap(([key, entry]): [number, TorchValue][] =>
    Number(key) < before ? [] : [[Number(key) - before + own, entry]],
  );
  const params = Array.from({ length: count }, (_, place) => place);
  const changed = new Map([...group, ["params", params] as const]);
  return new Map([...optimiser, ["state", new Map(moved)], ["param_groups", [changed]]]);
}
