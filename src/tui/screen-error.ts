import { CodedError } from "../../protocol/coded-error.ts";

/** The screen can't be shown. Codes: `no-terminal`, `unknown-ui`. */
export class ScreenError extends CodedError {
  override readonly name = "ScreenError";
}
