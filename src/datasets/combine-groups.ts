import type { Catalogue, Column } from "./catalogue.ts";
import { DatasetError } from "./dataset-error.ts";
import type { ArraySpec } from "./flights-spec.ts";
import { listed } from "./row-reader.ts";

/** Adds groups that are several of the file's, components one after the other. @throws DatasetError */
export function combineGroups(
  catalogue: Catalogue,
  wanted: Readonly<Record<string, readonly string[]>>,
  path: string,
): Catalogue {
  const groups: Record<string, ArraySpec> = { ...catalogue.spec.groups };
  const columns: Record<string, Column> = { ...catalogue.columns };
  for (const [name, members] of Object.entries(wanted)) {
    for (const prefix of ["obs/", "next/"]) {
      if (prefix === "next/" && catalogue.spec.successors === "following") continue;
      const parts = members.map((member) => catalogue.columns[prefix + member]);
      const missing = members.find((_, i) => parts[i] === undefined);
      if (missing !== undefined || members.length === 0) {
        throw new DatasetError(
          "missing-group",
          `${path} has no observation group ${missing ?? `to make ${name} of`}; it has: ${listed(Object.keys(catalogue.spec.groups))}`,
          `Make ${name} of groups that are there.`,
        );
      }
      columns[prefix + name] = joined(parts as Column[]);
    }
    groups[name] = columns[`obs/${name}`]!.spec;
  }
  return { ...catalogue, columns, spec: { ...catalogue.spec, groups } };
}

function joined(columns: readonly Column[]): Column {
  const specs = columns.map(({ spec }) => spec);
  const all = (key: "names" | "units") =>
    specs.every((spec) => spec[key]) && { [key]: specs.flatMap((spec) => spec[key] ?? []) };
  const spec: ArraySpec = {
    width: specs.reduce((sum, { width }) => sum + width, 0),
    kept: specs.every(({ kept }) => kept === "uint8") ? "uint8" : "float32",
    ...all("names"),
    ...all("units"),
  };
  return { spec, parts: columns.flatMap(({ parts }) => parts) };
}
