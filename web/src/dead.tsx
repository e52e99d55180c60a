// SPDX-License-Identifier: Apache-2.0
// Dead letters: how many for which reason, and examples.
import { useEffect, useState } from "preact/hooks";
import { dead as fetchDead, type Dead, type Letter, type Pipeline } from "./api";
import { count, dayAndTime, words } from "./format";

const EXAMPLES = 20;
const AGAIN_MS = 3000; // letters may come faster than examples are worth fetching

const MEANING: Record<string, string> = {
  late: "its window was closed",
  malformed: "cannot be read as an event",
  future: "its clock is far ahead",
  unknown_schema: "its schema is not in the registry",
  refused: "the store will never take it",
};

function counts(pipelines: Pipeline[]): Record<string, number> {
  const sum: Record<string, number> = { late: 0, malformed: 0, future: 0, unknown_schema: 0 };
  for (const p of pipelines) for (const [reason, n] of Object.entries(p.dead)) sum[reason] = (sum[reason] ?? 0) + n;
  return sum;
}

function useLetters(reason: string | null, total: number, connections: number): Letter[] | null {
  const [found, set] = useState<Dead | null>(null);
  const [due, setDue] = useState(total);
  useEffect(() => {
    if (total === due) return;
    const timer = setTimeout(() => setDue(total), AGAIN_MS);
    return () => clearTimeout(timer);
  }, [total === due]);
  useEffect(() => {
    if (total === 0) return;
    const abort = new AbortController();
    fetchDead(reason, EXAMPLES, abort.signal).then(set, () => undefined);
    return () => abort.abort();
  }, [reason, due, connections, total === 0]);
  return found?.letters ?? null;
}

function Example({ letter }: { letter: Letter }) {
  const { reason, topic, partition, offset, query, text, timestamp_ms: at, key, value } = letter;
  return (
    <li>
      <details>
        <summary><b class={`reason ${reason}`}>{words(reason)}</b> <span class="why">{text}</span>{query && <span class="quiet"> · {words(query)}</span>}</summary>
        <dl class="letter">
          <dt>Record</dt><dd>{topic}, partition {partition}, offset {offset}</dd>
          {query && <><dt>Query</dt><dd>{query}</dd></>}
          <dt>Time</dt><dd>{at > 0 ? `${dayAndTime(at)} UTC` : "–"}</dd>
          {key !== null && <><dt>Key</dt><dd><code>{key}</code></dd></>}
          {value !== null && <><dt>Value</dt><dd><code>{value}</code></dd></>}
        </dl>
      </details>
    </li>
  );
}

export function DeadLetters({ pipelines, connections }: { pipelines: Pipeline[]; connections: number }) {
  const [reason, choose] = useState<string | null>(null);
  const by = counts(pipelines);
  const total = Object.values(by).reduce((sum, n) => sum + n, 0);
  const letters = useLetters(reason, total, connections);
  return (
    <section class="card" aria-labelledby="dead">
      <div class="title">
        <h2 id="dead">Dead letters</h2>
        <span class="quiet">{total === 0 ? "none" : count(total)}</span>
      </div>
      <div class="reasons" role="group" aria-label="By reason">
        {Object.entries(by).map(([name, n]) => (
          <button key={name} type="button" disabled={n === 0} aria-pressed={reason === name} onClick={() => choose(reason === name ? null : name)}>
            <b>{count(n)}</b> {words(name)} <small>{MEANING[name]}</small>
          </button>
        ))}
      </div>
      {total === 0 ? (
        <p class="empty">Every event so far was read and counted.</p>
      ) : (
        <ul class="letters">{letters?.map((l, i) => <Example key={`${l.topic}/${l.partition}/${l.offset}/${l.query}/${i}`} letter={l} />)}</ul>
      )}
    </section>
  );
}
