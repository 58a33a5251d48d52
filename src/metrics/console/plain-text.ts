import type { RunEvent } from "../metric-sink.ts";
import type { ConsoleView } from "./console-view.ts";

/** Columns of a line, and of the labels' right edge, as rsl_rl's console up to version 3.1 has them. */
const width = 80;
const pad = 35;

/**
 * The block of one iteration, ending in an empty line. Losses are always called `Mean … loss`, also
 * before the first episode has ended, where rsl_rl prints the bare name.
 *
 * @param bold whether the title is put between a terminal's codes for bold; its column stays the same.
 */
export function iterationText(view: ConsoleView, { bold }: { readonly bold: boolean }): string {
  const { collectionTime, learningTime, phase, meanReward, meanEpisodeLength } = view;
  const times = `(collection: ${fixed(collectionTime, 3)}s, learning ${fixed(learningTime, 3)}s)`;
  const lines = [
    "#".repeat(width),
    title(`Learning iteration ${view.iteration}/${view.maxIterations}`, bold),
    "",
    line("Computation", `${fixed(view.stepsPerSecond, 0)} steps/s ${times}`),
    line("Mean action noise std", fixed(view.noiseStd, 2)),
    ...view.losses.map(([name, value]) => line(`Mean ${name} loss`, fixed(value, 4))),
    ...(meanReward === undefined ? [] : [line("Mean reward", fixed(meanReward, 2))]),
    ...(meanEpisodeLength === undefined
      ? []
      : [line("Mean episode length", fixed(meanEpisodeLength, 2))]),
    ...view.extras.map(([label, value]) => line(label, fixed(value, 4))),
    "-".repeat(width),
    line("Training Phase", phase.label),
    line("Phase Iteration", `${phase.iteration}/${phase.length} (Phase ${phase.number})`),
    "-".repeat(width),
    line("Total timesteps", fixed(view.totalSteps, 0)),
    line("Iteration time", `${fixed(collectionTime + learningTime, 2)}s`),
    line("Time elapsed", clock(view.elapsed)),
    line("ETA", clock(view.remaining)),
  ];
  return `${lines.join("\n")}\n\n`;
}

/** One line for what happened; the hand-over of the controls gets a banner. */
export function eventText(event: RunEvent): string {
  const message = printable(event.message);
  if (event.type !== "phase-switch") return `[${printable(event.type)}] ${message}\n`;
  const rule = "=".repeat(width);
  return `${rule}\n  ${message}\n  Iteration: ${event.iteration}\n${rule}\n\n`;
}

/** HH:MM:SS, with more digits for the hours where a run lasts longer than two can say. */
export function clock(seconds: number): string {
  if (!Number.isFinite(seconds)) return "--:--:--";
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

/** rsl_rl centres the title together with its bold codes; without them its column stays the same. */
function title(text: string, bold: boolean): string {
  const coded = ` \u001b[1m ${text} \u001b[0m `;
  const left = " ".repeat(Math.max(0, Math.floor((width - coded.length) / 2)));
  return bold ? `${left}${coded}`.padEnd(width) : `${left}  ${text}`;
}

function line(label: string, value: string): string {
  return `${`${printable(label)}:`.padStart(pad)} ${value}`;
}

/** Python's `.Nf`. */
function fixed(value: number, digits: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  return value.toFixed(digits);
}

/** Names and messages may come from a simulator: no control code of theirs reaches the terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ");
}
