import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

// Loading the compiler takes longer than most of what is tested: its output is kept by content.
const cache = new URL("../../node_modules/.cache/firstsolo-ts/", import.meta.url);

export async function load(url, context, next) {
  if (!/\.tsx?$/.test(url)) return next(url, context);
  const text = await readFile(fileURLToPath(url), "utf8");
  const key = createHash("sha256").update(`1\0${url}\0${text}`).digest("hex");
  const kept = new URL(`${key}.mjs`, cache);
  const source = await readFile(kept, "utf8").catch(() => compile(url, text, kept));
  return { format: "module", source, shortCircuit: true };
}

async function compile(url, text, kept) {
  const { default: ts } = await import("typescript");
  const compilerOptions = {
    module: ts.ModuleKind.ESNext,
    target: ts.ScriptTarget.ES2022,
    jsx: ts.JsxEmit.ReactJSX,
    verbatimModuleSyntax: true,
  };
  const { outputText } = ts.transpileModule(text, {
    compilerOptions,
    fileName: fileURLToPath(url),
  });
  await mkdir(cache, { recursive: true });
  const draft = new URL(`${kept.href}.${process.pid}`);
  await writeFile(draft, outputText);
  await rename(draft, kept);
  return outputText;
}
