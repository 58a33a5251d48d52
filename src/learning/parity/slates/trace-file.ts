import { z } from "zod";
import type { SardineParameters } from "../../../../sim-adapters/slates/sardine-rules.ts";

const finite = z.number();
const positive = z.number().positive();
const count = z.int().positive();
/** Its state keeps topics and turns in bytes. */
const small = z.int().positive().max(255);
const share = z.number().min(0).max(1);
const absent = z
  .null()
  .or(z.undefined())
  .transform(() => null);

const parameters = z.looseObject({
  num_items: count,
  num_topics: small,
  slate_size: count,
  episode_length: count.optional(),
  click_model: z.string(),
  click_prop: finite.default(1),
  env_propensities: z.array(finite).or(absent),
  env_alpha: finite,
  env_offset: finite,
  env_slope: finite,
  env_omega: finite,
  env_embedds: z.string().nullish(),
  rel_threshold: finite.or(absent),
  rel_penalty: z.boolean().or(absent.transform(() => false)),
  diversity_penalty: finite,
  diversity_threshold: finite,
  recent_items_maxlen: small,
  boredom_threshold: positive,
  boredom_moving_window: small,
  boredom_type: z.string(),
});

const id = z.int().min(0);
const click = z.literal([0, 1]);

const step = z.looseObject({
  slate: z.array(id).min(1),
  clicks: z.array(click),
  relevances: z.array(share).optional(),
  state: z.array(finite).optional(),
});

const episode = z.looseObject({
  initial_user: z.array(finite),
  reset_slate: z.array(id),
  reset_clicks: z.array(click),
  reset_state: z.array(finite).optional(),
  steps: z.array(step).min(1),
});

/** Episodes of SARDINE with all that is needed to repeat them. */
export const sardineTrace = z.looseObject({
  parameters,
  tolerance: positive.optional(),
  /** The file of the items, beside this one. */
  items: z
    .string()
    .regex(/^[\w.-]+$/, "expected the name of a file beside it")
    .optional(),
  propensities: z.array(finite).optional(),
  max_score: finite.optional(),
  item_topics: z.array(id).optional(),
  episodes: z.array(episode).min(1),
});

export type SardineTrace = z.output<typeof sardineTrace>;
export type SardineEpisode = SardineTrace["episodes"][number];

export function lawsOf({ parameters: all }: SardineTrace): SardineParameters {
  return { ...all, rel_penalty: all.rel_penalty === true };
}
