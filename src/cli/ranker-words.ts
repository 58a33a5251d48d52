import { rankerNamed } from "../../policies/rankers/create-ranker.ts";
import {
  type EmbeddingKind,
  embeddingKinds,
  type RankerName,
} from "../../policies/rankers/ranker.ts";
import { usualEmbeddings } from "../algorithms/slates/train-ranker.ts";
import { ConfigError } from "../config/config-error.ts";

/** A ranker as it is typed, and whose items it takes: `TopK`, `TopK:ideal`. */
export interface RankerWords {
  readonly name: RankerName;
  /** Null: nobody said. */
  readonly embeddings: EmbeddingKind | null;
  /** For folders and tables: the kind is said where it is not the usual one. */
  readonly label: string;
}

/** @throws PolicyError `unknown-ranker`; ConfigError `bad-value` for a kind of items that there isn't */
export function rankerWords(text: string): RankerWords {
  const [ranker = "", kind, ...rest] = text.split(":");
  const name = rankerNamed(ranker);
  if (kind === undefined) return { name, embeddings: null, label: name };
  const embeddings = embeddingKinds.find((known) => known === kind);
  if (embeddings === undefined || rest.length > 0) throw noSuchItems(text);
  const usual = embeddings === usualEmbeddings(name);
  return { name, embeddings, label: usual ? name : `${name}-${embeddings}` };
}

/** The same with the kind of items that is usual, where nobody said. */
export function wholeWords({ name, embeddings }: RankerWords): string {
  return `${name}:${embeddings ?? usualEmbeddings(name)}`;
}

function noSuchItems(text: string): ConfigError {
  return new ConfigError(
    "bad-value",
    `--ranker ${text}: expected NAME, or NAME:ITEMS with ITEMS one of ${embeddingKinds.join(", ")}`,
    "For example TopK:ideal, whose items are the simulator's own.",
  );
}
