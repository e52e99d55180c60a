// SPDX-License-Identifier: Apache-2.0
// What a table's columns mean, from their names and types alone: which hold the time, which the minimum, average, maximum and median
// of what, and which tables are about the same kind of thing.
import type { Cell, Row, Table } from "./api";

export type Role = "min" | "avg" | "max" | "median";

const ROLES: Record<string, Role> = {
  min: "min", minimum: "min", low: "min", lowest: "min",
  avg: "avg", average: "avg", mean: "avg",
  max: "max", maximum: "max", high: "max", highest: "max",
  median: "median", med: "median", mid: "median", p50: "median",
};

const NUMERIC = new Set(["int", "bigint", "float", "double"]);
const CALENDAR = ["year", "month", "day", "hour"];

// The roles of one measured thing: {avg: "avg_temperature", …} of "temperature".
export interface Measure {
  name: string;
  columns: Partial<Record<Role, string>>;
}

function tokens(column: string): string[] {
  return column.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase().split("_").filter(Boolean);
}

// Measures that have at least an average or a median, or both ends of a band.
export function measures(t: Table): Measure[] {
  const found = new Map<string, Measure>();
  for (const c of t.columns) {
    if (!NUMERIC.has(c.type)) continue;
    const parts = tokens(c.name);
    const at = parts.findIndex((p) => p in ROLES);
    const role = at < 0 ? undefined : ROLES[parts[at]!];
    if (!role) continue;
    const name = parts.filter((_, i) => i !== at).join(" ");
    const measure = found.get(name) ?? { name, columns: {} };
    measure.columns[role] ??= c.name;
    found.set(name, measure);
  }
  return [...found.values()].filter(({ columns: c }) => c.avg || c.median || (c.min && c.max));
}

function number(c: Cell | undefined): number | null {
  const n = typeof c === "number" ? c : typeof c === "string" && c !== "" ? Number(c) : NaN;
  return Number.isFinite(n) ? n : null;
}

// An instant in epoch ms, of a cell in seconds, in milliseconds or in words.
function instant(c: Cell | undefined): number | null {
  const n = number(c);
  if (n !== null) return Math.abs(n) < 1e11 ? n * 1000 : n;
  const ms = typeof c === "string" ? Date.parse(c) : NaN;
  return Number.isFinite(ms) ? ms : null;
}

export interface Time {
  columns: string[]; // what it is made from
  of: (row: Row) => number | null; // epoch ms
}

function calendarTime(names: Set<string>): Time {
  const columns = CALENDAR.filter((c) => names.has(c));
  const part = (row: Row, name: string, otherwise: number) => (names.has(name) ? number(row[name]) ?? otherwise : otherwise);
  const of = (row: Row) => Date.UTC(part(row, "year", 1970), part(row, "month", 1) - 1, part(row, "day", 1), part(row, "hour", 0));
  return { columns, of };
}

// Where a row stands in time: calendar columns, else the first clustering column that can be an instant.
export function time(t: Table): Time | null {
  const names = new Set(t.columns.map((c) => c.name));
  if (names.has("year")) return calendarTime(names);
  const types = new Map(t.columns.map((c) => [c.name, c.type]));
  const column = t.key.clustering.map((c) => c.name).find((name) => ["bigint", "timestamp"].includes(types.get(name) ?? ""));
  return column ? { columns: [column], of: (row) => instant(row[column]) } : null;
}

// The columns of a raw table that are worth drawing.
export function values(t: Table): string[] {
  const key = new Set([...t.key.partition, ...t.key.clustering.map((c) => c.name)]);
  return t.columns.filter((c) => ["float", "double"].includes(c.type) && !key.has(c.name)).map((c) => c.name);
}

// What a cell of this column is when it is a moment, else null: only columns that are moments by type, or by name and magnitude.
export function moment(t: Table, column: string, c: Cell | undefined): number | null {
  const type = t.columns.find((k) => k.name === column)?.type;
  if (type === "timestamp") return instant(c);
  const n = type === "bigint" && /time|_at$|_ms$|bucket|seen|updated|created/.test(column) ? number(c) : null;
  return n !== null && Math.abs(n) >= 1e8 ? instant(n) : null;
}

const UNITS: Record<string, [adverb: string, seconds: number]> = {
  ms: ["Millisecond", 0.001], millisecond: ["Millisecond", 0.001],
  s: ["Second", 1], second: ["Second", 1],
  min: ["Minute", 60], m: ["Minute", 60], minute: ["Minute", 60],
  h: ["Hourly", 3600], hour: ["Hourly", 3600],
  d: ["Daily", 86400], day: ["Daily", 86400],
  w: ["Weekly", 604800], week: ["Weekly", 604800],
  month: ["Monthly", 2629800], year: ["Yearly", 31557600],
};

export interface Window {
  title: string;
  seconds: number; // about how long one is
}

// A window's text ("calendar day", "tumbling 1 hour", "sliding 30 days every 1 day") as a heading.
export function windowOf(t: Table): Window {
  const text = t.window ?? "";
  const [, kind, amount = "1", unit = ""] = /^(\w+)\s+(?:(\d+)\s*)?([a-z]+)/.exec(text) ?? [];
  const known = UNITS[unit] ?? UNITS[unit.replace(/s$/, "")];
  if (!known) return { title: text || words(t.table), seconds: 0 };
  const seconds = Number(amount) * known[1];
  const plain = (kind === "calendar" || kind === "tumbling") && Number(amount) === 1 && known[0].endsWith("ly");
  return { title: plain ? known[0] : text.charAt(0).toUpperCase() + text.slice(1), seconds };
}

const words = (name: string) => name.replaceAll("_", " ");

// Tables about one kind of thing: those with the same partition key in one pipeline.
export interface Subject {
  id: string;
  pipeline: string;
  columns: string[];
  title: string;
  facts: Table | null; // one row a key
  raw: Table | null; // a row each event
  windows: Table[]; // shortest first
}

export function subjects(all: Table[]): Subject[] {
  const found = new Map<string, Subject>();
  for (const t of all) {
    const id = `${t.pipeline}/${t.key.partition.join(",")}`;
    const s: Subject = found.get(id) ?? {
      id, pipeline: t.pipeline, columns: t.key.partition, title: t.key.partition.map((c) => words(c.replace(/_id$/, ""))).join(", "),
      facts: null, raw: null, windows: [],
    };
    if (t.windowed && time(t) && measures(t).length) s.windows.push(t);
    else if (!t.windowed && t.group_by.length) s.facts ??= t;
    else if (!t.windowed && time(t)) s.raw ??= t;
    found.set(id, s);
  }
  for (const s of found.values()) s.windows.sort((a, b) => windowOf(a).seconds - windowOf(b).seconds);
  return [...found.values()].filter((s) => s.raw || s.windows.length);
}

// The table whose keys are all keys of a subject, and soonest.
export const keysTable = (s: Subject): Table => (s.facts ?? s.raw ?? s.windows[0])!;

export const keyText = (s: Subject, key: Row) => s.columns.map((c) => String(key[c])).join(" · ");

export const sameKey = (s: Subject, key: Row, row: Row) => s.columns.every((c) => String(key[c]) === String(row[c]));
