import { CheckpointError, PolicyError } from "../../policies/policy-error.ts";
import type { RankerConfig } from "../../policies/rankers/ranker.ts";
import { readRankerConfig } from "../algorithms/offline/slates/ranker-file.ts";
import { RunError } from "../runs/run-error.ts";

/** What a file says of the ranker in it; undefined where it holds none, whatever it holds. */
export async function rankerIn(file: string): Promise<RankerConfig | undefined> {
  try {
    return await readRankerConfig(file);
  } catch (error) {
    const none = error instanceof RunError && error.code === "not-a-ranker";
    if (none || error instanceof CheckpointError) return undefined;
    throw error;
  }
}

/** Prints it. @throws PolicyError where something is to be flown: latents come from an agent */
export function inspectRanker(
  file: string,
  config: RankerConfig,
  { act, json }: { readonly act?: string; readonly json?: boolean },
): void {
  if (act !== undefined) {
    throw new PolicyError(
      "bad-example",
      `${file} is the ranker ${config.ranker}, which makes slates of an agent's latents`,
      "Train an agent upon it: firstsolo train_agent --ranker_checkpoint FILE.",
    );
  }
  if (json) {
    console.log(JSON.stringify({ file, kind: "ranker", ...config }));
    return;
  }
  const { ranker, latentWidth, items, itemWidth, slots, embeddings, seed, task, dataset } = config;
  const rows = [
    ["latents", `${latentWidth} numbers each, of which slates of ${slots} items are made`],
    ["items", `${items} of ${task}, ${itemWidth} numbers each, ${embeddings}`],
    ["learned from", `${dataset}, seed ${seed}`],
  ] as const;
  const lines = rows.map(([label, text]) => `  ${label.padEnd(14)} ${text}`);
  console.log([`${file}: the ranker ${ranker}`, ...lines].join("\n"));
}
