import { Document, isMap, isScalar, isSeq, type YAMLMap } from "yaml";
import type { Config } from "./schema.ts";

/**
 * The configuration as YAML that `--config` reads back to the same values.
 *
 * @param sources as `resolveConfig` gives them: put as comments behind the values that are not defaults.
 */
export function toYaml(config: Config, sources: Readonly<Record<string, string>> = {}): string {
  const document = new Document(config);
  if (isMap(document.contents)) annotate(document.contents, "", sources);
  return document.toString({ lineWidth: 0 });
}

function annotate(map: YAMLMap, prefix: string, sources: Readonly<Record<string, string>>): void {
  for (const { key, value } of map.items) {
    const name = `${prefix}${isScalar(key) ? String(key.value) : ""}`;
    if (isMap(value)) annotate(value, `${name}.`, sources);
    if (isSeq(value)) value.flow = true;
    if (!isScalar(value) && !isSeq(value)) continue;
    if (Object.hasOwn(sources, name)) value.comment = ` ${sources[name]}`;
  }
}
