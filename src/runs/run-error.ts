import { CodedError } from "../../protocol/coded-error.ts";

/** A run that can't be written or found. */
export class RunError extends CodedError {
  override readonly name = "RunError";
}
