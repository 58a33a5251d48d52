import type { Command } from "commander";
import { howToCall } from "../disk/how-to-call.ts";
import { type Request, requests } from "../running/requests.ts";
import { postRequest } from "../runs/control.ts";
import { presenceOf } from "../runs/control-files.ts";
import { locateRun } from "../runs/locate-run.ts";
import { RunError } from "../runs/run-error.ts";
import { exitCodes } from "../training/exit-codes.ts";

const lookEvery = 100;

export function registerCtl(program: Command): void {
  program
    .command("ctl")
    .description("ask something of a run in progress")
    .argument("[run]", "run folder, or a checkpoint in it; default: the newest under logs/rsl_rl")
    .argument("[request]", requests.join(", "))
    .option("--timeout <seconds>", "how long to wait for the answer", "60")
    .addHelpText("after", `\n${codes}`)
    .action(async (first?: string, second?: string, options?: { timeout: string }) => {
      const [path, word] = second === undefined ? [undefined, first] : [first, second];
      const request = requestOf(word);
      const timeout = secondsOf(options?.timeout);
      process.exitCode = await ask(locateRun(path), request, timeout);
    });
}

const codes = `Exit code 0: done; 1: refused, or not answered in time; 2: the run is not in progress, or wrong usage.
A flight looks at requests between two iterations.`;

function requestOf(word: string | undefined): Request {
  const found = requests.find((known) => known === word);
  if (found) return found;
  const got = word === undefined ? "Nothing was asked for" : `Nobody knows ${JSON.stringify(word)}`;
  const usage = `firstsolo ctl [RUN] ${requests.join("|")}`;
  throw new RunError("unknown-request", got, usage);
}

function secondsOf(text: string | undefined): number {
  const seconds = Number(text);
  if (seconds > 0 && seconds <= 86_400) return seconds;
  const hint = "Give a number of seconds above 0 and up to a day.";
  throw new RunError("bad-setting", `--timeout ${text} is no such number`, hint);
}

async function ask(run: string, request: Request, timeout: number): Promise<number> {
  refuseNobody(run);
  const posted = postRequest(run, request, "ctl");
  const until = performance.now() + timeout * 1000;
  for (;;) {
    const outcome = posted.answer();
    if (outcome !== undefined) return report(request, run, outcome);
    const presence = presenceOf(run);
    if (presence.state === "ended" || performance.now() > until) {
      // The answer may have come between our look and its end.
      const last = posted.answer();
      if (last !== undefined) return report(request, run, last);
      const withdrawn = posted.withdraw();
      if (presence.state === "ended") throw notInProgress(run, presence.why);
      return tooLate(request, run, timeout, withdrawn);
    }
    await new Promise((resolve) => setTimeout(resolve, lookEvery));
  }
}

function refuseNobody(run: string): void {
  const presence = presenceOf(run);
  if (presence.state === "ended") throw notInProgress(run, presence.why);
  if (presence.state === "hidden") {
    throw new RunError("not-ours", presence.why, "Ask as the user who started the run.");
  }
  if (presence.state === "flying") return;
  const { pid } = presence.alive;
  process.stderr.write(
    `Process ${pid} was last heard of ${presence.silent} s ago; asking anyway.\n`,
  );
}

function notInProgress(run: string, why: string): RunError {
  const hint = `${howToCall("train", "--resume", run)} goes on with it; ${howToCall("watch", run)} shows it.`;
  return new RunError("not-in-progress", `${run} is not in progress: ${why}`, hint);
}

function report(request: Request, run: string, outcome: string): number {
  if (outcome === "done") {
    process.stdout.write(`${request}: done (${run})\n`);
    return exitCodes.ok;
  }
  process.stderr.write(`firstsolo: ${request} ${outcome}\n`);
  return exitCodes.checkFailed;
}

function tooLate(request: Request, run: string, timeout: number, withdrawn: boolean): number {
  const what = withdrawn
    ? "nobody has read it, and it is withdrawn"
    : "it was read, and may still be carried out at the end of the iteration";
  process.stderr.write(
    `firstsolo: ${request} of ${run} got no answer within ${timeout} s: ${what}\n`,
  );
  return exitCodes.checkFailed;
}
