// SPDX-License-Identifier: Apache-2.0
// The page from top to bottom.
import { useEffect, useMemo, useState } from "preact/hooks";
import type { Row } from "./api";
import { Contracts } from "./contracts";
import { DeadLetters } from "./dead";
import { Explore } from "./explore";
import { Flow } from "./flow";
import { Header, Lost, NotReady, SignIn } from "./header";
import type { Live } from "./live";
import { subjects, type Subject } from "./shape";
import { Stores } from "./store";
import { Tail } from "./tail";
import { useTheme } from "./theme";

export interface Chosen {
  subject: Subject;
  key: Row;
}

export function App({ live }: { live: Live }) {
  const [, redraw] = useState(0);
  const [theme, toggle] = useTheme();
  const [chosen, choose] = useState<Chosen | null>(null);
  const [selected, select] = useState("");
  useEffect(() => live.onChange(() => redraw((n) => n + 1)), [live]);
  const { phase, status, tables, reason, retryAt, connections, rates } = live.state;
  const all = useMemo(() => subjects(tables), [tables]);

  return (
    <>
      <a class="skip" href="#main">Skip to content</a>
      <Header phase={phase} status={status} theme={theme} toggle={toggle} />
      <main id="main" tabIndex={-1}>
        {phase === "token" && <SignIn live={live} reason={reason} />}
        {phase === "lost" && <Lost reason={reason} retryAt={retryAt} since={status?.updated_ms} retry={() => live.connect()} />}
        {phase === "live" && status && !status.ready && <NotReady reasons={status.reasons} />}
        {phase === "connecting" && !status && <p class="empty" role="status">Connecting…</p>}
        {phase !== "token" && status && (
          <div class={phase === "live" ? undefined : "stale"}>
            {status.pipelines.length === 0 && <p class="empty">No pipeline runs here.</p>}
            <Flow pipelines={status.pipelines} rates={rates} />
            <Stores pipelines={status.pipelines} />
            {all.length > 0 && (
              <Explore live={live} subjects={all} selected={selected} select={select} connections={connections} theme={theme} chosen={chosen} choose={choose} />
            )}
            <Tail live={live} tables={tables} chosen={chosen} />
            <DeadLetters pipelines={status.pipelines} connections={connections} />
            <Contracts connections={connections} />
          </div>
        )}
      </main>
    </>
  );
}
