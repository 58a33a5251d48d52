import { CodedError } from "../../protocol/coded-error.ts";

/** What the loop refuses before it starts: settings that don't fit the simulator or the policies. */
export class FlightError extends CodedError {
  override readonly name = "FlightError";
}
