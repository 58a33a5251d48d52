import type { ObservationArray } from "../../protocol/frame.ts";
import type { Arrays, Experience } from "../learning/experience.ts";
import { DatasetError } from "./dataset-error.ts";
import type { FlightWriter, WrittenFlights } from "./flight-writer.ts";

export interface RecorderOptions {
  /** As many, shared out evenly over the environments: whoever takes the first to end prefers short ones. */
  readonly episodes?: number;
  /** Bytes for episodes that are still being flown; 256 MiB. */
  readonly memoryBytes?: number;
  /** Leaves out what each environment flies until its first episode is over: it may begin in the middle. */
  readonly wholeOnly?: boolean;
}

export interface RecordedResult extends WrittenFlights {
  /** Episodes that were cut since the recording stopped; they are in the file. */
  readonly unfinished: number;
  /** Steps of such episodes that were left out. */
  readonly dropped: number;
}

/** What one environment has flown and is not written yet. */
interface Piece {
  readonly arrays: Record<string, Float32Array | Uint8Array | Int32Array>;
  readonly last: Record<string, ObservationArray>;
  steps: number;
  id: number | undefined;
}

const SHORTEST_PIECE = 16;

/**
 * Makes episodes of what many environments fly at the same time, and hands them to a writer.
 *
 *     const recorder = new FlightRecorder(writer, { episodes: 400 });
 *     while (!recorder.isDone) recorder.add(await source.next());
 *     const result = recorder.close("drop");
 */
export class FlightRecorder {
  readonly #writer: FlightWriter;
  readonly #options: RecorderOptions;
  #pieces: Piece[] = [];
  #quota: number[] = [];
  /** 1 for an environment whose first episode is under way and left out. */
  #skipping = new Uint8Array(0);
  #widths: Readonly<Record<string, number>> = {};
  #pieceSteps = 0;
  #finished = 0;

  constructor(writer: FlightWriter, options: RecorderOptions = {}) {
    this.#writer = writer;
    this.#options = options;
  }

  /** Episodes that ended. */
  get finished(): number {
    return this.#finished;
  }

  /** Whether all the episodes that were asked for are there. */
  get isDone(): boolean {
    return this.#quota.length > 0 && this.#quota.every((left) => left === 0);
  }

  /**
   * @param experience with `obs/GROUP` and `next/GROUP` of the writer's groups, `actions`, `rewards`,
   * `terminated`, `truncated`; every `notes/NAME` is recorded too. Environments go on where the last one
   * left them. @throws DatasetError
   */
  add(experience: Experience): void {
    if (this.#pieces.length === 0) this.#begin(experience);
    const { steps, numEnvs } = experience;
    for (let env = 0; env < numEnvs; env += 1) {
      for (let step = 0; step < steps && this.#quota[env] !== 0; step += 1) {
        this.#addStep(experience, env, step * numEnvs + env);
      }
    }
  }

  /**
   * Ends the recording. Episodes that are still being flown are kept as unfinished, or dropped; one of
   * which a piece is written already, since memory was short, is always kept.
   */
  close(open: "keep" | "drop"): RecordedResult {
    let unfinished = 0;
    let dropped = 0;
    for (const piece of this.#pieces) {
      if (piece.steps === 0 && piece.id === undefined) continue;
      if (open === "drop" && piece.id === undefined) dropped += piece.steps;
      else {
        this.#flush(piece, "end");
        unfinished += 1;
      }
    }
    return { ...this.#writer.close(), unfinished, dropped };
  }

  #begin({ arrays, steps, numEnvs }: Experience): void {
    this.#widths = widthsOf(arrays, this.#writer, steps * numEnvs);
    const { memoryBytes = 256 << 20, episodes } = this.#options;
    const bytes = Object.entries(this.#widths).reduce(
      (sum, [name, width]) => sum + width * arrays[name]!.BYTES_PER_ELEMENT,
      0,
    );
    const fit = Math.max(SHORTEST_PIECE, Math.floor(memoryBytes / (numEnvs * bytes)));
    this.#pieceSteps = Math.min(fit, Math.max(SHORTEST_PIECE, this.#writer.spec.maxEpisodeSteps));
    this.#skipping = new Uint8Array(numEnvs).fill(this.#options.wholeOnly ? 1 : 0);
    this.#pieces = Array.from({ length: numEnvs }, () => this.#makePiece(arrays));
    this.#quota = Array.from({ length: numEnvs }, (_, env) =>
      episodes === undefined ? Infinity : Math.floor((episodes + numEnvs - 1 - env) / numEnvs),
    );
  }

  #makePiece(arrays: Arrays): Piece {
    const own = Object.entries(this.#widths).map(([name, width]) => {
      const Kind = kindOf(arrays[name]!);
      return [name, new Kind(this.#pieceSteps * width)] as const;
    });
    const last = this.#writer.groups.map((group) => {
      const Kind = arrays[`obs/${group}`] instanceof Uint8Array ? Uint8Array : Float32Array;
      return [group, new Kind(this.#widths[`obs/${group}`]!)] as const;
    });
    return {
      arrays: Object.fromEntries(own),
      last: Object.fromEntries(last),
      steps: 0,
      id: undefined,
    };
  }

  #addStep({ arrays }: Experience, env: number, row: number): void {
    const ended = arrays.terminated![row] !== 0 || arrays.truncated![row] !== 0;
    if (this.#skipping[env]) {
      if (ended) this.#skipping[env] = 0;
      return;
    }
    const piece = this.#pieces[env]!;
    if (piece.steps === this.#pieceSteps) this.#flush(piece, "more");
    for (const [name, width] of Object.entries(this.#widths)) {
      copyRow(arrays[name]!, row, { width, into: piece.arrays[name]!, at: piece.steps * width });
    }
    for (const [group, last] of Object.entries(piece.last)) {
      copyRow(arrays[`next/${group}`]!, row, { width: last.length, into: last, at: 0 });
    }
    piece.steps += 1;
    if (!ended) return;
    this.#flush(piece, "end");
    this.#quota[env]! -= 1;
    this.#finished += 1;
  }

  #flush(piece: Piece, what: "more" | "end"): void {
    piece.id ??= this.#writer.start();
    const arrays = Object.entries(this.#widths).map(
      ([name, width]) => [name, piece.arrays[name]!.subarray(0, piece.steps * width)] as const,
    );
    this.#writer.write(piece.id, piece.steps, {
      arrays: Object.fromEntries(arrays),
      ...(what === "end" && { last: piece.last }),
    });
    piece.steps = 0;
    if (what === "end") piece.id = undefined;
  }
}

/** Numbers in a row of every array that is recorded. @throws DatasetError for what is missing */
function widthsOf(arrays: Arrays, writer: FlightWriter, rows: number): Record<string, number> {
  const { spec, groups } = writer;
  const size = (shape: readonly number[]) => shape.reduce((product, axis) => product * axis, 1);
  const widths: Record<string, number> = { actions: size(spec.action.shape) };
  for (const name of ["rewards", "terminated", "truncated"]) widths[name] = 1;
  for (const group of groups) widths[`obs/${group}`] = size(spec.observations[group]!.shape);
  const successors = groups.map((group) => [`next/${group}`, widths[`obs/${group}`]!] as const);
  for (const [name, width] of [...Object.entries(widths), ...successors]) {
    const got = arrays[name]?.length;
    if (got === rows * width) continue;
    throw new DatasetError(
      got === undefined ? "missing-array" : "wrong-width",
      `${name} of what is to be recorded has ${got ?? "no"} numbers, expected ${rows} rows of ${width}`,
      "Record what this simulator says, with the successors of every group.",
    );
  }
  for (const [name, data] of Object.entries(arrays)) {
    if (name.startsWith("notes/")) widths[name] = data.length / rows;
  }
  return widths;
}

function kindOf(data: Arrays[string]) {
  if (data instanceof Uint8Array) return Uint8Array;
  return data instanceof Int32Array ? Int32Array : Float32Array;
}

function copyRow(
  from: Arrays[string],
  row: number,
  to: { width: number; into: Arrays[string]; at: number },
): void {
  const start = row * to.width;
  for (let k = 0; k < to.width; k += 1) to.into[to.at + k] = from[start + k]!;
}
