import { type Command, InvalidArgumentError } from "commander";
import { builtInTasks } from "../../sim-adapters/built-in.ts";
import { algorithms } from "../algorithms/registry.ts";
import { keysOf } from "../config/algorithm-keys.ts";
import { type CompletedCommand, type CompletedFlag, scripts } from "./completion-scripts.ts";

const shells = Object.keys(scripts) as (keyof typeof scripts)[];

/** What has a word to choose that commander does not know of. */
const choices: Readonly<Record<string, () => readonly string[]>> = {
  task: builtInTasks,
  algorithm: () => algorithms.map(({ name }) => name),
  ui: () => ["auto", "tui", "plain", "jsonl", "none"],
  format: () => ["onnx", "tfjs", "rsl_rl"],
  role: () => ["student", "teacher"],
};

/** @param registerAll declares every other command */
export function registerCompletion(
  program: Command,
  registerAll: (program: Command) => Promise<void>,
): void {
  program
    .command("completion")
    .description("write a script that completes command lines of firstsolo")
    .argument("<shell>", shells.join(", "), (shell: string) => {
      const found = shells.find((known) => known === shell);
      if (found === undefined) throw new InvalidArgumentError(`Known: ${shells.join(", ")}.`);
      return found;
    })
    .addHelpText(
      "after",
      "\nbash: firstsolo completion bash >> ~/.bashrc" +
        "\nzsh:  firstsolo completion zsh > a folder of $fpath/_firstsolo" +
        "\nfish: firstsolo completion fish > ~/.config/fish/completions/firstsolo.fish",
    )
    .action(async (shell: keyof typeof scripts) => {
      await registerAll(program);
      process.stdout.write(scripts[shell](program.commands.map(completed)));
    });
}

function completed(command: Command): CompletedCommand {
  const flags = command.options.flatMap(({ long, hidden, description, ...option }) =>
    long && !hidden
      ? [flagOf(long, { description, value: option.required, choices: option.argChoices })]
      : [],
  );
  const takesKeys = command.name() === "train";
  return {
    name: command.name(),
    summary: firstLine(command.description()),
    flags: [...flags, { flag: "--help", summary: "show help", value: false, choices: [] }],
    keys: takesKeys ? allKeys() : [],
  };
}

interface Declared {
  readonly description: string;
  readonly value: boolean;
  readonly choices: readonly string[] | undefined;
}

function flagOf(flag: string, { description, value, choices: known }: Declared): CompletedFlag {
  const name = flag.slice(2);
  const words = known ?? oneOf(description) ?? choices[name]?.() ?? [];
  return { flag, summary: firstLine(description), value, choices: value ? words : [] };
}

/** The help of a flag that sets a key names its words: `…, one of auto, cuda, cpu (default: auto)`. */
function oneOf(description: string): readonly string[] | undefined {
  const list = /, one of ([\w., -]+?)(?:, or null)?(?: \(default|$)/.exec(description)?.[1];
  return list?.split(", ");
}

/** Of every algorithm, each once; a simulator's own are unknown here. */
function allKeys(): readonly string[] {
  const names = algorithms.flatMap((algorithm) => [...keysOf(algorithm).keys.keys()]);
  return [...new Set(names)].map((name) => (name === "env" ? "env." : `${name}=`)).sort();
}

function firstLine(text: string): string {
  return text.split("\n")[0]!;
}
