// SPDX-License-Identifier: Apache-2.0
// What flows through each pipeline: rate, lag, event time, rows, state, feed.
import type { Partition, Pipeline } from "./api";
import { Figure } from "./figure";
import { bytes, count, dayAndTime, rate, words } from "./format";
import { HISTORY, type Rates } from "./rates";

const WIDTH = 240;
const HEIGHT = 48;

function Sparkline({ values }: { values: number[] }) {
  const top = Math.max(...values, 1);
  const x = (i: number) => WIDTH - ((values.length - 1 - i) * WIDTH) / (HISTORY - 1);
  const y = (v: number) => HEIGHT - 2 - (v / top) * (HEIGHT - 6);
  const line = values.map((v, i) => `${x(i).toFixed(1)},${y(v).toFixed(1)}`).join("L");
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <path class="ground" d={`M0,${HEIGHT - 1}H${WIDTH}`} />
      {values.length > 1 && <path class="area" d={`M${x(0)},${HEIGHT}L${line}L${WIDTH},${HEIGHT}Z`} />}
      {values.length > 1 && <path class="line" d={`M${line}`} />}
    </svg>
  );
}

function Feed({ feed }: { feed: NonNullable<Pipeline["feed"]> }) {
  const { done_bytes: done, total_bytes: total } = feed;
  const rejects = feed.rejects > 0 ? `, ${count(feed.rejects)} rejected` : "";
  if (feed.events === 0 && total === 0) return null;
  return (
    <div class="feed">
      <span>{feed.ended ? "Feed ended" : "Feed"}</span>
      {total > 0 && <progress max={total} value={done} aria-label="Feed read so far" />}
      <span class="quiet">
        {total > 0 && `${Math.floor((100 * done) / total)} % of ${bytes(total)} · `}{count(feed.events)} events{rejects}
      </span>
    </div>
  );
}

function PartitionRow({ partition: k, shared }: { partition: Partition; shared: boolean }) {
  return (
    <tr>
      <th scope="row">{k.partition}</th>
      {shared && <td class="text">{k.owned ? "this process" : <span class="quiet">another</span>}</td>}
      <td>{k.owned ? count(k.lag) : "–"}</td>
      <td>{k.owned ? count(k.next_offset) : "–"}</td>
      <td>{k.owned && k.high_ms != null ? dayAndTime(k.high_ms) : "–"}</td>
    </tr>
  );
}

function Partitions({ p }: { p: Pipeline }) {
  return (
    <table>
      <caption class="hidden">Partitions of topic {p.topic}</caption>
      <thead>
        <tr>
          <th scope="col">Partition</th>
          {p.shared && <th scope="col" class="text">Read by</th>}
          <th scope="col">Lag</th><th scope="col">Next offset</th><th scope="col">Event time, UTC</th>
        </tr>
      </thead>
      <tbody>{p.partitions.map((k) => <PartitionRow key={k.partition} partition={k} shared={p.shared} />)}</tbody>
    </table>
  );
}

function Tables({ p, rates }: { p: Pipeline; rates: Rates }) {
  return (
    <table>
      <caption class="hidden">Tables</caption>
      <thead><tr><th scope="col">Table</th><th scope="col">Rows</th><th scope="col">per s</th><th scope="col">Late</th></tr></thead>
      <tbody>
        {Object.entries(p.rows).map(([name, n]) => (
          <tr key={name}>
            <th scope="row" title={name}>{words(name)}</th>
            <td>{count(n)}</td>
            <td>{rate(rates.rows(p.pipeline, name) ?? 0)}</td>
            <td class={p.queries?.[name]?.late ? "warn" : "quiet"}>{count(p.queries?.[name]?.late ?? 0)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function One({ p, rates }: { p: Pipeline; rates: Rates }) {
  const now = rates.records(p.pipeline);
  const owned = p.partitions.filter((k) => k.owned);
  const lag = owned.reduce((sum, k) => sum + k.lag, 0);
  const share = p.shared ? `${owned.length} of ${p.partitions.length} partitions` : "";
  const heard = owned.map((k) => k.high_ms).filter((ms): ms is number => ms != null);
  const lost = p.lost > 0 ? `${count(p.lost)} lost to retention` : "";
  return (
    <section class="card" aria-labelledby={`flow-${p.pipeline}`}>
      <div class="title">
        <h2 id={`flow-${p.pipeline}`}>{p.pipeline}</h2>
        <span class="quiet">from topic {p.topic}</span>
      </div>
      <div class="river">
        <p class="now"><b>{now === null ? "–" : rate(now)}</b> records/s</p>
        <Sparkline values={rates.history(p.pipeline)} />
      </div>
      <dl class="figures">
        <Figure name="Records" value={count(p.records)} note={lost} />
        <Figure name="Lag" value={count(lag)} note={share} />
        <Figure name="Event time" value={heard.length ? dayAndTime(Math.min(...heard)) : "–"} note={heard.length ? "UTC" : ""} />
        <Figure name="Open windows" value={count(p.state.open_windows)} note={`${count(p.state.open_groups)} groups`} />
        <Figure name="State" value={bytes(p.state.bytes)} note={`${count(p.state.keys)} keys`} />
        <Figure name="Commits" value={count(p.commits)} />
      </dl>
      {p.feed && <Feed feed={p.feed} />}
      <div class="pair">
        <div><Tables p={p} rates={rates} /></div>
        <div><Partitions p={p} /></div>
      </div>
    </section>
  );
}

export function Flow({ pipelines, rates }: { pipelines: Pipeline[]; rates: Rates }) {
  return <>{pipelines.map((p) => <One key={p.pipeline} p={p} rates={rates} />)}</>;
}
