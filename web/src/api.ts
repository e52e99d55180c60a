// SPDX-License-Identifier: Apache-2.0
// What the server says, and how it is asked. A token, where one is needed, lives as long as the tab.

export type Cell = string | number | boolean | null;
export type Row = Record<string, Cell>;

export interface Partition {
  partition: number;
  owned: boolean; // by the process that was asked; else the rest says nothing
  next_offset: number;
  end_offset: number;
  lag: number;
  high_ms: number | null;
}

export interface QueryCounts {
  filtered: number;
  late: number;
  folded: number;
}

export interface StoreNode {
  address: string;
  host_id: string | null;
  datacenter: string | null;
  rack: string | null;
  release: string | null;
  up: boolean;
  trouble: string | null;
  tokens: number;
  ownership: number;
  in_flight: number;
  window: number;
  requests: number;
  errors: number;
  timeouts: number;
  overloaded: number;
  latency_ms: number;
}

// null: not known.
export interface StoreTable {
  table: string;
  sstables: number | null;
  bytes: number | null;
  rows: number | null;
  reads: number | null;
  writes: number | null;
  read_latency_ms: number | null;
  write_latency_ms: number | null;
  compactions_pending: number | null;
}

export interface Compaction {
  table: string | null;
  kind: string | null;
  node: string | null;
  done_bytes: number;
  total_bytes: number;
}

export interface Store {
  kind: string;
  where: string;
  nodes: StoreNode[];
  tables: StoreTable[];
  compactions: Compaction[];
  rows_sent: number;
  requests: number;
  retries: number;
  refused: number;
  batches: number;
  rows_per_batch: number;
}

export interface Pipeline {
  pipeline: string;
  file?: string;
  topic: string;
  shared: boolean; // in a consumer group
  records: number;
  events: number;
  rows: Record<string, number>;
  queries?: Record<string, QueryCounts>;
  dead: Record<string, number>;
  partitions: Partition[];
  state: { open_windows: number; open_groups: number; keys: number; bytes: number };
  feed?: { events: number; rejects: number; done_bytes: number; total_bytes: number; ended: boolean };
  commits: number;
  lost: number;
  seconds: number;
  store: Store | null;
}

export interface Status {
  ready: boolean;
  reasons: string[];
  pid: number;
  started_ms: number;
  updated_ms: number;
  pipelines: Pipeline[];
}

export interface Table {
  pipeline: string;
  table: string;
  columns: { name: string; type: string }[];
  key: { partition: string[]; clustering: { name: string; order: string }[] };
  windowed: boolean;
  window: string | null;
  group_by: string[];
}

export interface Contract {
  pipeline: string;
  kind: "event" | "rows";
  of: string; // topic or table
  schema: unknown; // Avro
  subject: string | null;
  level: string | null;
  versions: { version: number; id: number; current: boolean }[];
  trouble: string | null;
}

export interface Letter {
  reason: string;
  topic: string;
  partition: number;
  offset: number;
  query: string | null;
  text: string;
  timestamp_ms: number;
  key: string | null;
  value: string | null;
}

export interface Dead {
  counts: Record<string, number>;
  letters: Letter[];
}

export interface RowsEvent {
  pipeline: string;
  table: string;
  rows: Row[];
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const TOKEN = "weir.token";

export const token = {
  get: () => sessionStorage.getItem(TOKEN),
  set: (value: string) => sessionStorage.setItem(TOKEN, value),
  drop: () => sessionStorage.removeItem(TOKEN),
};

// Why a request failed: the problem's own words where it has any.
async function failure(answer: Response): Promise<ApiError> {
  const problem = await answer.json().catch(() => null);
  return new ApiError(answer.status, problem?.detail ?? problem?.title ?? `${answer.status} ${answer.statusText}`);
}

export async function open(path: string, signal?: AbortSignal): Promise<Response> {
  const bearer = token.get();
  const headers: Record<string, string> = bearer ? { Authorization: `Bearer ${bearer}` } : {};
  const answer = await fetch(`/api/v1${path}`, { headers, signal, cache: "no-store" });
  if (!answer.ok) throw await failure(answer);
  return answer;
}

async function get<T>(path: string, query: Record<string, string | number>, signal?: AbortSignal): Promise<T> {
  const text = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)])).toString();
  return (await open(text ? `${path}?${text}` : path, signal)).json();
}

const tablePath = (t: Table) => `/tables/${encodeURIComponent(t.table)}`;

export const tables = (signal?: AbortSignal) => get<Table[]>("/tables", {}, signal);

export const contracts = (signal?: AbortSignal) => get<Contract[]>("/contracts", {}, signal);

export const rows = (t: Table, key: Row, limit: number, signal?: AbortSignal) => {
  const cells = Object.fromEntries(Object.entries(key).map(([name, cell]) => [name, String(cell)]));
  return get<{ rows: Row[]; next: string | null }>(`${tablePath(t)}/rows`, { ...cells, pipeline: t.pipeline, limit }, signal);
};

export const keys = (t: Table, prefix: string, limit: number, signal?: AbortSignal) =>
  get<{ keys: Row[] }>(`${tablePath(t)}/keys`, { ...(prefix && { prefix }), pipeline: t.pipeline, limit }, signal);

export const dead = (reason: string | null, limit: number, signal?: AbortSignal) =>
  get<Dead>("/dead", { ...(reason && { reason }), limit }, signal);
