import { CodedError } from "../../protocol/coded-error.ts";

/** A configuration that can't be flown: an unknown key, a wrong type, values that contradict each other. */
export class ConfigError extends CodedError {
  override readonly name = "ConfigError";
}
