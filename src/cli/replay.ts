import type { Command } from "commander";
import { replay } from "../../sim-adapters/tape/replay.ts";
import { TapeReader } from "../../sim-adapters/tape/tape.ts";
import { exitCodes } from "../training/exit-codes.ts";

export function registerReplay(program: Command): void {
  program
    .command("replay")
    .description("serve a recording of the wire in place of the simulator")
    .argument("<file>", "what train --record_wire FILE has kept")
    .option(
      "--bind <ENDPOINT>",
      "listen at ipc://PATH or tcp://127.0.0.1:PORT",
      "tcp://127.0.0.1:0",
    )
    .addHelpText("after", usage)
    .action(serve);
}

const usage = `
firstsolo train --record_wire run.tape …              # whoever has the simulator
firstsolo replay run.tape --bind ipc:///tmp/r.ipc &   # whoever has not
firstsolo train --sim ipc:///tmp/r.ipc …              # with the same configuration, e.g. --config params/agent.yaml
Ends with 0 where all requests were those recorded, with 1 where one differed: the first is named.`;

async function serve(file: string, { bind }: { readonly bind: string }): Promise<void> {
  const tape = new TapeReader(file);
  try {
    const player = await replay(tape, { bind, say: (line) => console.log(`replay: ${line}`) });
    console.log(`replay: ready at ${player.endpoint}: ${tape.messages.length} messages of ${file}`);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.once(signal, () => void player.close());
    }
    const { answered, first } = await player.done;
    const verdict = first === undefined ? "as recorded" : `the first that differed: ${first.what}`;
    console.log(`replay: ${answered} requests answered, ${verdict}`);
    if (first !== undefined) process.exitCode = exitCodes.checkFailed;
  } finally {
    tape.close();
  }
}
