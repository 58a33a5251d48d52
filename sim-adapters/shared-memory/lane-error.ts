import { CodedError } from "../../protocol/coded-error.ts";

/** Memory that both sides share cannot be had, or does not hold what was announced. Tensors travel as frames then. */
export class LaneError extends CodedError<"bad-shared-memory" | "no-shared-memory"> {
  override readonly name = "LaneError";
}
