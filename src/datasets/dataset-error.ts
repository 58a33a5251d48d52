import { CodedError } from "../../protocol/coded-error.ts";

/** What recorded flights refuse or run into; `code` for programs, `hint` says the next move. */
export class DatasetError extends CodedError {
  override readonly name = "DatasetError";
}
