import { CodedError } from "../../protocol/coded-error.ts";

/** What the loop refuses before it starts, or ends by: `diverged`, `no-training-rows` … */
export class RunningError extends CodedError {
  override readonly name = "RunningError";
}
