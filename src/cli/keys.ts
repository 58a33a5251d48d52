import type { Command } from "commander";
import { makeKeys } from "../../sim-adapters/make-keys.ts";
import { exitCodes } from "../training/exit-codes.ts";

export function registerKeys(program: Command): void {
  program
    .command("keys")
    .description("make a pair of CURVE keys for a simulator or a runner")
    .argument("<name>", "NAME.key is for the other side, NAME.key_secret for its owner alone")
    .option("--folder <FOLDER>", "where the files go", ".")
    .addHelpText("after", `\n${usage}`)
    .action(async (name: string, { folder }: { folder: string }) => {
      const { publicFile, secretFile } = await makeKeys(folder, name);
      process.stdout.write(`${publicFile}: give it away\n${secretFile}: keep it (mode 0600)\n`);
      process.exitCode = exitCodes.ok;
    });
}

const usage = `Each side makes a pair of its own, and gets the other's NAME.key:
  the simulator: firstsolo sim --curve_server_key_file sim.key_secret …
  the runner:    firstsolo train sim.curve_server_key_file=sim.key sim.curve_client_key_file=runner.key_secret …`;
