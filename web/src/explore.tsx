// SPDX-License-Identifier: Apache-2.0
// One device or group: what is known of it, its windows as charts, its readings.
import { useEffect, useMemo } from "preact/hooks";
import { keys, type Row, type Table } from "./api";
import type { Chosen } from "./app";
import { Chart, type Line } from "./chart";
import { cell, dayAndTime, words } from "./format";
import type { Live } from "./live";
import { Picker } from "./picker";
import { useRows } from "./rows";
import { series } from "./series";
import { keysTable, measures, moment, values, windowOf, type Measure, type Role, type Subject } from "./shape";
import type { Theme } from "./theme";

const POINTS = 400;
const READINGS = 240;
const RAW_CHARTS = 3;
const ORDER: Role[] = ["max", "avg", "median", "min"];
const FIRST_KEY_MS = 1500; // how often a key is looked for while there is none

interface OfKey {
  live: Live;
  subject: Subject;
  table: Table;
  chosen: Row;
  connections: number;
  theme: Theme;
}

function MeasureChart({ table, measure, rows, theme }: { table: Table; measure: Measure; rows: Row[]; theme: Theme }) {
  const { title, seconds } = windowOf(table);
  const lines = useMemo<Line[]>(
    () => ORDER.filter((role) => measure.columns[role]).map((role) => ({ role, name: measure.columns[role]! })), [table, measure.name]);
  const data = useMemo(() => series(table, rows, lines.map((l) => l.name)), [table, rows, lines]);
  if (data.at.length === 0) return null;
  return <Chart title={title} measure={measure.name} lines={lines} series={data} stepSeconds={seconds} theme={theme} />;
}

function Windows({ live, subject, table, chosen, connections, theme }: OfKey) {
  const rows = useRows(live, subject, table, chosen, POINTS, connections);
  if (rows === null) return <div class="chart" aria-busy="true" />;
  if (rows.length === 0) {
    return (
      <div class="chart none">
        <h3>{windowOf(table).title}</h3>
        <p class="quiet">No window written yet. One appears here when the first closes.</p>
      </div>
    );
  }
  return <>{measures(table).map((m) => <MeasureChart key={m.name} table={table} measure={m} rows={rows} theme={theme} />)}</>;
}

function Reading({ table, column, rows, theme }: { table: Table; column: string; rows: Row[]; theme: Theme }) {
  const lines = useMemo<Line[]>(() => [{ role: "reading", name: column }], [column]);
  const data = useMemo(() => series(table, rows, [column]), [table, rows, column]);
  if (data.at.length === 0) return null;
  return (
    <Chart title="Readings" measure={words(column)} lines={lines} series={data} stepSeconds={0} scattered={table.key.clustering.length > 1} theme={theme} />
  );
}

function Readings({ live, subject, table, chosen, connections, theme }: OfKey) {
  const rows = useRows(live, subject, table, chosen, READINGS, connections);
  return <>{rows && values(table).slice(0, RAW_CHARTS).map((c) => <Reading key={c} table={table} column={c} rows={rows} theme={theme} />)}</>;
}

function Facts({ live, subject, table, chosen, connections }: Omit<OfKey, "theme">) {
  const row = useRows(live, subject, table, chosen, 1, connections)?.[0];
  const names = table.columns.map((c) => c.name).filter((name) => !subject.columns.includes(name));
  const shown = (name: string) => {
    const ms = moment(table, name, row?.[name]);
    return ms === null ? cell(row?.[name]) : dayAndTime(ms);
  };
  return (
    <dl class="figures facts">
      {names.map((name) => <div class="figure" key={name}><dt>{words(name)}</dt><dd>{shown(name)}</dd></div>)}
    </dl>
  );
}

// Chooses the first key there is, as soon as there is one.
function useFirstKey(subject: Subject, chosen: Chosen | null, choose: (c: Chosen) => void): void {
  useEffect(() => {
    if (chosen?.subject.id === subject.id) return;
    const abort = new AbortController();
    let timer = 0;
    const look = () =>
      keys(keysTable(subject), "", 1, abort.signal)
        .then((found) => {
          if (found.keys[0]) choose({ subject, key: found.keys[0] });
          else timer = setTimeout(look, FIRST_KEY_MS);
        })
        .catch(() => abort.signal.aborted || (timer = setTimeout(look, FIRST_KEY_MS)));
    look();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [subject.id, chosen?.subject.id]);
}

function Subjects({ all, current, select }: { all: Subject[]; current: Subject; select: (s: Subject) => void }) {
  const several = new Set(all.map((s) => s.pipeline)).size > 1;
  if (all.length < 2) return null;
  return (
    <fieldset class="choice">
      <legend class="hidden">What to look at</legend>
      {all.map((s) => (
        <label key={s.id}>
          <input type="radio" name="subject" checked={s.id === current.id} onChange={() => select(s)} />
          <span>{several && `${s.pipeline}: `}{s.title}</span>
        </label>
      ))}
    </fieldset>
  );
}

interface ExploreProps {
  live: Live;
  subjects: Subject[];
  selected: string;
  select: (id: string) => void;
  connections: number;
  theme: Theme;
  chosen: Chosen | null;
  choose: (c: Chosen) => void;
}

export function Explore({ live, subjects, selected, select, connections, theme, chosen, choose }: ExploreProps) {
  const subject = subjects.find((s) => s.id === selected) ?? subjects[0]!;
  useFirstKey(subject, chosen, choose);
  const key = chosen?.subject.id === subject.id ? chosen.key : null;
  const of = key && { live, subject, chosen: key, connections, theme };
  return (
    <section class="card explore" aria-labelledby="explore">
      <div class="title">
        <h2 id="explore">History</h2>
        <Subjects all={subjects} current={subject} select={(s) => select(s.id)} />
        <Picker key={subject.id} subject={subject} chosen={key} choose={(k) => choose({ subject, key: k })} />
      </div>
      {of ? (
        <>
          {subject.facts && <Facts {...of} table={subject.facts} />}
          <div class="charts">
            {subject.windows.map((t) => <Windows key={t.table} {...of} table={t} />)}
            {subject.raw && <Readings {...of} table={subject.raw} />}
          </div>
        </>
      ) : (
        <p class="empty">Nothing has been written yet. The first {subject.title} appears here by itself.</p>
      )}
    </section>
  );
}
