import { CodedError } from "../../protocol/coded-error.ts";

/** A metric file holds bytes that its format doesn't allow. */
export class MetricFormatError extends CodedError {
  override readonly name = "MetricFormatError";
}
