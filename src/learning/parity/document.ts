import { parseJson } from "../../../protocol/parse-json.ts";
import { LearningError } from "../learning-error.ts";
import type { ReplayOptions, Tolerance, UpdateError } from "./reference.ts";

/** Recorded results in a JSON document, and where it lies, for messages. */
export interface ReferenceDocument {
  readonly document: Readonly<Record<string, unknown>>;
  readonly where: string;
  /** The bytes of another file in its folder; absent: nobody knows the folder. */
  beside?(name: string): Promise<Uint8Array>;
}

/** E.g. `search`, `searches`. */
export interface Unit {
  readonly one: string;
  readonly many: string;
}

/** A kind of such documents: how to recognise one, and how to come to the same results. */
export interface DocumentKind {
  readonly form: "json";
  readonly name: string;
  /** What is repeated, for people. */
  readonly unit: Unit;
  /** Of a document that says none. */
  readonly tolerance: Tolerance;
  /** What the document itself says. @throws LearningError for one that is not whole */
  toleranceOf?(file: ReferenceDocument): Tolerance;
  /** By its content, not by its name. */
  recognises(document: ReferenceDocument["document"]): boolean;
  /** @throws LearningError for a document that is not whole */
  replay(file: ReferenceDocument, options: ReplayOptions): Promise<readonly UpdateError[]>;
}

/** JSON begins with a brace, and holds no zeros where the length in front of a safetensors header has some. */
export function isJson(bytes: Uint8Array): boolean {
  if (bytes.subarray(0, 8).includes(0)) return false;
  return /^\s*\{/.test(new TextDecoder().decode(bytes.subarray(0, 256)));
}

/** Of the recorded ones the longest has a few million. */
const mostLetters = 256 << 20;

/** @throws LearningError `bad-parity-file` */
export function readDocument(bytes: Uint8Array, where: string): ReferenceDocument {
  try {
    return {
      document: parseJson(
        new TextDecoder().decode(bytes),
        mostLetters,
      ) as ReferenceDocument["document"],
      where,
    };
  } catch (cause) {
    throw badDocument({ where }, `is no whole JSON document: ${(cause as Error).message}`, cause);
  }
}

export function badDocument(
  { where }: Pick<ReferenceDocument, "where">,
  what: string,
  cause?: unknown,
): LearningError {
  return new LearningError(
    "bad-parity-file",
    `${where} ${what}.`,
    "Give a document of recorded results, whole and as its README describes it.",
    cause === undefined ? {} : { cause },
  );
}
