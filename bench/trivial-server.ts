/**
 * Serves the trivial environment, and beside it bare ZeroMQ that answers as many bytes without
 * looking at them: `trivial-server.js SERVE_AT ECHO_AT`. Prints both addresses as one line of JSON.
 */
import { Context, Router } from "zeromq";
import { serveEnv } from "../sim-adapters/serve/serve-env.ts";
import { TrivialEnv, widths } from "./trivial-env.ts";
import { resultFrames } from "./trivial-frames.ts";

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

const replies = new Map<number, Uint8Array[]>();
for await (const [from, , actions] of bare) {
  const numEnvs = actions!.length / 4 / widths.action;
  const reply = replies.get(numEnvs) ?? (await resultFrames(numEnvs));
  replies.set(numEnvs, reply);
  await bare.send([from!, ...reply]);
}
