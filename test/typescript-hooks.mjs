import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const options = {
  module: ts.ModuleKind.ESNext,
  target: ts.ScriptTarget.ES2022,
  rewriteRelativeImportExtensions: false,
  verbatimModuleSyntax: true,
};

/** `x.js` that is not there is `x.ts`. */
export function resolve(specifier, context, next) {
  const url = URL.canParse(specifier, context.parentURL)
    ? new URL(specifier, context.parentURL)
    : undefined;
  if (url?.protocol !== "file:") return next(specifier, context);
  const source = url.href.replace(/\.js$/, ".ts");
  const isSource = source.endsWith(".ts") && existsSync(new URL(source));
  if (!isSource || existsSync(url) !== url.href.endsWith(".ts")) return next(specifier, context);
  return { url: source, format: "module", shortCircuit: true };
}

export function load(url, context, next) {
  if (!url.endsWith(".ts")) return next(url, context);
  const source = readFileSync(fileURLToPath(url), "utf8");
  const { outputText } = ts.transpileModule(source, { compilerOptions: options, fileName: url });
  return { source: outputText, format: "module", shortCircuit: true };
}
