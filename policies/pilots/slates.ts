import type { Frame } from "../../protocol/frame.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import type { Flown, Memory, Policy } from "../policy.ts";
import { PolicyError } from "../policy-error.ts";
import { Random } from "../random.ts";
import { bestItems, bestOfTopics, type Items, scoresOf } from "./slate-choice.ts";

/**
 * Who recommends slates without any training. `random`: uniform ids. `oracle`: the ten items that
 * this user likes best now, whatever it will tire of. `logging`: each slot uniform with probability
 * ½, else the oracle's. `greedy`: the best ten with at most two of a main topic. All but the first
 * see the user, which nobody does in earnest.
 */
export const slatePilots = ["random", "logging", "oracle", "greedy"] as const;
export type SlatePilot = (typeof slatePilots)[number];

export function isSlatePilot(name: string | null): name is SlatePilot {
  return (slatePilots as readonly (string | null)[]).includes(name);
}

export interface SlatePilotOptions {
  readonly name: SlatePilot;
  readonly spec: EnvSpec;
  /** What ids of the task mean; undefined: nobody knows. */
  readonly items: Items | undefined;
}

/** The privileged group that shows the user, topics that bore as zeros. */
const group = "user";
export const slatePilotReads: readonly string[] = [group];
const mostOfTopic = 2;
const exploration = 0.5;

/**
 * A pilot of the slates tasks. Drawing is a pure function of what is seen, of the pilot and of the
 * turn, which is all of its memory; so the same episode is flown alike whoever else is there.
 *
 * @throws PolicyError `other-task` where no slates are recommended, or no `user` is shown
 */
export function createSlatePilot({ name, spec, items }: SlatePilotOptions): Policy {
  const { observations, action } = spec;
  const columns = observations[group]?.names ?? [];
  const slots = action.names ?? [];
  if (items === undefined || !slots.every((slot) => slot.startsWith("slate."))) {
    throw otherTask(name, spec);
  }
  if (columns.filter((column) => column.startsWith("user.")).length !== items.width) {
    throw unseenUser(name, spec);
  }
  const chooser = new Chooser(name, items, slots.length);
  return {
    reads: slatePilotReads,
    observationWidth: columns.length,
    actionWidth: slots.length,
    initialMemory: (numEnvs) => [new Float32Array(numEnvs)],
    act: async (frame, memory) => recommend(chooser, frame, memory, columns.length),
    dispose: () => {},
  };
}

function recommend(chooser: Chooser, frame: Frame, memory: Memory, width: number): Flown {
  const rows = frame.started.length;
  const seen = frame.observations[group];
  if (seen?.length !== rows * width || seen instanceof Uint8Array) {
    throw new PolicyError(
      "observation-width",
      `a pilot of slates reads ${width} numbers from the group '${group}', got ${seen === undefined ? "no such group" : seen.length / rows}`,
      "Fly it in the task that it was made for.",
    );
  }
  const turns = memory[0]!.slice();
  const slates: number[] = [];
  for (let row = 0; row < rows; row++) {
    if (frame.started[row] === 1) turns[row] = 0;
    const user = seen.subarray(row * width, (row + 1) * width);
    slates.push(...chooser.choose(user, turns[row]!++));
  }
  return { actions: Float32Array.from(slates), memory: [turns] };
}

class Chooser {
  readonly #name: SlatePilot;
  readonly #items: Items;
  readonly #length: number;
  readonly #scores: Float64Array;
  readonly #user: Float64Array;

  constructor(name: SlatePilot, items: Items, length: number) {
    this.#name = name;
    this.#items = items;
    this.#length = length;
    this.#scores = new Float64Array(items.mainTopic.length);
    this.#user = new Float64Array(items.width);
  }

  /** A slate for one user, whose row begins with its taste. */
  choose(row: Float32Array, turn: number): readonly number[] {
    const [name, length] = [this.#name, this.#length];
    if (name === "random") return this.#explored(Array(length).fill(0), seedOf(row, turn, name), 1);
    this.#user.set(row.subarray(0, this.#user.length));
    scoresOf(this.#user, this.#items, this.#scores);
    if (name === "greedy") {
      const { mainTopic } = this.#items;
      return bestOfTopics(this.#scores, length, { mainTopic, most: mostOfTopic });
    }
    const best = bestItems(this.#scores, length);
    return name === "oracle" ? best : this.#explored(best, seedOf(row, turn, name), exploration);
  }

  /** Each slot with this probability any item, else what is there. */
  #explored(slate: readonly number[], seed: number, probability: number): number[] {
    const { uniform } = new Random(seed);
    const count = this.#scores.length;
    return slate.map((item) => (uniform() < probability ? Math.floor(count * uniform()) : item));
  }
}

/** FNV-1a over the bits of what is seen. */
function seedOf(row: Float32Array, turn: number, name: string): number {
  const words = new Uint32Array(row.slice().buffer);
  let hash = 0x811c9dc5;
  const mix = (word: number) => {
    hash = Math.imul(hash ^ word, 0x01000193);
    hash ^= hash >>> 15;
  };
  for (const word of words) mix(word);
  mix(turn);
  for (let k = 0; k < name.length; k++) mix(name.charCodeAt(k));
  return hash >>> 0;
}

function otherTask(name: SlatePilot, { task, action }: EnvSpec): PolicyError {
  return new PolicyError(
    "other-task",
    `the pilot '${name}' recommends slates of items that it knows; the actions of task '${task}' are [${(action.names ?? []).join(", ")}]`,
    "It flies the slates tasks only: --task slates-diffuse_topdown. Name another pilot or file for this one.",
  );
}

function unseenUser(name: SlatePilot, { task, observations }: EnvSpec): PolicyError {
  return new PolicyError(
    "other-task",
    `the pilot '${name}' sees the user in the group '${group}'; task '${task}' shows ${Object.keys(observations).join(", ")}`,
    "Ask the simulator for that group too.",
  );
}
