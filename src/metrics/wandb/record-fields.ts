import { type ProtoField, protoFields } from "../../../protocol/protobuf.ts";
import { MetricFormatError } from "../metric-format-error.ts";

const decoder = new TextDecoder();

/** @throws MetricFormatError `malformed-protobuf` where the bytes are no message. */
export function fieldsOf(message: Uint8Array): readonly ProtoField[] {
  return [...protoFields(message, malformed)];
}

function malformed(what: string): MetricFormatError {
  return new MetricFormatError(
    "malformed-protobuf",
    `no protocol buffer message: ${what}`,
    "the file is damaged or was written by another program; start a new run folder",
  );
}

/** The messages of that number. */
export function messagesIn(
  fields: readonly ProtoField[],
  field: number,
): (readonly ProtoField[])[] {
  const found = fields.filter((each) => each.field === field && each.int === undefined);
  return found.map(({ bytes }) => fieldsOf(bytes));
}

/** The first field of that number as a message, a string or a number; undefined where absent. */
export function messageIn(
  fields: readonly ProtoField[],
  field: number,
): readonly ProtoField[] | undefined {
  const found = first(fields, field);
  return found && found.int === undefined ? fieldsOf(found.bytes) : undefined;
}

export function stringIn(fields: readonly ProtoField[], field: number): string | undefined {
  const found = first(fields, field);
  return found && found.int === undefined ? decoder.decode(found.bytes) : undefined;
}

export function numberIn(fields: readonly ProtoField[], field: number): number | undefined {
  return first(fields, field)?.int;
}

function first(fields: readonly ProtoField[], field: number): ProtoField | undefined {
  return fields.find((each) => each.field === field);
}
