import { type ArraySpec, isPictureArray } from "./flights-spec.ts";
import type { FlightsSummary } from "./summary.ts";

const LAYOUT_NAMES = { d4rl: "D4RL", minari: "Minari", robomimic: "Isaac Lab / robomimic" };
const MOST_COMPONENTS = 16;

/** The summary for people, one fact a line. */
export function summaryText(summary: FlightsSummary): string {
  const { endings, returns, lengths, nonFinite } = summary;
  const lines = [
    `${summary.path}: recorded flights, ${LAYOUT_NAMES[summary.layout]} layout`,
    ...(summary.task === undefined ? [] : [row("task", summary.task)]),
    row("episodes", `${count(summary.episodes)}, ${count(summary.steps)} steps`),
    row(
      "lengths",
      `mean ${figure(lengths.mean)}, shortest ${lengths.least}, longest ${lengths.most}`,
    ),
    returns
      ? row(
          "returns",
          `mean ${figure(returns.mean)}, best ${figure(returns.most)}, worst ${figure(returns.least)}`,
        )
      : row("returns", "no rewards recorded"),
    row(
      "ends",
      `${percent(endings.terminated)} deaths, ${percent(endings.truncated)} time-outs, ${percent(endings.unfinished)} unfinished`,
    ),
    ...Object.entries(summary.groups).map(([name, spec]) => row(`obs ${name}`, arrayText(spec))),
    row("successors", successorText(summary)),
    row("actions", arrayText(summary.action)),
    ...actionLines(summary),
    row("notes", noteText(summary.notes)),
    row("memory", `${bytes(summary.memoryBytes)} for all steps with their successors`),
  ];
  for (const [array, { rows, first }] of Object.entries(nonFinite)) {
    const where = `episode ${first.episode}, step ${first.step}, component ${first.component}`;
    lines.push(row("NOT FINITE", `${array}: ${count(rows)} rows, the first in ${where}`));
  }
  for (const remark of summary.remarks) lines.push(row("note well", remark));
  return lines.join("\n");
}

function successorText({ successors, withoutSuccessor }: FlightsSummary): string {
  if (successors === "recorded") return "recorded at every step";
  if (withoutSuccessor === 0) return "the next observation";
  const steps = withoutSuccessor === 1 ? "1 step has" : `${count(withoutSuccessor)} steps have`;
  return `the next observation; ${steps} none, left out where one is needed`;
}

function actionLines({ action, actions }: FlightsSummary): string[] {
  const shown = Math.min(action.width, MOST_COMPONENTS);
  const lines = Array.from({ length: shown }, (_, i) => {
    const name = action.names?.[i] ?? `[${i}]`;
    const moments = `mean ${figure(actions.mean[i]!)}, std ${figure(actions.std[i]!)}`;
    const range = `${figure(actions.min[i]!)} to ${figure(actions.max[i]!)}`;
    const { low, high } = action;
    const bounds = low && high ? `, bounds ${figure(low[i]!)} to ${figure(high[i]!)}` : "";
    return row(`  ${name}`, `${moments}, ${range}${bounds}`);
  });
  const more = action.width - shown;
  return more > 0 ? [...lines, row("  …", `${more} more; --json shows all`)] : lines;
}

function arrayText(array: ArraySpec): string {
  const { width, kept, names, shape } = array;
  if (isPictureArray(array)) {
    const [height, wide, channels] = shape!;
    return `pictures of ${height} × ${wide}, ${channels} ${channels === 1 ? "channel" : "channels"}, bytes`;
  }
  const some = names?.slice(0, 6).join(" ");
  const called = some === undefined ? "" : `: ${some}${names!.length > 6 ? " …" : ""}`;
  const axes = shape ? `, [${shape}]` : "";
  return `${width} wide${axes}${kept === "uint8" ? ", bytes" : ""}${called}`;
}

function noteText(notes: FlightsSummary["notes"]): string {
  const entries = Object.entries(notes);
  if (entries.length === 0) return "none";
  return entries.map(([name, { width }]) => (width === 1 ? name : `${name} [${width}]`)).join(", ");
}

function row(label: string, text: string): string {
  return `  ${label.padEnd(16)} ${text}`;
}

function figure(value: number): string {
  return Number(value.toPrecision(4)).toString();
}

function count(value: number): string {
  return value.toLocaleString("en-GB");
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}

function bytes(size: number): string {
  if (size < 1 << 20) return `${(size / 1024).toFixed(1)} KiB`;
  if (size < 1 << 30) return `${(size / (1 << 20)).toFixed(1)} MiB`;
  return `${(size / (1 << 30)).toFixed(2)} GiB`;
}
