import { CodedError } from "../../protocol/coded-error.ts";

/** A sink that the configuration asks for and that can't be had. */
export class SinkError extends CodedError {
  override readonly name = "SinkError";
}
