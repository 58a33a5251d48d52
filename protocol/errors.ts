import { CodedError } from "./coded-error.ts";

/** What this room can refuse; every word but `invalid-spec` and `not-little-endian` is also a code of an `error` reply. */
export type ProtocolErrorCode =
  | "malformed"
  | "too-large"
  | "unknown-type"
  | "version-mismatch"
  | "bad-tensor"
  | "bad-value"
  | "invalid-spec"
  | "unknown-setting"
  | "bad-setting"
  | "unknown-group"
  | "not-little-endian";

export interface ProtocolErrorDetail {
  /** Where: a path into the header such as `spec.action.low`, or `tensors.actions`. */
  readonly field: string;
  /** What to do next; the page that says what belongs there, if left out. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** A message, or a value about to become one, is not what protocol/README.md says. */
export class ProtocolError extends CodedError<ProtocolErrorCode> {
  override readonly name = "ProtocolError";
  readonly field: string;

  /** `problem`: what was got and what was expected; the field is put in front of it. */
  constructor(code: ProtocolErrorCode, problem: string, detail: ProtocolErrorDetail) {
    const { field, hint = "protocol/README.md says what belongs there." } = detail;
    super(code, `${field}: ${problem}`, hint, detail);
    this.field = field;
  }
}
