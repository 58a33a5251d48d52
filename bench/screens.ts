/**
 * Pictures of a real run for the README: `node dist/bench/screens.js [FOLDER]` flies one in a terminal
 * of 80×24 and writes each scene as text and as SVG to FOLDER, bench/screens by default.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { program, projectFolder } from "./children.ts";
import { screenSvg } from "./screen-svg.ts";
import { type Line, Terminal, textOf } from "./terminal.ts";

const target = process.argv[2] ?? join(projectFolder, "bench/screens");
// A name without chance in it: it stands in the pictures.
const work = join(tmpdir(), "flight");

function keep(name: string, title: string, lines: readonly Line[]): void {
  const last = lines.findLastIndex((line) => textOf([line]) !== "");
  const shown = lines.slice(0, last + 1);
  writeFileSync(join(target, `${name}.txt`), `${textOf(shown)}\n`);
  writeFileSync(join(target, `${name}.svg`), screenSvg(shown, title));
  console.log(`\n${title}\n${textOf(shown)}`);
}

const sleep = (seconds: number) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));

mkdirSync(target, { recursive: true });
mkdirSync(work);
const train = [program, "train", "--ui", "tui", "--logger", "wandb", "--run_name", "first"];
const command = [
  process.execPath,
  ...train,
  "--phase1_iterations",
  "100",
  "evaluation.final_episodes=100",
];
const terminal = new Terminal(command, { columns: 80, rows: 24, cwd: work });
try {
  await terminal.until(/\b[6-9]\d\/400/, 120);
  keep("phase-1", "Phase 1: the teacher flies, the student watches", terminal.screen);
  await terminal.until(/\b1[0-3]\d\/400/, 120);
  await terminal.until(/2\/2 student flies/, 30);
  await sleep(1);
  keep("switch", "The switch: the student has the controls", terminal.screen);
  await terminal.until(/\b2[0-9]\d\/400/, 120);
  terminal.press("p");
  await terminal.until(/‖ paused/, 30);
  // The answer to the key stands for a while where the keys are.
  await terminal.until(/p resume/, 30);
  keep("paused", "A paused run", terminal.screen);
  terminal.press("p");
  await terminal.until(/\b3[3-9]\d\/400/, 120);
  keep("phase-2", "Phase 2: the student flies, the teacher corrects", terminal.screen);
  const code = await terminal.ended;
  if (code !== 0) throw new Error(`exit code ${code}\n${textOf(terminal.everything)}`);
  const all = terminal.everything;
  const first = all.findLastIndex((line) => textOf([line]).startsWith("firstsolo"));
  keep("finished", "A finished run, as it stays in the scrollback", all.slice(Math.max(0, first)));
} finally {
  terminal.kill();
  rmSync(work, { recursive: true, force: true });
}
