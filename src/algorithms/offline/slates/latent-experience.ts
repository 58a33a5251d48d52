import type { Arrays, Experience } from "../../../learning/experience.ts";
import type { Needs } from "../../../learning/learner.ts";
import { HISTORY, SEEN, USER } from "./groups.ts";
import { historyAfter, LATENTS } from "./latent-actor.ts";

/** What a collector must keep for a learner of latents. @param turns undefined: the user is what is observed */
export function latentNeeds(turns: number | undefined): Needs {
  const groups = [turns === undefined ? USER : SEEN];
  const history = turns === undefined ? [] : [HISTORY];
  return { groups, successors: groups, notes: [LATENTS, ...history] };
}

/** What was flown through a ranker as a learner of latents sees it: as `latentFlights` for recorded flights. */
export function latentExperience(flown: Experience, turns: number | undefined): Experience {
  const { steps, numEnvs, arrays } = flown;
  const rows = steps * numEnvs;
  const { [`notes/${LATENTS}`]: actions, [`notes/${HISTORY}`]: history, ...rest } = arrays;
  if (turns === undefined) return { steps, numEnvs, arrays: { ...rest, actions: actions! } };
  const slots = history!.length / rows / turns;
  const next = historyAfter(history as Float32Array, arrays[`next/${SEEN}`]!, { rows, slots });
  const seen: Arrays = { [`obs/${HISTORY}`]: history!, [`next/${HISTORY}`]: next };
  return { steps, numEnvs, arrays: { ...rest, ...seen, actions: actions! } };
}
