// SPDX-License-Identifier: Apache-2.0
// Avro schemas in the words of people.
import type { Contract } from "./api";

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

export interface Field {
  name: string;
  type: string;
  fallback: string | null; // as JSON
  doc: string;
}

const DEPTH_MAX = 8;
const isObject = (j: Json | undefined): j is { [name: string]: Json } => typeof j === "object" && j !== null && !Array.isArray(j);
const text = (j: Json | undefined) => (typeof j === "string" ? j : "");

function complexName(type: { [name: string]: Json }, depth: number): string {
  const kind = text(type.type as Json) || typeName(type.type ?? null, depth + 1);
  if (kind === "array") return `list of ${typeName(type.items ?? null, depth + 1)}`;
  if (kind === "map") return `map of ${typeName(type.values ?? null, depth + 1)}`;
  if (kind === "enum" && Array.isArray(type.symbols)) return `one of ${type.symbols.join(", ")}`;
  const name = text(type.name) || kind;
  return type.logicalType ? `${name} (${text(type.logicalType)})` : name;
}

// ["null", "float"] is "float or null".
export function typeName(type: Json, depth = 0): string {
  if (depth > DEPTH_MAX) return "…";
  if (typeof type === "string") return type;
  if (Array.isArray(type)) {
    const names = type.map((t) => typeName(t, depth + 1));
    return [...names.filter((n) => n !== "null"), ...names.filter((n) => n === "null")].join(" or ");
  }
  return isObject(type) ? complexName(type, depth) : "?";
}

export function fields(schema: unknown): Field[] {
  const record = schema as Json;
  if (!isObject(record) || !Array.isArray(record.fields)) return [];
  return record.fields.filter(isObject).map((f) => ({
    name: text(f.name), type: typeName(f.type ?? null), fallback: "default" in f ? JSON.stringify(f.default) : null, doc: text(f.doc),
  }));
}

export const recordName = (c: Contract) => {
  const schema = c.schema as Json;
  return (isObject(schema) && text(schema.name)) || c.of;
};
