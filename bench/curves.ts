/** Draws the curves of a run as SVG: `node dist/bench/curves.js RUN > curves.svg`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

type Row = Readonly<Record<string, number>>;

interface Panel {
  readonly title: string;
  readonly log: boolean;
  readonly lines: readonly { name: string; label: string; colour: string }[];
}

const panels: readonly Panel[] = [
  {
    title: "Return of a greedy flight, mean of the last whole episodes",
    log: false,
    lines: [
      { name: "Eval/teacher_return", label: "teacher", colour: "#e07b00" },
      { name: "Eval/student_return", label: "student", colour: "#0b63ce" },
    ],
  },
  {
    title: "Behaviour loss",
    log: true,
    lines: [{ name: "Loss/behavior", label: "loss", colour: "#0b63ce" }],
  },
];

const size = { width: 880, panel: 220, left: 64, right: 90, top: 34, gap: 30 } as const;

function draw(rows: readonly Row[]): string {
  const last = rows.at(-1)!.iteration!;
  const height = size.top + panels.length * (size.panel + size.gap);
  const x = (iteration: number) =>
    size.left + (iteration / last) * (size.width - size.left - size.right);
  const switched = rows.find((row) => row["Distillation/training_phase"] === 2)?.iteration ?? 0;
  const parts = panels.map((panel, i) => {
    const top = size.top + i * (size.panel + size.gap);
    return drawPanel(panel, rows, { top, x }) + mark(x(switched), top);
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    ...parts,
    `<text x="${size.left}" y="${height - 8}">0</text>`,
    `<text x="${x(last)}" y="${height - 8}" text-anchor="end">iteration ${last}</text>`,
    "</svg>\n",
  ].join("\n");
}

function drawPanel(
  panel: Panel,
  rows: readonly Row[],
  { top, x }: { top: number; x: (iteration: number) => number },
): string {
  const scale = (value: number) => (panel.log ? Math.log10(value) : value);
  const values = panel.lines.flatMap(({ name }) =>
    rows.flatMap((row) => (row[name] === undefined ? [] : [scale(row[name])])),
  );
  const low = panel.log ? Math.min(...values) : Math.min(0, ...values);
  const high = Math.max(...values);
  const y = (value: number) => top + size.panel * (1 - (scale(value) - low) / (high - low || 1));
  const shown = (value: number) => (panel.log ? (10 ** value).toPrecision(2) : value.toFixed(0));
  const frame = `<rect x="${size.left}" y="${top}" width="${size.width - size.left - size.right}" height="${size.panel}" fill="none" stroke="#bbb"/>`;
  const labels = [low, high].map(
    (value, i) =>
      `<text x="${size.left - 8}" y="${top + (i === 0 ? size.panel : 12)}" text-anchor="end">${shown(value)}</text>`,
  );
  const lines = panel.lines.map(({ name, label, colour }) => {
    const points = rows.filter((row) => row[name] !== undefined);
    const path = points.map((row) => `${x(row.iteration!).toFixed(1)},${y(row[name]!).toFixed(1)}`);
    const end = points.at(-1);
    const labelY = end ? y(end[name]!) + (label === "student" ? 14 : 0) : top;
    return `<polyline points="${path.join(" ")}" fill="none" stroke="${colour}" stroke-width="1.6"/>
<text x="${size.width - size.right + 6}" y="${labelY}" fill="${colour}">${label}</text>`;
  });
  return [
    `<text x="${size.left}" y="${top - 8}">${panel.title}</text>`,
    frame,
    ...labels,
    ...lines,
  ].join("\n");
}

function mark(x: number, top: number): string {
  return `<line x1="${x}" x2="${x}" y1="${top}" y2="${top + size.panel}" stroke="#777" stroke-dasharray="4 3"/>
<text x="${x + 5}" y="${top + size.panel - 8}" fill="#555">the student flies from here</text>`;
}

const folder = process.argv[2];
if (!folder) {
  console.error("usage: node dist/bench/curves.js RUN > curves.svg");
  process.exit(2);
}
const lines = readFileSync(join(folder, "metrics.jsonl"), "utf8").trim().split("\n");
process.stdout.write(draw(lines.map((line) => JSON.parse(line))));
