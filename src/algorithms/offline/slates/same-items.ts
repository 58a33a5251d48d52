import { itemsOf } from "../../../../sim-adapters/slates/items-word.ts";
import { slatesTasks } from "../../../../sim-adapters/slates/tasks.ts";
import { RunError } from "../../../runs/run-error.ts";

/** Whose items somebody's ids mean; undefined where that is not known. */
export interface Items {
  /** For people. */
  readonly who: string;
  readonly variant: string | undefined;
  /** Undefined: any. */
  readonly seed: number | undefined;
}

/** By the words of a specification. */
export function itemsIn(
  who: string,
  spec: { readonly capabilities: readonly string[] } | undefined,
): Items {
  const key = spec && itemsOf(spec);
  return { who, variant: key?.variant, seed: key?.seed };
}

/** By the name of a task: whichever catalogue it was told. */
export function itemsNamed(who: string, task: string): Items {
  const found = slatesTasks.find(({ name }) => name === task);
  return { who, variant: found?.variant, seed: undefined };
}

/** Ids of one catalogue are other items in another. @throws RunError `other-items` */
export function refuseOtherItems(all: readonly Items[]): void {
  const known = all.filter(({ variant }) => variant !== undefined);
  for (const [i, one] of known.entries()) {
    for (const other of known.slice(i + 1)) {
      const seeds = one.seed !== undefined && other.seed !== undefined && one.seed !== other.seed;
      if (one.variant === other.variant && !seeds) continue;
      throw new RunError(
        "other-items",
        `${one.who} is about ${textOf(one)}, ${other.who} about ${textOf(other)}: the same ids mean other items`,
        "Take logged slates, a ranker and an environment of one catalogue, e.g. all of diffuse_topdown.",
      );
    }
  }
}

function textOf({ variant, seed }: Items): string {
  return seed === undefined ? `${variant} items` : `${variant} items of catalogue ${seed}`;
}
