/**
 * Runs command lines one after the other in one process: most of what a small one costs is the start of
 * Node and TensorFlow. Behind each, a mark in both outputs, then its code to the parent.
 */
const [, , program, mark] = process.argv;
const { main } = await import(program);

// Each command adds its own.
for (const stream of [process.stdout, process.stderr]) stream.setMaxListeners(0);

const written = (stream, text) => new Promise((resolve) => stream.write(text, resolve));

process.on("message", async (words) => {
  process.exitCode = undefined;
  const code = await main(words);
  await Promise.all([process.stdout, process.stderr].map((stream) => written(stream, mark)));
  process.send(code);
});
process.send("ready");
