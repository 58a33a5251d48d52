/** `firstsolo ctl` and `firstsolo watch` without a build: `node --import run-ts.mjs run-command.ts ctl RUN pause`. */
import { Command } from "commander";
import { registerCtl } from "../../src/cli/ctl.ts";
import { reportError } from "../../src/cli/report-error.ts";
import { registerWatch } from "../../src/cli/watch.ts";

const program = new Command("firstsolo").exitOverride();
registerCtl(program);
registerWatch(program);
try {
  await program.parseAsync(process.argv.slice(2), { from: "user" });
} catch (error) {
  const { text, exitCode } = reportError(error, { debug: false });
  process.stderr.write(text);
  process.exitCode = exitCode;
}
