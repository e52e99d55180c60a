// SPDX-License-Identifier: Apache-2.0
// The connection: keeps one stream open, comes back when it breaks, and holds what was heard last.
import { ApiError, open, tables, token, type RowsEvent, type Status, type Table } from "./api";
import { Rates } from "./rates";
import { readEvents } from "./sse";

const SILENCE_MS = 6000; // a status comes each second: this long without a byte, and the connection is dead
const WAITS_MS = [1000, 2000, 4000, 8000, 15000];

export interface State {
  phase: "connecting" | "live" | "lost" | "token";
  reason: string; // why it is lost, or why the token was refused
  retryAt: number; // when lost: the next attempt
  status: Status | null;
  tables: Table[];
  rates: Rates;
  connections: number; // how often it connected: what was fetched before is out of date
}

export class Live {
  state: State = { phase: "connecting", reason: "", retryAt: 0, status: null, tables: [], rates: new Rates(), connections: 0 };
  private listeners = new Set<() => void>();
  private rowListeners = new Set<(e: RowsEvent) => void>();
  private abort = new AbortController();
  private timer = 0;
  private failures = 0;

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  onRows(listener: (e: RowsEvent) => void): () => void {
    this.rowListeners.add(listener);
    return () => this.rowListeners.delete(listener);
  }

  // Connects now, whatever was waited for.
  connect(): void {
    clearTimeout(this.timer);
    this.abort.abort();
    const abort = (this.abort = new AbortController());
    if (this.state.phase !== "lost") this.set({ phase: "connecting" });
    this.follow(abort).catch((e: unknown) => {
      if (abort === this.abort) this.failed(e);
    });
  }

  authenticate(bearer: string): void {
    token.set(bearer);
    this.failures = 0;
    this.connect();
  }

  private set(change: Partial<State>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }

  private async follow(abort: AbortController): Promise<void> {
    let silence = 0;
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(() => abort.abort(new Error("the server fell silent")), SILENCE_MS);
    };
    heard();
    try {
      const known = await tables(abort.signal);
      const answer = await open("/stream", abort.signal);
      if (!answer.body) throw new Error("the server sent no stream");
      this.failures = 0;
      this.set({ phase: "live", reason: "", tables: known, connections: this.state.connections + 1 });
      await readEvents(answer.body, (m) => this.take(m.event, m.data), heard);
    } catch (e) {
      throw abort.signal.aborted && abort.signal.reason instanceof Error ? abort.signal.reason : e;
    } finally {
      clearTimeout(silence);
    }
    throw new Error("the server ended the stream");
  }

  private take(event: string, data: string): void {
    if (event === "status") {
      const status = JSON.parse(data) as Status;
      this.state.rates.add(status);
      this.set({ status });
    } else if (event === "rows") {
      const rows = JSON.parse(data) as RowsEvent;
      for (const listener of this.rowListeners) listener(rows);
    }
  }

  private failed(e: unknown): void {
    if (e instanceof ApiError && e.status === 401) {
      const tried = token.get() !== null;
      token.drop();
      this.set({ phase: "token", reason: tried ? "This token was not accepted." : "" });
      return;
    }
    const wait = WAITS_MS[Math.min(this.failures++, WAITS_MS.length - 1)]!;
    const reason = e instanceof ApiError ? e.message : e instanceof TypeError ? "the server does not answer" : String((e as Error)?.message ?? e);
    this.timer = setTimeout(() => this.connect(), wait);
    this.set({ phase: "lost", reason, retryAt: Date.now() + wait });
  }
}
