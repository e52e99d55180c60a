// SPDX-License-Identifier: Apache-2.0
// What the pipelines agree on with others: the schemas of events and of tables' rows, and what the registry has of them.
import { useEffect, useState } from "preact/hooks";
import { contracts as fetchContracts, type Contract } from "./api";
import { fields, recordName, type Field } from "./schema";

const AGAIN_MS = 10_000;

function useContracts(connections: number): Contract[] {
  const [found, set] = useState<Contract[]>([]);
  useEffect(() => {
    const abort = new AbortController();
    let timer = 0;
    const look = () =>
      fetchContracts(abort.signal)
        .then(set, () => undefined)
        .finally(() => abort.signal.aborted || (timer = setTimeout(look, AGAIN_MS)));
    look();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [connections]);
  return found;
}

function Standing({ contract: c }: { contract: Contract }) {
  const current = c.versions.find((v) => v.current);
  if (c.trouble) return <span class="warn">{c.trouble}</span>;
  if (!c.subject) return <span class="quiet">not in a registry</span>;
  if (c.versions.length === 0) return <span class="quiet">{c.level} · not registered yet</span>;
  return (
    <span class="quiet">
      {c.level} · {current ? `version ${current.version}` : <span class="warn">differs from all versions</span>} of {c.versions.length}
      {current && `, id ${current.id}`}
    </span>
  );
}

function FieldRow({ field: f }: { field: Field }) {
  return (
    <tr>
      <th scope="row">{f.name}</th>
      <td class="text">{f.type}</td>
      <td class="text">{f.fallback ?? <span class="quiet">–</span>}</td>
      <td class="text quiet">{f.doc}</td>
    </tr>
  );
}

function Fields({ contract: c }: { contract: Contract }) {
  return (
    <div class="scroll">
      <table>
        <caption class="hidden">Fields of {recordName(c)}</caption>
        <thead>
          <tr>{["Field", "Type", "Default", "What it is"].map((name) => <th scope="col" class="text" key={name}>{name}</th>)}</tr>
        </thead>
        <tbody>{fields(c.schema).map((f) => <FieldRow key={f.name} field={f} />)}</tbody>
      </table>
    </div>
  );
}

function One({ contract: c }: { contract: Contract }) {
  return (
    <li>
      <details>
        <summary>
          <b>{recordName(c)}</b> <span class="quiet">{c.kind === "event" ? "events of topic" : "rows of table"} {c.of} · </span><Standing contract={c} />
        </summary>
        <Fields contract={c} />
        {c.subject && (
          <p class="quiet small">
            Subject {c.subject}
            {c.versions.length > 0 && <>: {c.versions.map((v) => `version ${v.version} has id ${v.id}`).join(", ")}</>}
          </p>
        )}
      </details>
    </li>
  );
}

export function Contracts({ connections }: { connections: number }) {
  const all = useContracts(connections);
  if (all.length === 0) return null;
  return (
    <section class="card" aria-labelledby="contracts">
      <div class="title">
        <h2 id="contracts">Contracts</h2>
        <span class="quiet">what writers and readers can rely on</span>
      </div>
      <ul class="letters contracts">{all.map((c) => <One key={`${c.pipeline}/${c.kind}/${c.of}`} contract={c} />)}</ul>
    </section>
  );
}
