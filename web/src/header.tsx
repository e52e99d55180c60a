// SPDX-License-Identifier: Apache-2.0
// The line at the top, and what stands in for the page where nothing can be shown.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Status } from "./api";
import { duration, localClock } from "./format";
import type { Live, State } from "./live";
import type { Theme } from "./theme";

const PHASES: Record<State["phase"], string> = { connecting: "Connecting", live: "Live", lost: "Connection lost", token: "Locked" };

function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 26" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2.6" stroke-linecap="round">
      <path d="M2 9h9c5 0 5 12 10 12h9M2 15h5c5 0 5 9 9 9M2 3h13c5 0 5 12 10 12h5" />
    </svg>
  );
}

interface HeaderProps {
  phase: State["phase"];
  status: Status | null;
  theme: Theme;
  toggle: () => void;
}

export function Header({ phase, status, theme, toggle }: HeaderProps) {
  return (
    <header>
      <h1><Mark />weir</h1>
      <span class={`phase ${phase}`} role="status">{PHASES[phase]}</span>
      {status && phase === "live" && (
        <span class="quiet uptime">up {duration(status.updated_ms - status.started_ms)}<span class="wide"> · process {status.pid}</span></span>
      )}
      <nav aria-label="Elsewhere"><a href="/docs">API</a><a href="/metrics">Metrics</a></nav>
      <button type="button" class="theme" onClick={toggle} aria-pressed={theme === "dark"} aria-label="Dark colours" title="Dark colours">
        <svg viewBox="0 0 20 20" aria-hidden="true"><circle cx="10" cy="10" r="7.2" fill="none" stroke="currentColor" stroke-width="1.6" /><path d="M10 2.8a7.2 7.2 0 0 1 0 14.4z" fill="currentColor" /></svg>
      </button>
    </header>
  );
}

// What keeps the pipelines from running as they should.
export function NotReady({ reasons }: { reasons: string[] }) {
  return (
    <section class="notice" aria-label="Readiness">
      <strong role="status">Not ready</strong>
      <ul>{reasons.map((text) => <li key={text}>{text}</li>)}</ul>
    </section>
  );
}

interface LostProps {
  reason: string;
  retryAt: number;
  since: number | undefined;
  retry: () => void;
}

export function Lost({ reason, retryAt, since, retry }: LostProps) {
  const [now, tick] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => tick(Date.now()), 500);
    return () => clearInterval(timer);
  }, []);
  const left = Math.ceil((retryAt - now) / 1000);
  return (
    <section class="notice" aria-label="Connection">
      <p>
        <strong role="alert">Connection lost: {reason}.</strong> {since !== undefined && <>What you see is from {localClock(since)}. </>}
        {left > 0 ? <>Trying again in {left} s.</> : <>Trying again…</>}
      </p>
      <button type="button" onClick={retry}>Try now</button>
    </section>
  );
}

export function SignIn({ live, reason }: { live: Live; reason: string }) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []); // there is nothing else on the page
  const submit = (e: Event) => {
    e.preventDefault();
    const bearer = input.current?.value.trim();
    if (bearer) live.authenticate(bearer);
  };
  return (
    <form class="card signin" onSubmit={submit}>
      <h2>This weir asks who you are</h2>
      <p class="quiet">A reader's token opens it. It is kept until this tab is closed, and goes nowhere else.</p>
      <label for="token">Token</label>
      <div class="row">
        <input id="token" ref={input} type="password" autocomplete="off" required aria-describedby={reason ? "refused" : undefined} />
        <button type="submit">Open</button>
      </div>
      {reason && <p id="refused" class="refused" role="alert">{reason}</p>}
    </form>
  );
}
