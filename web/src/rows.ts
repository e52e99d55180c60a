// SPDX-License-Identifier: Apache-2.0
// The latest rows of one key, kept up to date.
import { useEffect, useState } from "preact/hooks";
import { rows as fetchRows, type Row, type Table } from "./api";
import type { Live } from "./live";
import { merge } from "./series";
import { sameKey, type Subject } from "./shape";

const AGAIN_MS = 5_000; // the stream shows only what is newest: what it passed over is fetched
const ASCENDING_MAX = 10_000;

// null until the first answer. `connections`: fetched anew when it changes.
export function useRows(live: Live, subject: Subject, table: Table | null, key: Row | null, limit: number, connections: number): Row[] | null {
  const [rows, set] = useState<Row[] | null>(null);
  const name = key && table ? `${table.pipeline}/${table.table}/${JSON.stringify(key)}` : "";

  useEffect(() => set(null), [name]);
  useEffect(() => {
    if (!table || !key) return;
    const abort = new AbortController();
    const wanted = table.key.clustering[0]?.order === "asc" ? ASCENDING_MAX : limit;
    let since: Row[] = []; // heard while an answer is under way, which may not hold it yet
    const load = () => {
      since = [];
      return fetchRows(table, key, wanted, abort.signal)
        .then((answer) => set((now) => merge(table, merge(table, now ?? [], answer.rows, limit), since, limit)))
        .catch(() => abort.signal.aborted || set((now) => now ?? []));
    };
    load();
    const timer = setInterval(() => document.hidden || load(), AGAIN_MS);
    const stop = live.onRows((e) => {
      if (e.table !== table.table || e.pipeline !== table.pipeline) return;
      const mine = e.rows.filter((row) => sameKey(subject, key, row));
      since.push(...mine);
      if (mine.length) set((now) => merge(table, now ?? [], mine, limit));
    });
    return () => {
      abort.abort();
      clearInterval(timer);
      stop();
    };
  }, [name, connections]);
  return rows;
}
