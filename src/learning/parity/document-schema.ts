import type { z } from "zod";
import { badDocument, type ReferenceDocument } from "./document.ts";

/** What a schema makes of a document. @throws LearningError `bad-parity-file` that names the field */
export function parsedDocument<S extends z.ZodType>(
  schema: S,
  { document, where }: ReferenceDocument,
): z.output<S> {
  const parsed = schema.safeParse(document);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  throw badDocument({ where }, `at ${pathText(path)}: ${message}`);
}

/** `cases[2].patient.age` */
function pathText(path: readonly PropertyKey[]): string {
  const parts = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`));
  return parts.join("").replace(/^\./, "") || "its top";
}

/** A number that a text says behind a name: `Kp 0.11, Ti 159`. */
export function saidIn(text: string, name: string): number | undefined {
  const found = new RegExp(`(?:^|[\\s,;(])${name}[ =]+(-?\\d+(?:\\.\\d*)?(?:[eE][-+]?\\d+)?)`).exec(
    text,
  );
  return found ? Number(found[1]) : undefined;
}
