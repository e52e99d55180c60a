// SPDX-License-Identifier: Apache-2.0
// Rows as they are written, newest first: of one table, of every key or of the chosen one.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Row, Table } from "./api";
import type { Chosen } from "./app";
import { cell, clock, day, words } from "./format";
import type { Live } from "./live";
import { keyText, moment, sameKey } from "./shape";

const SHOWN = 24;
const DRAW_MS = 250; // rows may come faster than anyone reads

interface Entry {
  number: number;
  row: Row;
}

const nameOf = (t: Table) => `${t.pipeline}/${t.table}`;

// The newest rows that `wanted` lets through, since it last changed (`what` names it).
function useTail(live: Live, what: string, paused: boolean, wanted: (pipeline: string, table: string, row: Row) => boolean): Entry[] {
  const [shown, show] = useState<Entry[]>([]);
  const kept = useRef<Entry[]>([]);
  const number = useRef(0);
  useEffect(() => {
    kept.current = [];
    show([]);
  }, [what]);
  useEffect(() => {
    if (paused) return;
    let timer = 0;
    const draw = () => {
      timer = 0;
      show(kept.current);
    };
    const stop = live.onRows((e) => {
      const mine = e.rows.filter((row) => wanted(e.pipeline, e.table, row)).slice(-SHOWN);
      if (mine.length === 0) return;
      kept.current = [...mine.map((row) => ({ number: number.current++, row })).reverse(), ...kept.current].slice(0, SHOWN);
      timer ||= setTimeout(draw, DRAW_MS);
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [what, paused]);
  return shown;
}

function Value({ table, column, row }: { table: Table; column: string; row: Row }) {
  const ms = moment(table, column, row[column]);
  if (ms === null) return <>{cell(row[column])}</>;
  return <time dateTime={new Date(ms).toISOString()}><span class="quiet">{day(ms)}</span> {clock(ms)}.{String(ms % 1000).padStart(3, "0")}</time>;
}

interface TailProps {
  live: Live;
  tables: Table[];
  chosen: Chosen | null;
}

export function Tail({ live, tables, chosen }: TailProps) {
  const [picked, pick] = useState("");
  const [only, setOnly] = useState(false);
  const [paused, pause] = useState(false);
  const raw = tables.filter((t) => !t.windowed && t.group_by.length === 0);
  const offered = [...raw, ...tables.filter((t) => !raw.includes(t))];
  const table = offered.find((t) => nameOf(t) === picked) ?? offered[0];
  const fits = chosen && table && chosen.subject.pipeline === table.pipeline && chosen.subject.columns.every((c) => table.columns.some((k) => k.name === c));
  const narrow = only && fits ? chosen : null;
  const what = table ? `${nameOf(table)} ${narrow ? JSON.stringify(narrow.key) : ""}` : "";
  const entries = useTail(live, what, paused,
    (pipeline, name, row) => pipeline === table?.pipeline && name === table.table && (!narrow || sameKey(narrow.subject, narrow.key, row)));
  if (!table) return null;
  return (
    <section class="card" aria-labelledby="tail">
      <div class="title">
        <h2 id="tail">Live rows</h2>
        <label class="inline">of <select value={nameOf(table)} onChange={(e) => pick(e.currentTarget.value)}>
          {offered.map((t) => <option key={nameOf(t)} value={nameOf(t)}>{words(t.table)}</option>)}
        </select></label>
        {fits && (
          <label class="inline"><input type="checkbox" checked={only} onChange={(e) => setOnly(e.currentTarget.checked)} /> only <span class="key">{keyText(chosen.subject, chosen.key)}</span></label>
        )}
        <button type="button" class="end" aria-pressed={paused} onClick={() => pause(!paused)}>{paused ? "Go on" : "Pause"}</button>
      </div>
      {entries.length === 0 ? (
        <p class="empty">{paused ? "Paused." : "Waiting for the next row…"}</p>
      ) : (
        <div class="scroll tail" tabIndex={0} role="region" aria-label="Rows, newest first">
          <table>
            <thead><tr>{table.columns.map((c) => <th key={c.name} scope="col" class={c.type}>{words(c.name)}</th>)}</tr></thead>
            <tbody>
              {entries.map(({ number, row }) => (
                <tr key={number}>{table.columns.map((c) => <td key={c.name} class={c.type}><Value table={table} column={c.name} row={row} /></td>)}</tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
