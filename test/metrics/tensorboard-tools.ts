/** What TensorBoard's own readers find in a folder. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runProgram, type Tools } from "./python.ts";

export interface Events {
  readonly records: {
    readonly what: string;
    readonly step: number;
    readonly wall_time: number;
    readonly file_version: string;
  }[];
  readonly scalars: Record<string, [step: number, value: number][]>;
  readonly texts: Record<string, [step: number, text: string][]>;
}

const script = join(dirname(fileURLToPath(import.meta.url)), "read_events.py");

export async function readEvents(tools: Tools, folder: string): Promise<Events> {
  const { code, stdout, stderr } = await runProgram(tools.python, [script, folder]);
  if (code !== 0) throw new Error(stderr);
  const read = JSON.parse(stdout);
  for (const points of Object.values<[number, unknown][]>(read.scalars)) {
    for (const point of points) point[1] = fromRepr(String(point[1]));
  }
  return read;
}

function fromRepr(text: string): number {
  return Number(text.replace("inf", "Infinity").replace("nan", "NaN"));
}
