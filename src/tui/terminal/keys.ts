/** What a key does, found without a terminal: the state of the keyboard and what should happen. */
import type { Request } from "../../running/requests.ts";
import { atLastStage, stageLabel } from "../state/readings.ts";
import type { ScreenState } from "../state/screen-state.ts";

export type Overlay = "none" | "help" | "log";

export interface Keyboard {
  readonly overlay: Overlay;
  /** Whether the hand-over waits for a `y`. */
  readonly asking: boolean;
  /** Shown in place of the keys until the next key, or for a few seconds. */
  readonly remark: string | undefined;
  /** A watcher looks at a run that another process flies. */
  readonly watching: boolean;
}

export function newKeyboard(watching: boolean): Keyboard {
  return { overlay: "none", asking: false, remark: undefined, watching };
}

export type Deed =
  | { readonly kind: "ask"; readonly request: Request; readonly by: string }
  | { readonly kind: "plain" | "interrupt" | "quit" };

export interface Pressed {
  readonly board: Keyboard;
  readonly deed?: Deed;
}

export interface Key {
  readonly key: string;
  readonly name: string;
  /** For narrow terminals. */
  readonly short: string;
  readonly help: string;
  /** Why it does nothing now. */
  readonly off: string | undefined;
  readonly request?: Request;
}

const ctrlC = "\u0003";
const esc = "\u001b";

/** The keys there are, with why one of them is off. */
export function keysOf(
  state: ScreenState,
  { watching }: Pick<Keyboard, "watching">,
): readonly Key[] {
  const off = whyNobodyListens(state);
  const paused = state.status === "paused";
  const keys: Key[] = [
    paused
      ? key("p", "resume", "resume", "go on flying", off, "resume")
      : key("p", "pause", "pause", "hold the flight after this iteration", off, "pause"),
    key("c", "checkpoint", "ckpt", "save a checkpoint after this iteration", off, "checkpoint"),
    ...nextPhaseKey(state, off),
    key("s", "stop", "stop", "save a checkpoint after this iteration, and land", off, "stop"),
    key("l", "sim log", "log", "what the simulator prints; again or Esc: back", undefined),
    key("t", "plain text", "text", "plain lines with what was missed; t again: back", undefined),
    key("?", "help", "help", "this page; again or Esc: back", undefined),
  ];
  if (watching)
    keys.push(key("q", "quit", "quit", "leave the watcher; the run goes on", undefined));
  return keys;
}

/** A run of a single stage that hands nothing over has no next phase. */
function nextPhaseKey(state: ScreenState, off: string | undefined): readonly Key[] {
  const { course, handsOver } = state.run;
  if (course === "single" && !handsOver) return [];
  const help = handsOver
    ? "hand the controls to the student now (asks)"
    : "go on with the next phase now (asks)";
  const last = handsOver ? "the student has the controls already" : "this is the last phase";
  const again = atLastStage(state) ? last : undefined;
  return [key("n", "next phase", "phase", help, off ?? again, "next-phase")];
}

/** What `n` asks before it does anything. */
export function phaseQuestion(state: ScreenState): string {
  if (state.run.handsOver) return "Hand the controls to the student now?";
  return `Go on with ${stageLabel(state, state.stage.index + 1)} now?`;
}

function key(
  name: string,
  ...[long, short, help, off, request]: readonly [
    string,
    string,
    string,
    string | undefined,
    Request?,
  ]
): Key {
  const found = { key: name, name: long, short, help, off };
  return request === undefined ? found : { ...found, request };
}

function whyNobodyListens({ status }: ScreenState): string | undefined {
  if (status === "landed") return "the run has landed";
  if (status === "quiet") return "nobody flies this run now";
  if (status === "failed") return "the flight has failed";
  return status === "lost" ? "the simulator is lost" : undefined;
}

/** One key pressed. Unknown ones only clear what was said. */
export function press(pressed: string, board: Keyboard, state: ScreenState): Pressed {
  const calm = { ...board, asking: false, remark: undefined };
  if (pressed === ctrlC)
    return { board: calm, deed: { kind: board.watching ? "quit" : "interrupt" } };
  if (board.asking) {
    if (pressed !== "y") return { board: { ...calm, remark: stays(state) } };
    return asked(calm, "next-phase", "key n");
  }
  if (pressed === esc) return { board: { ...calm, overlay: "none" } };
  if (pressed === "?") return { board: toggled(calm, "help") };
  if (pressed === "l") return { board: toggled(calm, "log") };
  if (pressed === "t") return { board: calm, deed: { kind: "plain" } };
  if (pressed === "q" && board.watching) return { board: calm, deed: { kind: "quit" } };
  const found = keysOf(state, board).find(({ key, request }) => key === pressed && request);
  if (!found?.request) return { board: calm };
  if (found.off !== undefined)
    return { board: { ...calm, remark: `✗ ${pressed} is off: ${found.off}` } };
  if (found.request === "next-phase") return { board: { ...calm, asking: true } };
  return asked(calm, found.request, `key ${pressed}`);
}

function stays({ run }: ScreenState): string {
  return run.handsOver ? "The controls stay where they are." : "The phase stays.";
}

function asked(board: Keyboard, request: Request, by: string): Pressed {
  const remark = `● asked for: ${request}; it comes with the end of this iteration`;
  return { board: { ...board, remark }, deed: { kind: "ask", request, by } };
}

function toggled(board: Keyboard, overlay: Overlay): Keyboard {
  return { ...board, overlay: board.overlay === overlay ? "none" : overlay };
}

/**
 * The keys in what a terminal sent. An escape sequence (arrow, function key) is no key of ours. While an update
 * blocks us several keys may arrive together; many at once are a paste, and a pasted text must not stop a run.
 */
export function keysIn(chunk: string): readonly string[] {
  if (chunk.includes(ctrlC)) return [...chunk].filter((key) => key === ctrlC);
  if (chunk.length > 1 && chunk.startsWith(esc)) return [];
  return chunk.length > 8 ? [] : [...chunk];
}
