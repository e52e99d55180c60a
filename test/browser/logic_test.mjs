// SPDX-License-Identifier: Apache-2.0
// What the page makes of tables, rows and streams, without a browser. WEIR_WEB: the folder of its sources.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { before, test } from "node:test";
import { pathToFileURL } from "node:url";

const WEB = pathToFileURL(process.env.WEIR_WEB);
const { build } = createRequire(WEB)("esbuild");
let shape, series, sse, rates, schema;

async function load(name) {
  const made = await build({ entryPoints: [new URL(`src/${name}.ts`, WEB).pathname], bundle: true, format: "esm", target: "es2022", write: false });
  return import(`data:text/javascript;base64,${Buffer.from(made.outputFiles[0].contents).toString("base64")}`);
}

before(async () => {
  [shape, series, sse, rates, schema] = await Promise.all(["shape", "series", "sse", "rates", "schema"].map(load));
});

const table = (columns, { partition = ["id"], clustering = [], ...more } = {}) => ({
  pipeline: "p", table: "t", columns: Object.entries(columns).map(([name, type]) => ({ name, type })),
  key: { partition, clustering: clustering.map((name) => ({ name, order: "desc" })) }, windowed: true, window: "calendar day", group_by: ["id"], ...more,
});

test("columns are known by their names", () => {
  const roles = (...names) => shape.measures(table(Object.fromEntries(names.map((n) => [n, "double"]))));
  assert.deepEqual(roles("avg", "min", "max", "median"), [{ name: "", columns: { avg: "avg", min: "min", max: "max", median: "median" } }]);
  assert.deepEqual(roles("temperature_mean", "low_temperature", "temperatureHigh", "mid_humidity"), [
    { name: "temperature", columns: { avg: "temperature_mean", min: "low_temperature", max: "temperatureHigh" } },
    { name: "humidity", columns: { median: "mid_humidity" } },
  ]);
  assert.deepEqual(roles("minute", "maximal", "lowland", "average_speed").map((m) => m.name), ["speed"]);
  assert.deepEqual(roles("min_a"), [], "half a band is none");
  assert.deepEqual(shape.measures(table({ avg: "text", max: "text" })), []);
});

test("time comes from the calendar, from seconds, milliseconds or words", () => {
  const at = (t, row) => shape.time(t)?.of(row);
  const calendar = table({ id: "text", year: "int", month: "int", day: "int", hour: "int" });
  assert.equal(at(calendar, { year: 2024, month: 2, day: 29, hour: 23 }), Date.UTC(2024, 1, 29, 23));
  assert.equal(at(table({ year: "int", month: "int" }), { year: 2024, month: 2 }), Date.UTC(2024, 1, 1));
  const bucket = table({ id: "uuid", hour_bucket: "bigint" }, { clustering: ["hour_bucket"] });
  assert.equal(at(bucket, { hour_bucket: 1767225600 }), Date.UTC(2026, 0, 1));
  assert.equal(at(bucket, { hour_bucket: 1767225600000 }), Date.UTC(2026, 0, 1));
  const stamp = table({ t: "timestamp" }, { clustering: ["t"] });
  assert.equal(at(stamp, { t: "2026-01-01T00:00:00Z" }), Date.UTC(2026, 0, 1));
  assert.equal(at(stamp, { t: null }), null);
  assert.equal(shape.time(table({ id: "text", n: "text" }, { clustering: ["n"] })), null);
});

test("windows have a heading, the shortest first", () => {
  const title = (window) => shape.windowOf(table({}, { window })).title;
  assert.deepEqual(["calendar hour", "calendar day", "calendar week", "calendar month", "tumbling 1 hour", "tumbling 1 h"].map(title),
    ["Hourly", "Daily", "Weekly", "Monthly", "Hourly", "Hourly"]);
  assert.equal(title("tumbling 15 minutes"), "Tumbling 15 minutes");
  assert.equal(title("sliding 30 days every 1 day"), "Sliding 30 days every 1 day");
  const windows = ["calendar month", "calendar hour", "sliding 30 days every 1 day", "calendar day"].map((window) =>
    table({ id: "text", year: "int", avg: "double" }, { window }));
  assert.deepEqual(shape.subjects(windows)[0].windows.map((t) => t.window), ["calendar hour", "calendar day", "sliding 30 days every 1 day", "calendar month"]);
});

test("tables of one key are one subject", () => {
  const raw = table({ device_id: "uuid", timestamp: "bigint", temperature: "float" },
    { table: "raw", partition: ["device_id"], clustering: ["timestamp"], windowed: false, window: null, group_by: [] });
  const facts = table({ device_id: "uuid", device_name: "text" }, { table: "devices", partition: ["device_id"], windowed: false, window: null, group_by: ["device_id"] });
  const hourly = table({ device_id: "uuid", hour_bucket: "bigint", avg_temperature: "float" }, { table: "hourly", partition: ["device_id"], clustering: ["hour_bucket"] });
  const other = table({ id: "text", year: "int", avg: "double" });
  const [first, second, ...rest] = shape.subjects([raw, hourly, facts, other]);
  assert.deepEqual([first.title, first.raw.table, first.facts.table, first.windows.map((t) => t.table)], ["device", "raw", "devices", ["hourly"]]);
  assert.equal(second.title, "id");
  assert.deepEqual(rest, []);
  assert.deepEqual(shape.values(raw), ["temperature"]);
});

test("rows become ascending points, each time once, gaps where there is no number", () => {
  const t = table({ id: "text", at: "bigint", avg: "double" }, { clustering: ["at"] });
  const rows = [{ id: "a", at: 3e12, avg: 3 }, { id: "a", at: 1e12, avg: null }, { id: "a", at: 2e12, avg: "NaN" }];
  assert.deepEqual(series.series(t, rows, ["avg"]), { at: [1e12, 2e12, 3e12], values: [[null, null, 3]] });
  const newer = series.merge(t, rows, [{ id: "a", at: 2e12, avg: 2 }, { id: "a", at: 4e12, avg: 4 }], 3);
  assert.deepEqual(series.series(t, newer, ["avg"]), { at: [2e12, 3e12, 4e12], values: [[2, 3, 4]] });
});

test("a stream is read however it is cut", async () => {
  const text = ": hello\nevent: status\r\ndata: {\"a\":\ndata: \"è\"}\r\n\r\ndata:x\n\nevent: rows\n\nevent: cut\ndata: of";
  const bytes = new TextEncoder().encode(text);
  for (let size = 1; size <= bytes.length; size++) {
    const body = new ReadableStream({
      start(c) {
        for (let i = 0; i < bytes.length; i += size) c.enqueue(bytes.slice(i, i + size));
        c.close();
      },
    });
    const got = [];
    await sse.readEvents(body, (m) => got.push(m), () => undefined);
    assert.deepEqual(got, [{ event: "status", data: '{"a":\n"è"}' }, { event: "message", data: "x" }], `pieces of ${size}`);
  }
});

test("rates are growth over time, anew after a restart", () => {
  const r = new rates.Rates();
  const status = (started_ms, updated_ms, records) => ({ started_ms, updated_ms, pipelines: [{ pipeline: "p", records, rows: { t: 2 * records } }] });
  r.add(status(1, 1000, 100));
  assert.equal(r.records("p"), null);
  r.add(status(1, 3000, 300));
  assert.deepEqual([r.records("p"), r.rows("p", "t")], [100, 200]);
  r.add(status(2, 4000, 5));
  assert.equal(r.records("p"), null);
});

test("schemas are said in words, whatever they are", () => {
  const type = (t) => schema.typeName(t);
  assert.equal(type("long"), "long");
  assert.equal(type(["null", "float"]), "float or null");
  assert.equal(type({ type: "string", logicalType: "uuid" }), "string (uuid)");
  assert.equal(type({ type: "array", items: ["null", { type: "record", name: "Place", fields: [] }] }), "list of Place or null");
  assert.equal(type({ type: "map", values: { type: "enum", name: "Kind", symbols: ["A", "B"] } }), "map of one of A, B");
  let deep = "int";
  for (let i = 0; i < 50; i++) deep = { type: "array", items: deep };
  assert.match(type(deep), /…$/);
  for (const odd of [null, 7, {}, [], { type: null }]) assert.equal(typeof type(odd), "string");
  const record = { type: "record", name: "R", fields: [{ name: "a", type: "int", doc: "how many" }, { name: "b", type: ["null", "int"], default: null }, 7] };
  assert.deepEqual(schema.fields(record), [{ name: "a", type: "int", fallback: null, doc: "how many" }, { name: "b", type: "int or null", fallback: "null", doc: "" }]);
  for (const odd of [null, "string", [], { fields: 7 }]) assert.deepEqual(schema.fields(odd), []);
});
