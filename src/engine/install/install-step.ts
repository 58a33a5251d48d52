import { howToCall } from "../../disk/how-to-call.ts";
import {
  type InstallOptions,
  type InstallOutcome,
  installEngine,
  SLOW_FALLBACK,
} from "./install.ts";

/** The install step as a person sees it: progress lines, and at the end what they have. */
export async function runInstallStep(options: InstallOptions = {}): Promise<InstallOutcome> {
  const report = options.report ?? ((line: string) => console.error(`firstsolo: ${line}`));
  const outcome = await installEngine({ ...options, report });
  if (outcome.kind === "skipped") report("FIRSTSOLO_SKIP_TENSORFLOW is set: no TensorFlow fetched");
  if (outcome.kind === "fallback") {
    report(`no native TensorFlow: ${SLOW_FALLBACK}.`);
    report(
      `${howToCall("doctor")} says what is missing; ${howToCall("doctor", "--install")} tries again.`,
    );
  }
  return outcome;
}
