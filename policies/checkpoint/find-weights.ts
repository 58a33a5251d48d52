import {
  isDict,
  isTensor,
  OrderedDict,
  type TorchDict,
  type TorchKey,
  type TorchValue,
} from "./torch-value.ts";

/** Where people put a state dict, besides under rsl_rl's own names. */
const CONTAINERS = [
  "actor_critic",
  "state_dict",
  "model",
  "policy",
  "actor",
  "student",
  "agent",
  "net",
  "network",
  "module",
];
const DEPTH = 3;

/** Names that weights have in the layouts that are known. */
const LAYOUTS = [
  ["old", /^(actor|student)\.\d+\.weight$/],
  ["new", /^mlp\.\d+\.weight$/],
  ["rl_games", /^a2c_network\./],
  ["sequential", /^\d+\.weight$/],
] as const;

export type Layout = (typeof LAYOUTS)[number][0];

/** A state dict that lies alone or in a container, its names freed of wrappers. */
export interface FoundWeights {
  readonly layout: Layout;
  readonly state: TorchDict;
  /** Key of the container; absent: the file is the state dict. */
  readonly under?: string;
}

/** The first state dict of a known layout. */
export function findWeights(file: TorchDict, depth = 0): FoundWeights | undefined {
  const state = unwrapped(file);
  const keys = tensorKeys(state);
  for (const [layout, pattern] of LAYOUTS) {
    if (keys.some((key) => pattern.test(key))) return { layout, state };
  }
  // The module of an algorithm, whose actor lies deeper: alg.actor_critic.actor.0.weight.
  const deeper = keys.map((key) => /^(.+\.)(?:actor|student)\.\d+\.weight$/.exec(key)?.[1]);
  const prefix = deeper.find((found) => found !== undefined);
  if (prefix !== undefined) {
    const renamed = renamedKeys(state, (key) =>
      key.startsWith(prefix) ? key.slice(prefix.length) : key,
    );
    return { layout: "old", state: renamed };
  }
  if (depth === DEPTH) return undefined;
  for (const under of CONTAINERS) {
    const value = file.get(under);
    const found = isDict(value) ? findWeights(value, depth + 1) : undefined;
    if (found) return { ...found, under };
  }
  return undefined;
}

/** Without what DataParallel (`module.`) and torch.compile (`_orig_mod.`) put before and between names. */
export function unwrapped(state: TorchDict): TorchDict {
  return renamedKeys(state, (key) => key.replace(/(^|\.)(?:(?:module|_orig_mod)\.)+/g, "$1"));
}

function renamedKeys(state: TorchDict, rename: (key: string) => string): TorchDict {
  const same = (key: TorchKey) => typeof key !== "string" || rename(key) === key;
  if ([...state.keys()].every(same)) return state;
  const change = (entries: TorchDict) => {
    const changed = new Map<TorchKey, TorchValue>();
    for (const [key, value] of entries) {
      const name = typeof key === "string" ? rename(key) : key;
      if (!changed.has(name)) changed.set(name, value);
    }
    return changed;
  };
  const dict = new OrderedDict(change(state));
  const metadata = state instanceof OrderedDict ? state.attributes.get("_metadata") : undefined;
  // Modules are named as their weights are, without the dot behind.
  const modules = (entries: TorchDict) =>
    new Map([...entries].map(([key, value]) => [rename(`${key}.`).replace(/\.$/, ""), value]));
  if (isDict(metadata)) dict.attributes = new Map([["_metadata", modules(metadata)]]);
  return dict;
}

function tensorKeys(state: TorchDict): string[] {
  return [...state].flatMap(([key, value]) =>
    typeof key === "string" && isTensor(value) ? [key] : [],
  );
}

/** Keys of a dict for messages, and those of the dicts in it: `state_dict (cnn.0.weight), epoch`. */
export function keysText(dict: TorchDict): string {
  const text = (key: TorchKey) => String(key).slice(0, 60);
  const shown = [...dict].slice(0, 12).map(([key, value]) => {
    if (!isDict(value) || value.size === 0) return text(key);
    const inside = [...value.keys()].slice(0, 4).map(text).join(", ");
    return `${text(key)} (${inside}${value.size > 4 ? ", …" : ""})`;
  });
  return shown.join(", ") || "none";
}
