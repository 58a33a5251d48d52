import type { EnvSpec, TensorSpec } from "../../protocol/spec.ts";
import type { Rules } from "../inside/setting-rules.ts";
import { usualCatalogueSeed, type Variant, variants } from "./items.ts";
import { itemsWord } from "./items-word.ts";
import { clickModels } from "./laws.ts";
import { episodeTurns, itemCount, slateLength, topicCount, topicWidth } from "./sizes.ts";

type ClickModelName = keyof typeof clickModels;

export interface SlatesTask {
  readonly name: string;
  readonly variant: Variant;
  readonly model: ClickModelName;
}

const models = Object.keys(clickModels) as ClickModelName[];

/** Names in the order in which they are listed. */
export const slatesTasks: readonly SlatesTask[] = variants.flatMap((variant) =>
  models.map((model) => ({ name: `slates-${variant}_${model}`, variant, model })),
);

/** Other spellings of each. */
export const slatesAliases: Readonly<Record<string, string>> = Object.fromEntries(
  slatesTasks.flatMap(({ name }) => {
    const spellings = name.endsWith("_mix") ? [name, `${name}ed`] : [name];
    const all = spellings.flatMap((spelling) => [
      ...[spelling, spelling.replaceAll("_", "-"), spelling.replaceAll("-", "_")],
    ]);
    return all.filter((alias) => alias !== name).map((alias) => [alias, name]);
  }),
);

export const slatesRules = {
  /** Which 1000 items there are. */
  "sim.catalogue_seed": {
    ...{ kind: "whole", fallback: usualCatalogueSeed, least: 0, most: 0xffff_ffff },
  },
} as const satisfies Rules;

/** Columns of the groups, in their order. */
const slots = Array.from({ length: slateLength }, (_, rank) => `slate.${rank}`);
const clicks = slots.map((slot) => slot.replace("slate", "click"));
const perTopic = (name: (topic: number) => readonly string[]) =>
  Array.from({ length: topicCount }, (_, topic) => name(topic)).flat();
const userColumns = [
  ...perTopic((topic) => Array.from({ length: topicWidth }, (_, k) => `user.${topic}.${k}`)),
  ...perTopic((topic) => [`recent.${topic}`]),
  ...perTopic((topic) => [`timer.${topic}`]),
];

export function specOf(task: SlatesTask, numEnvs: number, catalogueSeed: number): EnvSpec {
  return {
    task: task.name,
    numEnvs,
    // A turn lasts as long as it lasts.
    controlPeriod: 1,
    maxEpisodeSteps: episodeTurns,
    autoreset: "same_step",
    observations: { policy: tensorOf([...slots, ...clicks]), user: tensorOf(userColumns) },
    action: {
      ...tensorOf(slots),
      low: slots.map(() => 0),
      high: slots.map(() => itemCount - 1),
    },
    capabilities: ["bitwise", "snapshot", itemsWord({ ...task, seed: catalogueSeed })],
  };
}

function tensorOf(names: readonly string[]): TensorSpec {
  return { dtype: "<f4", shape: [names.length], names, units: names.map(() => "1") };
}
