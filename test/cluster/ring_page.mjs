// SPDX-License-Identifier: Apache-2.0
// The page over a real ring. STORE: its URL with a keyspace; HOSTS: its nodes; LAST_PID: the process of the last of them, which is stopped for a while.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { accessible, launch, live, picture, until, visit } from "./browser.mjs";
import { pipeline, start } from "./weir.mjs";

const EVENTS = 7681; // that enter the topic
const RING_MS = 60_000; // a ring on a busy machine takes its time
const QUICK_MS = 5000;
const hosts = process.env.HOSTS.split(",");
const last = hosts.at(-1);
const pid = Number(process.env.LAST_PID);

let browser, made, weir;

before(async () => {
  browser = await launch();
  made = pipeline({ store: process.env.STORE });
  weir = await start(made, 0, RING_MS);
});

after(async () => {
  process.kill(pid, "SIGCONT");
  await browser?.close();
  await weir?.stop();
  if (made) rmSync(made.folder, { recursive: true, force: true });
});

const get = async (path) => (await fetch(weir.url + path)).text();
const status = async () => JSON.parse(await get("/api/v1/status"));
const store = async () => (await status()).pipelines[0].store;
const grouped = (n) => n.toLocaleString("en");

// The events are in the tables, and the ring was asked for its figures after that.
const settled = () =>
  until("the feed is in the ring, and the ring says so", async () => {
    const [p] = (await status()).pipelines;
    const raw = p.store?.tables.find((t) => t.table === "metric_event_by_id");
    return p.records >= EVENTS && p.partitions.every((k) => k.lag === 0) && p.store?.nodes.length === hosts.length && raw?.writes > 0;
  }, RING_MS);

const cells = (section, caption) =>
  section.locator("table", { hasText: caption }).locator("tbody tr").evaluateAll((trs) => trs.map((tr) => [...tr.cells].map((c) => c.textContent)));

test("nodes and tables are those of the ring", async () => {
  await settled();
  await visit(browser, weir.url, {}, async (page) => {
    await live(page);
    const section = page.getByRole("region", { name: "Store", exact: true });
    await section.getByText("Cassandra, keyspace").waitFor();

    // figures move: the page shows what the server said at some moment between two looks
    const nodes = await until("the nodes' figures", async () => {
      const [first, shown, second] = [await store(), await cells(section, "Nodes:"), await store()];
      return JSON.stringify(first.nodes) === JSON.stringify(second.nodes) && shown.length === hosts.length && { said: second.nodes, shown };
    });
    assert.deepEqual(nodes.shown.map(([address]) => address).sort(), [...hosts].sort());
    for (const n of nodes.said) {
      const [, state, place, owns, window] = nodes.shown.find(([address]) => address === n.address);
      assert.deepEqual([state, place, owns], ["Up", `datacenter1 · ${n.rack}`, `${(n.ownership * 100).toFixed(1)} %`]);
      assert.match(window, /^\d+ of \d+$/);
    }
    await section.getByText(`Nodes: ${hosts.length} of ${hosts.length} up`).waitFor();

    const tables = await cells(section, "Tables, over");
    assert.deepEqual(tables.map(([name]) => name).sort(), (await store()).tables.map((t) => t.table.replaceAll("_", " ")).sort());
    await until("the writes of a table", async () => {
      const { writes } = (await store()).tables.find((t) => t.table === "metric_event_by_id");
      return (await cells(section, "Tables, over")).find(([name]) => name === "metric event by id")[6] === grouped(writes);
    });
    const sent = section.locator(".figure", { hasText: "Rows sent" }).locator("dd");
    await until("rows sent", async () => Number((await sent.textContent()).split(" ")[0].replaceAll(",", "")) >= EVENTS);
    await accessible(page);
    await picture(page, "ring");
  });
});

test("a phone shows the ring without scrolling sideways", async () => {
  await settled();
  await visit(browser, weir.url, { viewport: { width: 390, height: 844 }, colorScheme: "dark" }, async (page) => {
    await live(page);
    await page.getByRole("region", { name: "Store", exact: true }).getByText("Nodes:").waitFor();
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390);
    await accessible(page);
    await picture(page, "ring-phone");
  });
});

test("metrics and weir status say the same of the nodes", async () => {
  await settled();
  const text = await get("/metrics");
  for (const host of hosts) assert.match(text, new RegExp(`^weir_store_node_up\\{pipeline="metrics",address="${host}"\\} 1$`, "m"));
  for (const name of ["node_in_flight", "node_window", "node_latency_seconds", "node_requests_total", "node_errors_total", "node_timeouts_total", "node_overloaded_total"]) {
    assert.equal(text.split("\n").filter((line) => line.startsWith(`weir_store_${name}{`)).length, hosts.length, name);
  }
  assert.ok(Number(/^weir_store_rows_sent_total\{[^}]*\} (\S+)$/m.exec(text)[1]) >= EVENTS);
  assert.ok(Number(/^weir_table_writes_total\{[^}]*table="metric_event_by_id"\} (\S+)$/m.exec(text)[1]) > 0);
  const shown = execFileSync(process.env.WEIR, ["status", "--data", join(made.folder, "data")], { encoding: "utf8" });
  for (const host of hosts) assert.match(shown, new RegExp(`^${host} +up +datacenter1 +\\d+\\.\\d %`, "m"));
  assert.match(shown, /^metric_event_by_id +\S/m);
});

test("a node that falls silent is seen, and seen to come back", async () => {
  await settled();
  await visit(browser, weir.url, {}, async (page) => {
    await live(page);
    const row = page.getByRole("region", { name: "Nodes" }).locator("tr", { hasText: last });
    await row.getByText("Up", { exact: true }).waitFor();
    process.kill(pid, "SIGSTOP");
    try {
      const reads = Array.from({ length: 8 }, () => get("/api/v1/tables/metric_event_by_id/rows?id=heart-1&limit=5"));
      const asked = Date.now();
      assert.match(await get("/livez"), /alive/);
      assert.ok(Date.now() - asked < QUICK_MS, "whoever waits for the ring keeps nobody else waiting");
      await Promise.all(reads);
      await row.getByText("Down", { exact: true }).waitFor({ timeout: RING_MS });
      const { trouble } = (await store()).nodes.find((n) => n.address === last);
      await page.locator(".troubles").getByText(`${last}: ${trouble}`).waitFor();
      await until("the banner says what /readyz says", async () => {
        const { ready, reasons } = await status();
        const shown = await page.getByRole("region", { name: "Readiness" }).locator("li").allTextContents();
        return ready ? shown.length === 0 : JSON.stringify(shown) === JSON.stringify(reasons);
      }, RING_MS);
      await accessible(page);
      await picture(page, "ring-down");
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await row.getByText("Up", { exact: true }).waitFor({ timeout: RING_MS });
    await page.getByRole("region", { name: "Readiness" }).waitFor({ state: "detached", timeout: RING_MS });
  });
});
