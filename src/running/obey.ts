import { enter, stateOf, type TrainLoop } from "./loop.ts";
import type { Request } from "./requests.ts";
import type { Progress } from "./run-state.ts";

/** Does what was asked for since the last iteration; false when the run should end here. */
export async function obey(loop: TrainLoop, progress: Progress): Promise<boolean> {
  const { requests, sink } = loop;
  const { iteration } = progress;
  let paused = false;
  for (;;) {
    const asked = requests.take();
    if (!asked && !paused) return true;
    if (!asked) {
      await requests.arrival();
      continue;
    }
    const { request, by, answer } = asked;
    const outcome = await carryOut(loop, progress, { request, paused });
    if (outcome === "done" && request === "pause") paused = true;
    if (outcome === "done" && request === "resume") paused = false;
    const message = `${request} (${by}): ${outcome}`;
    const time = Date.now() / 1000;
    sink.event({ type: "request", iteration, time, request, by, outcome, message });
    answer?.(outcome);
    if (request === "stop") return false;
  }
}

async function carryOut(
  loop: TrainLoop,
  progress: Progress,
  { request, paused }: { readonly request: Request; readonly paused: boolean },
): Promise<string> {
  switch (request) {
    case "pause":
      return paused ? "refused: the flight is paused already" : "done";
    case "resume":
      return paused ? "done" : "refused: the flight is not paused";
    case "checkpoint":
    case "stop":
      return loop.save(["asked"], await stateOf(loop, progress));
    case "next-phase": {
      const outcome = loop.plan.ask(request, progress.iteration);
      enter(loop, progress.iteration);
      return outcome;
    }
  }
}
