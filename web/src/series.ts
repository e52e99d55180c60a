// SPDX-License-Identifier: Apache-2.0
// Rows as what a chart draws: columns of numbers over ascending times.
import type { Row, Table } from "./api";
import { time } from "./shape";

export interface Series {
  at: number[]; // epoch ms, ascending, each once
  values: (number | null)[][]; // by column
}

const drawn = (c: unknown): number | null => (typeof c === "number" && Number.isFinite(c) ? c : null);

export function series(t: Table, rows: Row[], columns: string[]): Series {
  const where = time(t);
  const placed = rows.map((row) => ({ at: where?.of(row) ?? null, row })).filter((p): p is { at: number; row: Row } => p.at !== null);
  placed.sort((a, b) => a.at - b.at);
  const once = placed.filter((p, i) => i === placed.length - 1 || placed[i + 1]!.at !== p.at);
  return { at: once.map((p) => p.at), values: columns.map((c) => once.map((p) => drawn(p.row[c]))) };
}

// What makes a row itself: the values of its whole key.
export const identity = (t: Table, row: Row) => JSON.stringify([...t.key.partition, ...t.key.clustering.map((c) => c.name)].map((c) => row[c]));

// `rows` with `newer` put in the place of what they replace; at most `limit`, the latest.
export function merge(t: Table, rows: Row[], newer: Row[], limit: number): Row[] {
  if (newer.length === 0) return rows;
  const all = new Map(rows.map((row) => [identity(t, row), row]));
  for (const row of newer) all.set(identity(t, row), row);
  const where = time(t);
  const merged = [...all.values()];
  if (where && merged.length > limit) merged.sort((a, b) => (where.of(b) ?? 0) - (where.of(a) ?? 0)).length = limit;
  return merged;
}
