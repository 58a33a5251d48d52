/**
 * Serves the trivial environment, and beside it bare ZeroMQ that answers as many bytes without
 * looking at them: `trivial-server.js SERVE_AT ECHO_AT`. Prints both addresses as one line of JSON.
 */
import { Context, Router } from "zeromq";
import { serveEnv } from "../sim-adapters/serve/serve-env.ts";
import { TrivialEnv, widths } from "./trivial-env.ts";

const [serveAt = "", echoAt = ""] = process.argv.slice(2);
const server = await serveEnv({
  open: async ({ numEnvs = 1 }) => new TrivialEnv(numEnvs),
  name: "trivial",
  bind: serveAt,
});
const bare = new Router({ context: new Context(), linger: 0 });
await bare.bind(echoAt);
// Whoever started us may die without a word.
process.stdin.resume().once("end", () => process.exit());
console.log(JSON.stringify({ served: server.endpoint, bare: bare.lastEndpoint }));

for await (const [from, header, actions] of bare) {
  const numEnvs = actions!.length / 4 / widths.action;
  await bare.send([from!, header!, ...reply(numEnvs)]);
}

/** Two groups, rewards and two rows of flags. */
function reply(numEnvs: number): Uint8Array[] {
  const group = new Uint8Array(numEnvs * widths.group * 4);
  return [
    group,
    group,
    new Uint8Array(numEnvs * 4),
    new Uint8Array(numEnvs),
    new Uint8Array(numEnvs),
  ];
}
