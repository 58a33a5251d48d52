import { readFileSync } from "node:fs";
import { type Command, InvalidArgumentError } from "commander";
import { FaultProxy } from "../../sim-adapters/chaos/fault-proxy.ts";
import { parseScript } from "../../sim-adapters/chaos/script.ts";

interface ChaosFlags {
  readonly between: readonly string[];
  readonly script: string;
  readonly seed: number;
  readonly pid?: number;
}

export function registerChaos(program: Command): void {
  program
    .command("chaos")
    .description("stand between a runner and its simulator, and make faults by a script")
    .requiredOption(
      "--between <ENDPOINTS...>",
      "two addresses on this machine: where the runner comes, and where the simulator is",
    )
    .requiredOption(
      "--script <RULES>",
      "'drop 3%; requests cut at 40; stall=2 every 100', or a file with such lines",
    )
    .option("--seed <N>", "same seed, same faults", whole, 1)
    .option("--pid <N>", "process of the simulator, for the fault kill", whole)
    .addHelpText(
      "after",
      "\nfirstsolo chaos --between ipc:///tmp/a.ipc ipc:///tmp/sim.ipc --script 'drop 3%' &\nfirstsolo train --sim ipc:///tmp/a.ipc",
    )
    .action(stand);
}

async function stand(flags: ChaosFlags): Promise<void> {
  const [listen = "", server = "", ...more] = flags.between;
  if (server === "" || more.length > 0) {
    throw new InvalidArgumentError("--between takes two addresses: the runner's, the simulator's.");
  }
  const proxy = await FaultProxy.open({
    listen,
    server,
    rules: parseScript(textOf(flags.script)),
    seed: flags.seed,
    onFault: (line) => console.error(`chaos: ${line}`),
    onKill: () => {
      if (flags.pid !== undefined) process.kill(flags.pid, "SIGKILL");
    },
  });
  console.log(`chaos: between ${proxy.endpoint} and ${server}, seed ${flags.seed}`);
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, resolve);
  });
  await proxy.close();
  const counts = [...proxy.counts].map(([fault, count]) => `${fault} ${count}`);
  console.log(`chaos: ${counts.join(", ") || "no fault was made"}`);
}

/** Rules on the command line, or a file that holds them. */
function textOf(script: string): string {
  if (/[\s;%]/.test(script)) return script;
  try {
    return readFileSync(script, "utf8");
  } catch {
    return script;
  }
}

function whole(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError("Expected a whole number.");
}
