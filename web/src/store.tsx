// SPDX-License-Identifier: Apache-2.0
// The ring under a pipeline's tables, as its operators know it: nodes, tables, compactions. The embedded store has nothing of the kind to show.
import type { Compaction, Pipeline, Store, StoreNode, StoreTable } from "./api";
import { Figure } from "./figure";
import { bytes, count, measured, words } from "./format";

const known = (n: number | null) => (n === null ? "–" : count(n));
const ms = (n: number | null) => (n === null ? "–" : `${n >= 100 ? count(n) : measured(Number(n.toPrecision(3)))} ms`);
const worry = (n: number) => (n > 0 ? "warn" : "quiet");

function Node({ node: n }: { node: StoreNode }) {
  return (
    <tr>
      <th scope="row" title={n.host_id ?? undefined}>{n.address}</th>
      <td class="state"><span class={n.up ? "up" : "down"}>{n.up ? "Up" : "Down"}</span></td>
      <td class="text">{[n.datacenter, n.rack].filter(Boolean).join(" · ") || "–"}</td>
      <td>{(n.ownership * 100).toFixed(1)} %</td>
      <td>{count(n.in_flight)} of {count(n.window)}</td>
      <td>{ms(n.latency_ms)}</td>
      <td>{count(n.requests)}</td>
      <td class={worry(n.errors)}>{count(n.errors)}</td>
      <td class={worry(n.timeouts)}>{count(n.timeouts)}</td>
      <td class={worry(n.overloaded)}>{count(n.overloaded)}</td>
    </tr>
  );
}

const NODE_COLUMNS = ["Owns", "In flight", "Latency", "Requests", "Errors", "Timeouts", "Overloaded"];

function Nodes({ nodes }: { nodes: StoreNode[] }) {
  const down = nodes.filter((n) => !n.up);
  return (
    <>
      <div class="scroll" tabIndex={0} role="region" aria-label="Nodes">
        <table>
          <caption>Nodes: {nodes.length - down.length} of {nodes.length} up</caption>
          <thead>
            <tr>
              <th scope="col">Address</th>
              <th scope="col" class="text">State</th>
              <th scope="col" class="text">Data centre, rack</th>
              {NODE_COLUMNS.map((name) => <th scope="col" key={name}>{name}</th>)}
            </tr>
          </thead>
          <tbody>{nodes.map((n) => <Node key={n.address} node={n} />)}</tbody>
        </table>
      </div>
      {down.length > 0 && <ul class="troubles">{down.map((n) => <li key={n.address} class="warn">{n.address}: {n.trouble}</li>)}</ul>}
    </>
  );
}

function TableRow({ table: t }: { table: StoreTable }) {
  return (
    <tr>
      <th scope="row" title={t.table}>{words(t.table)}</th>
      <td>{known(t.rows)}</td>
      <td>{known(t.sstables)}</td>
      <td>{t.bytes === null ? "–" : bytes(t.bytes)}</td>
      <td>{known(t.reads)}</td>
      <td>{ms(t.read_latency_ms)}</td>
      <td>{known(t.writes)}</td>
      <td>{ms(t.write_latency_ms)}</td>
      <td>{known(t.compactions_pending)}</td>
    </tr>
  );
}

const TABLE_COLUMNS = ["Table", "Rows, about", "SSTables", "On disk", "Reads", "a read", "Writes", "a write", "Compactions pending"];

function Tables({ tables }: { tables: StoreTable[] }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Tables of the store">
      <table>
        <caption>Tables, over all nodes and copies</caption>
        <thead><tr>{TABLE_COLUMNS.map((name) => <th scope="col" key={name}>{name}</th>)}</tr></thead>
        <tbody>{tables.map((t) => <TableRow key={t.table} table={t} />)}</tbody>
      </table>
    </div>
  );
}

function Running({ compaction: c }: { compaction: Compaction }) {
  const what = `${words(c.kind ?? "compaction")} of ${c.table ? words(c.table) : "a table"}`;
  return (
    <li class="feed">
      <span>{what}{c.node && <span class="quiet"> on {c.node}</span>}</span>
      <progress max={Math.max(c.total_bytes, 1)} value={Math.min(c.done_bytes, c.total_bytes)} aria-label={what} />
      <span class="quiet">{bytes(c.done_bytes)} of {bytes(c.total_bytes)}</span>
    </li>
  );
}

function Compactions({ all }: { all: Compaction[] }) {
  if (all.length === 0) return <p class="quiet small">No compaction is running.</p>;
  return <ul aria-label="Running compactions">{all.map((c, i) => <Running key={i} compaction={c} />)}</ul>;
}

function Ring({ pipeline, store: s, several }: { pipeline: string; store: Store; several: boolean }) {
  const id = `store-${pipeline}`;
  return (
    <section class="card ring" aria-labelledby={id}>
      <div class="title">
        <h2 id={id}>Store{several && ` of ${pipeline}`}</h2>
        <span class="quiet">Cassandra, keyspace {s.where}</span>
      </div>
      <dl class="figures facts">
        <Figure name="Rows sent" value={count(s.rows_sent)} note={`${measured(Number(s.rows_per_batch.toPrecision(3)))} a batch`} />
        <Figure name="Requests" value={count(s.requests)} note={`${count(s.retries)} sent again`} />
        <Figure name="Rows refused" value={count(s.refused)} />
      </dl>
      <Nodes nodes={s.nodes} />
      <Tables tables={s.tables} />
      <Compactions all={s.compactions} />
    </section>
  );
}

export function Stores({ pipelines }: { pipelines: Pipeline[] }) {
  const rings = pipelines.filter((p) => p.store && p.store.kind !== "embedded");
  return <>{rings.map((p) => <Ring key={p.pipeline} pipeline={p.pipeline} store={p.store!} several={pipelines.length > 1} />)}</>;
}
