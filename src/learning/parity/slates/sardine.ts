import {
  propensitiesOf,
  type SardineParameters,
} from "../../../../sim-adapters/slates/sardine-rules.ts";
import {
  type SardineCatalogue,
  SardineUser,
  sardineCatalogue,
} from "../../../../sim-adapters/slates/sardine-user.ts";
import { readSafetensors } from "../../safetensors.ts";
import { WorstError } from "../anaesthesia/worst.ts";
import { badDocument, type DocumentKind, type ReferenceDocument } from "../document.ts";
import { parsedDocument } from "../document-schema.ts";
import { lawsOf, type SardineEpisode, type SardineTrace, sardineTrace } from "./trace-file.ts";

/** Numbers of six decimals, of which relevances are the steepest function. */
const usualTolerance = 2e-5;
const usualSlope = 100;

/** Episodes of SARDINE, repeated from the clicks that were drawn. */
export const sardineParity: DocumentKind = {
  form: "json",
  name: "sardine",
  unit: { one: "episode", many: "episodes" },
  tolerance: { weights: usualTolerance, metrics: usualTolerance },
  toleranceOf(file) {
    const { tolerance, parameters } = parsedDocument(sardineTrace, file);
    const steeper = Math.max(1, Math.abs(parameters.env_slope) / usualSlope);
    const metrics = tolerance ?? usualTolerance * steeper;
    return { weights: metrics, metrics };
  },
  recognises: ({ parameters, episodes }) =>
    Array.isArray(episodes) && Object.hasOwn(Object(parameters), "boredom_type"),
  async replay(file) {
    const trace = parsedDocument(sardineTrace, file);
    const refuse = (what: string) => badDocument(file, `at ${what}`);
    const site = { trace, laws: lawsOf(trace), catalogue: await itemsOf(trace, file) };
    return trace.episodes.map((episode, i) => {
      checkSizes(episode, trace, (what) => refuse(`episodes[${i}].${what}`));
      const update = i + 1;
      return { update, ...repeat(episode, { ...site, first: i === 0 }) };
    });
  },
};

interface Site {
  readonly trace: SardineTrace;
  readonly laws: SardineParameters;
  readonly catalogue: SardineCatalogue;
  /** What the file says of itself is compared once. */
  readonly first: boolean;
}

function repeat(episode: SardineEpisode, { trace, laws, catalogue, first }: Site) {
  const metrics = new WorstError((expected) => Math.max(1, Math.abs(expected)));
  const counts = new WorstError(() => 1);
  if (first) noteFacts({ trace, laws, catalogue, metrics, counts });
  const user = new SardineUser(catalogue, laws, Float64Array.from(episode.initial_user));
  user.remember(clickedOf(episode.reset_slate, episode.reset_clicks));
  noteAll(metrics, "reset_state", user.state, episode.reset_state);
  for (const [k, { slate, clicks, relevances, state }] of episode.steps.entries()) {
    const at = `steps[${k}]`;
    noteAll(metrics, `${at}.relevances`, [...user.relevances(slate)], relevances);
    // What can't be clicked was not, and what is clicked always was.
    for (const [rank, chance] of user.chances(slate).entries()) {
      const impossible = clicks[rank] === 1 ? chance <= 0 : chance >= 1 + usualTolerance;
      counts.note(`${at}.clicks[${rank}]`, Number(impossible), 0);
    }
    user.click(clickedOf(slate, clicks));
    noteAll(metrics, `${at}.state`, user.state, state);
  }
  return { metrics: metrics.worst, counts: counts.worst };
}

type Noting = Omit<Site, "first"> & { readonly metrics: WorstError; readonly counts: WorstError };

function noteFacts({ trace, laws, catalogue, metrics, counts }: Noting): void {
  noteAll(metrics, "propensities", [...propensitiesOf(laws)], trace.propensities);
  if (trace.max_score !== undefined) {
    metrics.note("max_score", catalogue.highestScore, trace.max_score);
  }
  noteAll(counts, "item_topics", [...catalogue.mainTopic], trace.item_topics);
}

function noteAll(
  worst: WorstError,
  name: string,
  got: readonly number[],
  expected: readonly number[] | undefined,
): void {
  for (const [k, value] of expected?.entries() ?? []) worst.note(`${name}[${k}]`, got[k], value);
}

function clickedOf(slate: readonly number[], clicks: readonly number[]): readonly number[] {
  return slate.filter((_, rank) => clicks[rank] === 1);
}

/** @throws LearningError where they are missing, or of another size */
async function itemsOf(
  { items = "items.safetensors", parameters }: SardineTrace,
  file: ReferenceDocument,
): Promise<SardineCatalogue> {
  if (file.beside === undefined) throw badDocument(file, `needs ${items} beside it`);
  const { arrays } = readSafetensors(await file.beside(items), items);
  const stem = parameters.env_embedds?.replace(/\.npy$/, "") ?? "";
  const array = Object.hasOwn(arrays, stem) ? arrays[stem] : arrays.item_embeddings;
  const { num_items, num_topics: topics } = parameters;
  if (array?.shape.join() !== `${num_items},${topics}`) {
    const got = array === undefined ? Object.keys(arrays).join(", ") : `[${array.shape}]`;
    const wanted = `item_embeddings [${num_items},${topics}]`;
    throw badDocument(file, `needs ${wanted} in ${items}, which holds ${got || "nothing"}`);
  }
  return sardineCatalogue({ embeddings: Float32Array.from(array.data), topics });
}

function checkSizes(
  episode: SardineEpisode,
  { parameters }: SardineTrace,
  refuse: (what: string) => Error,
): void {
  const { slate_size, num_topics, num_items } = parameters;
  const sized = (name: string, list: readonly number[] | undefined, size: number) => {
    if (list === undefined || list.length === size) return;
    throw refuse(`${name}: has ${list.length} numbers, expected ${size}`);
  };
  const known = (name: string, slate: readonly number[]) => {
    const strange = slate.find((item) => item >= num_items);
    if (strange !== undefined) throw refuse(`${name}: there is no item ${strange}`);
  };
  sized("initial_user", episode.initial_user, num_topics);
  sized("reset_clicks", episode.reset_clicks, episode.reset_slate.length);
  sized("reset_state", episode.reset_state, 3 * num_topics);
  known("reset_slate", episode.reset_slate);
  for (const [k, { slate, clicks, relevances, state }] of episode.steps.entries()) {
    const at = `steps[${k}]`;
    sized(`${at}.slate`, slate, slate_size);
    sized(`${at}.clicks`, clicks, slate_size);
    sized(`${at}.relevances`, relevances, slate_size);
    sized(`${at}.state`, state, 3 * num_topics);
    known(`${at}.slate`, slate);
  }
}
