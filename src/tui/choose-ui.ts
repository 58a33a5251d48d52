import { ScreenError } from "./screen-error.ts";

export const uis = ["auto", "tui", "plain", "jsonl", "none"] as const;
/** What a person may ask for. */
export type UiWish = (typeof uis)[number];
export type Ui = Exclude<UiWish, "auto">;

/** Columns and rows below which no screen is chosen by itself. */
export const smallest = { columns: 60, rows: 16 } as const;

export interface UiSurroundings {
  readonly stdin: { readonly isTTY?: boolean | undefined };
  readonly stdout: {
    readonly isTTY?: boolean | undefined;
    readonly columns?: number | undefined;
    readonly rows?: number | undefined;
  };
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * What the terminal shows. `auto` is the screen where somebody can see it and press keys, outside of
 * CI, with a terminal that can move its cursor and has room; plain lines elsewhere.
 *
 * @throws ScreenError when the screen was asked for by name and can't be shown
 */
export function chooseUi(wish: UiWish, surroundings: UiSurroundings): Ui {
  if (!uis.includes(wish)) {
    const hint = `Use one of ${uis.join(", ")}.`;
    throw new ScreenError("unknown-ui", `There is no --ui ${JSON.stringify(wish)}`, hint);
  }
  if (wish === "auto") return isComfortable(surroundings) ? "tui" : "plain";
  if (wish !== "tui") return wish;
  const missing = whyImpossible(surroundings);
  if (missing === undefined) return "tui";
  throw new ScreenError(
    "no-terminal",
    `--ui tui needs a terminal, and ${missing}`,
    "Use --ui plain here; `firstsolo watch RUN` shows the screen in any other terminal.",
  );
}

function whyImpossible({ stdin, stdout, env }: UiSurroundings): string | undefined {
  if (!stdout.isTTY) return "the standard output goes to a file or pipe";
  if (!stdin.isTTY) return "the standard input, where keys come from, is no terminal";
  if (env.TERM === "dumb") return "TERM=dumb can't move its cursor";
  return undefined;
}

function isComfortable(surroundings: UiSurroundings): boolean {
  const { stdout, env } = surroundings;
  if (whyImpossible(surroundings) !== undefined || isCi(env)) return false;
  return (stdout.columns ?? 0) >= smallest.columns && (stdout.rows ?? 0) >= smallest.rows;
}

function isCi(env: UiSurroundings["env"]): boolean {
  return ["CI", "CONTINUOUS_INTEGRATION"].some((name) => {
    const value = env[name];
    return value !== undefined && value !== "" && value !== "0" && value !== "false";
  });
}
