/** Figures as a page in Prometheus' text format 0.0.4. */
import type { Metrics } from "../metric-sink.ts";

export interface PageFacts {
  readonly labels: Readonly<Record<string, string>>;
  /** Of the last row; undefined before the first. */
  readonly iteration: number | undefined;
  /** From 1; undefined before the first row, and where there are none. */
  readonly phase: number | undefined;
  /** Unix seconds of the last row; undefined before the first. */
  readonly writtenAt: number | undefined;
  /** The last value of every figure there ever was. */
  readonly figures: Metrics;
}

export const contentType = "text/plain; version=0.0.4; charset=utf-8";

/** Every figure is a gauge: `Loss/behavior` becomes `firstsolo_loss_behavior`. */
export function prometheusPage(facts: PageFacts): string {
  const labels = labelText(facts.labels);
  const names = new Map<string, string>();
  const own: [name: string, help: string, value: number | undefined][] = [
    ["firstsolo_up", "1 while the run is in progress", 1],
    ["firstsolo_iteration", "The last finished iteration", facts.iteration],
    [
      "firstsolo_phase",
      "The phase of its plan; in a distillation 1: the teacher flies, 2: the student flies",
      facts.phase,
    ],
    [
      "firstsolo_written_timestamp_seconds",
      "When the last iteration finished, unix time",
      facts.writtenAt,
    ],
  ];
  for (const [name] of own) names.set(name, "");
  const figures = Object.entries(facts.figures).map(([figure, value]): [string, string, number] => [
    freeName(figure, names),
    figure,
    value,
  ]);
  return [...own, ...figures]
    .flatMap(([name, help, value]) => (value === undefined ? [] : gauge(name, help, labels, value)))
    .join("");
}

function gauge(name: string, help: string, labels: string, value: number): string {
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} gauge\n${name}${labels} ${numberText(value)}\n`;
}

/** Figures whose names differ only in what Prometheus doesn't allow get `_2`, `_3` … behind them. */
function freeName(figure: string, taken: Map<string, string>): string {
  const plain = `firstsolo_${figure.toLowerCase().replace(/[^a-z0-9_]+/g, "_")}`;
  let name = plain;
  for (let i = 2; taken.has(name); i++) name = `${plain}_${i}`;
  taken.set(name, figure);
  return name;
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return parts.length === 0 ? "" : `{${parts.join(",")}}`;
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}

/** As Go reads it. */
function numberText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (Object.is(value, -0)) return "-0";
  return Number.isFinite(value) ? String(value) : value > 0 ? "+Inf" : "-Inf";
}
