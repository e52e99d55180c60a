// SPDX-License-Identifier: Apache-2.0
// Rates, from how counters grew between one status and the next.
import type { Status } from "./api";

export const HISTORY = 120; // as many samples, one a second

interface Track {
  records: number[]; // records a second, oldest first
  rows: Record<string, number>; // rows a second, by table
}

export class Rates {
  private last: Status | null = null;
  private tracks = new Map<string, Track>();

  add(status: Status): void {
    const last = this.last?.started_ms === status.started_ms ? this.last : null;
    const seconds = last ? (status.updated_ms - last.updated_ms) / 1000 : 0;
    if (last && seconds <= 0) return;
    this.last = status;
    if (!last) {
      this.tracks.clear();
      return;
    }
    for (const p of status.pipelines) {
      const before = last.pipelines.find((q) => q.pipeline === p.pipeline);
      if (!before) continue;
      const per = (now: number, then: number) => Math.max(0, now - then) / seconds;
      const records = [...(this.tracks.get(p.pipeline)?.records ?? []), per(p.records, before.records)].slice(-HISTORY);
      const rows = Object.fromEntries(Object.entries(p.rows).map(([name, n]) => [name, per(n, before.rows[name] ?? 0)]));
      this.tracks.set(p.pipeline, { records, rows });
    }
  }

  history(pipeline: string): number[] {
    return this.tracks.get(pipeline)?.records ?? [];
  }

  // Over the last few seconds, so that the figure can be read.
  records(pipeline: string): number | null {
    const recent = this.history(pipeline).slice(-5);
    return recent.length ? recent.reduce((sum, r) => sum + r, 0) / recent.length : null;
  }

  rows(pipeline: string, table: string): number | null {
    return this.tracks.get(pipeline)?.rows[table] ?? null;
  }
}
