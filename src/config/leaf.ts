import { z } from "zod";

/** What every key says about itself: for error messages and for the help of the command line. */
export interface LeafNotes {
  /** Completes "expected …". */
  readonly expects: string;
  /** One line for people, with the unit. */
  readonly doc: string;
}

export const million = 1_000_000;

interface Range {
  readonly least: number;
  readonly most: number;
}

function key<T extends z.ZodType>(schema: T, expects: string, doc: string) {
  return schema.meta({ expects, doc } satisfies LeafNotes);
}

export function whole(fallback: number, { least, most }: Range, doc: string) {
  const schema = z.number().int().min(least).max(most).default(fallback);
  return key(schema, `a whole number from ${least} to ${most}`, doc);
}

export function maybeWhole({ least, most }: Range, doc: string) {
  const schema = z.number().int().min(least).max(most).nullable().default(null);
  return key(schema, `a whole number from ${least} to ${most}, or null`, doc);
}

export function positive(fallback: number, doc: string) {
  return key(z.number().positive().default(fallback), "a number above 0", doc);
}

export function maybePositive(fallback: number | null, doc: string) {
  const schema = z.number().positive().nullable().default(fallback);
  return key(schema, "a number above 0, or null", doc);
}

export function maybeNumber(doc: string) {
  return key(z.number().nullable().default(null), "a number, or null", doc);
}

export function notNegative(fallback: number, doc: string) {
  return key(z.number().min(0).default(fallback), "a number, 0 or above", doc);
}

export function maybeNotNegative(doc: string) {
  const schema = z.number().min(0).nullable().default(null);
  return key(schema, "a number, 0 or above, or null", doc);
}

/** At least 0 and below 1. */
export function share(fallback: number, doc: string) {
  return key(z.number().min(0).lt(1).default(fallback), "a number from 0 to below 1", doc);
}

/** 0 to 1, both included. */
export function portion(fallback: number, doc: string) {
  return key(z.number().min(0).max(1).default(fallback), "a number from 0 to 1", doc);
}

export function flag(fallback: boolean, doc: string) {
  return key(z.boolean().default(fallback), "true or false", doc);
}

export function oneOf<const T extends readonly [string, ...string[]]>(
  words: T,
  fallback: T[number],
  doc: string,
) {
  const schema = z.enum(words).default(fallback as never);
  return key(schema, `one of ${words.join(", ")}`, doc);
}

export function oneOfNumbers<const T extends readonly [number, ...number[]]>(
  numbers: T,
  fallback: T[number],
  doc: string,
) {
  const literal = z.literal([...numbers] as T[number][]).default(fallback as never);
  // In a YAML file a version may stand in quotes.
  const schema = z.preprocess(numberIn, literal) as unknown as typeof literal;
  return key(schema, `one of ${numbers.join(", ")}`, doc);
}

function numberIn(value: unknown): unknown {
  return typeof value === "string" && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value;
}

export function maybeOneOf<const T extends readonly [string, ...string[]]>(words: T, doc: string) {
  const schema = z.enum(words).nullable().default(null);
  return key(schema, `one of ${words.join(", ")}, or null`, doc);
}

export function text(fallback: string, doc: string) {
  return key(z.string().min(1).default(fallback), "text", doc);
}

export function maybeText(doc: string) {
  return key(z.string().min(1).nullable().default(null), "text, or null", doc);
}

/** Text that becomes part of a folder's name, so that it can't lead out of its parent. */
export function folderName(fallback: string, doc: string) {
  const schema = z
    .string()
    .regex(/^([A-Za-z0-9_][\w.+=@ -]{0,127})?$/)
    .default(fallback);
  const expects = "up to 128 letters, digits, _ - . + = @ or blanks, the first a letter or digit";
  return key(schema, expects, doc);
}

export function widths(fallback: readonly number[], doc: string) {
  const schema = z.array(z.number().int().min(1).max(16384)).min(1).max(32);
  const expects = "a list of 1 to 32 whole numbers from 1 to 16384, such as [128, 128, 128]";
  return key(schema.default([...fallback]), expects, doc);
}

export function maybeNames(doc: string) {
  const schema = z.array(z.string().min(1)).min(1).nullable().default(null);
  return key(schema, "a list of names, or null", doc);
}
