/** A terminal's screen as SVG, which looks the same with any font: braille is drawn as dots. */
import type { Cell, Line } from "./terminal.ts";

const cell = { width: 8.4, height: 16.4, baseline: 12.8 } as const;
const margin = 14;
const paper = "#14181f";
const ink = "#d6dbe4";

export function screenSvg(lines: readonly Line[], title: string): string {
  const columns = Math.max(...lines.map((line) => line.length));
  const width = round(2 * margin + columns * cell.width);
  const height = round(2 * margin + lines.length * cell.height);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="100%" height="100%" rx="8" fill="${paper}"/>`,
    `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">`,
    ...lines.map((line, row) => drawLine(line, margin + row * cell.height)),
    "</g>",
    "</svg>\n",
  ]
    .filter((part) => part !== "")
    .join("\n");
}

function drawLine(line: Line, top: number): string {
  return runs(line)
    .map(({ from, cells }) => drawRun(cells, from, top))
    .filter((part) => part !== "")
    .join("\n");
}

interface Run {
  readonly from: number;
  readonly cells: readonly Cell[];
}

/** Neighbours that look alike. */
function runs(line: Line): readonly Run[] {
  const found: { from: number; cells: Cell[] }[] = [];
  line.forEach((one, x) => {
    const run = found.at(-1);
    if (run && look(run.cells[0]!) === look(one)) run.cells.push(one);
    else found.push({ from: x, cells: [one] });
  });
  return found;
}

function look({ colour, background, bold, dim, text }: Cell): string {
  return [colour, background, bold, dim, brailleDots(text) !== undefined].join();
}

function drawRun(cells: readonly Cell[], from: number, top: number): string {
  const { colour = ink, background, bold, dim } = cells[0]!;
  const left = (i: number) => round(margin + (from + i) * cell.width);
  const behind =
    background === undefined
      ? ""
      : `<rect x="${left(0)}" y="${top}" width="${round(cells.length * cell.width)}" height="${cell.height}" fill="${background}"/>`;
  const paint = `fill="${colour}"${bold ? ' font-weight="bold"' : ""}${dim ? ' opacity="0.65"' : ""}`;
  if (cells.every(({ text }) => text.trim() === "")) return behind;
  if (brailleDots(cells[0]!.text) !== undefined) {
    const path = cells.map(({ text }, i) => dots(text, left(i), top)).join("");
    return path === "" ? behind : `${behind}<path ${paint} d="${path}"/>`;
  }
  const shown = cells
    .map(({ text }, i) => ({ text, x: left(i) }))
    .filter(({ text }) => text !== "");
  const xs = shown.map(({ x }) => x).join(" ");
  const text = escaped(shown.map((one) => one.text).join(""));
  return `${behind}<text x="${xs}" y="${round(top + cell.baseline)}" xml:space="preserve" ${paint}>${text}</text>`;
}

/** Bits of a braille character; undefined for any other. */
function brailleDots(text: string): number | undefined {
  const code = text.codePointAt(0) ?? 0;
  return code >= 0x2800 && code <= 0x28ff ? code - 0x2800 : undefined;
}

/** Column and row of each bit. */
const places = [
  [0, 0],
  [0, 1],
  [0, 2],
  [1, 0],
  [1, 1],
  [1, 2],
  [0, 3],
  [1, 3],
] as const;

function dots(text: string, left: number, top: number): string {
  const bits = brailleDots(text) ?? 0;
  const radius = 1.25;
  return places
    .filter((_, bit) => bits & (1 << bit))
    .map(([column, row]) => {
      const x = round(left + cell.width * (0.25 + 0.5 * column) - radius);
      const y = round(top + cell.height * (0.125 + 0.25 * row));
      return `M${x} ${y}a${radius} ${radius} 0 1 0 ${2 * radius} 0a${radius} ${radius} 0 1 0 ${-2 * radius} 0`;
    })
    .join("");
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
