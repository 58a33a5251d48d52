import { CodedError } from "../../protocol/coded-error.ts";

/** No patient can be made of this. Codes: `bad-patient`, `bad-disturbance`. */
export class PatientError extends CodedError {
  override readonly name = "PatientError";
}
