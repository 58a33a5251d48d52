/** Items of SARDINE: a number for each topic. */
export interface SardineItems {
  /** `[items, topics]` row-major. */
  readonly embeddings: Float32Array;
  readonly topics: number;
}

/** What its environments are registered with, by the names they have there. Null: not used. */
export interface SardineParameters {
  readonly slate_size: number;
  readonly click_model: string;
  readonly click_prop: number;
  /** Of a click model that has none of its own. */
  readonly env_propensities: readonly number[] | null;
  /** Share of relevance that attracts. */
  readonly env_alpha: number;
  readonly env_offset: number;
  readonly env_slope: number;
  /** What clicks leave of a user. */
  readonly env_omega: number;
  /** Scores above it are relevant and others are not; null: it is gradual. */
  readonly rel_threshold: number | null;
  /** Whether each topic that bores halves all relevance. */
  readonly rel_penalty: boolean;
  readonly diversity_penalty: number;
  readonly diversity_threshold: number;
  readonly recent_items_maxlen: number;
  readonly boredom_threshold: number;
  readonly boredom_moving_window: number;
  readonly boredom_type: string;
}

/** How likely each rank is looked at, `[slate_size]`. */
export function propensitiesOf(parameters: SardineParameters): Float64Array {
  const { slate_size: length, click_prop: decay, env_propensities } = parameters;
  const fromTop = Float64Array.from({ length }, (_, rank) => decay ** rank);
  switch (parameters.click_model) {
    case "tdPBM":
      return fromTop;
    case "mixPBM":
      return fromTop.map((chance, rank) => 0.5 * chance + 0.5 * fromTop[length - 1 - rank]!);
    default:
      return Float64Array.from(env_propensities ?? fromTop);
  }
}

/** The topic in which an item is strongest, of the first where two are alike. */
export function sardineTopics({ embeddings, topics }: SardineItems): Uint16Array {
  return Uint16Array.from({ length: embeddings.length / topics }, (_, item) => {
    const row = embeddings.subarray(item * topics, (item + 1) * topics);
    return row.indexOf(Math.max(...row));
  });
}

/** Length of the longest item: what scores are divided by. */
export function highestScore({ embeddings, topics }: SardineItems): number {
  let highest = 0;
  for (let at = 0; at < embeddings.length; at += topics) {
    highest = Math.max(highest, Math.hypot(...embeddings.subarray(at, at + topics)));
  }
  return highest;
}

/** @param score e·u / the highest score @param bored number of topics that bore */
export function sardineRelevance(
  score: number,
  bored: number,
  { env_offset, env_slope, rel_threshold, rel_penalty }: SardineParameters,
): number {
  const relevance =
    rel_threshold === null
      ? 1 / (1 + Math.exp(-env_slope * (score - env_offset)))
      : Number(score > rel_threshold);
  return rel_penalty ? relevance * 0.5 ** bored : relevance;
}

/** How likely each item is clicked. @param topics of the items of the slate */
export function clickChances(
  relevances: Float64Array,
  topics: readonly number[],
  parameters: SardineParameters,
): Float64Array {
  const { env_alpha, diversity_penalty, diversity_threshold } = parameters;
  const most = Math.max(...topics.map((topic) => topics.filter((one) => one === topic).length));
  const attraction = most >= diversity_threshold ? env_alpha / diversity_penalty : env_alpha;
  const looks = propensitiesOf(parameters);
  return relevances.map((relevance, rank) => relevance * attraction * looks[rank]!);
}
