import type { RunEvent } from "../metric-sink.ts";
import { printable } from "../printable.ts";
import type { ConsoleView, PhaseView } from "./console-view.ts";

/** Columns of a line, and of the labels' right edge, as rsl_rl's console up to version 3.1 has them. */
const width = 80;
const pad = 35;
const longestMessage = 4000;

/**
 * The block of one iteration, ending in an empty line. Losses are always called `Mean … loss`, also
 * before the first episode has ended, where rsl_rl prints the bare name.
 *
 * @param bold whether the title is put between a terminal's codes for bold; its column stays the same.
 */
export function iterationText(view: ConsoleView, { bold }: { readonly bold: boolean }): string {
  const { gathering, learningTime, phase, totalSteps } = view;
  const learning = `learning ${fixed(learningTime, 3)}s`;
  const times = `(${gathering.word}: ${fixed(gathering.seconds, 3)}s, ${learning})`;
  const lines = [
    "#".repeat(width),
    title(`Learning iteration ${view.iteration}/${view.maxIterations}`, bold),
    "",
    line("Computation", `${fixed(view.speed, 0)} ${view.unit} ${times}`),
    ...view.rows.map(({ label, value, digits }) =>
      line(label, digits === "free" ? free(value) : fixed(value, digits)),
    ),
    "-".repeat(width),
    ...(phase ? [...phaseLines(phase), "-".repeat(width)] : []),
    ...(totalSteps === undefined ? [] : [line("Total timesteps", fixed(totalSteps, 0))]),
    line("Iteration time", `${fixed(gathering.seconds + learningTime, 2)}s`),
    line("Time elapsed", clock(view.elapsed)),
    line("ETA", clock(view.remaining)),
  ];
  return `${lines.join("\n")}\n\n`;
}

function phaseLines({ number, label, iteration, length }: PhaseView): readonly string[] {
  return [
    line("Training Phase", label),
    line("Phase Iteration", `${iteration}/${length} (Phase ${number})`),
  ];
}

/** One line for what happened; a stage that begins gets a banner. */
export function eventText(event: RunEvent): string {
  const message = printable(event.message, longestMessage);
  const begins = event.type === "phase-switch" || event.type === "stage";
  if (!begins)
    return `[${headOf(event)}] ${message}${lengthOf(event)}${adviceOf(event)}\n${tableOf(event)}`;
  const rule = "=".repeat(width);
  return `${rule}\n  ${message}\n  Iteration: ${event.iteration}\n${rule}\n\n`;
}

/** Of what nothing is seen until it is over. */
function lengthOf({ about_seconds }: RunEvent): string {
  return typeof about_seconds === "number" ? `, about ${about_seconds} s` : "";
}

/** What was measured, where an event brings a table: its lines. */
function tableOf({ table }: RunEvent): string {
  if (typeof table !== "string") return "";
  const lines = table.split("\n").map((line) => `  ${printable(line, longestMessage)}\n`);
  return `${lines.join("")}\n`;
}

/** A monitor says its own name, and how bad it is. */
function headOf({ type, monitor, level }: RunEvent): string {
  if (type !== "monitor") return printable(type);
  return [printable(monitor) || "monitor", printable(level)].filter(Boolean).join(", ");
}

/** What to do, unless the message says it. */
function adviceOf({ advice, message }: RunEvent): string {
  const text = printable(advice, longestMessage);
  return text === "" || printable(message, longestMessage).includes(text) ? "" : ` → ${text}`;
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

/** Four digits behind the point, or where these would hide the figure four that count. */
function free(value: number): string {
  const size = Math.abs(value);
  const plain = !Number.isFinite(value) || size === 0 || (size >= 0.001 && size < 1e6);
  return plain ? fixed(value, 4) : value.toExponential(3);
}
