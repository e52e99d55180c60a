// SPDX-License-Identifier: Apache-2.0
// The page, as Chromium shows it, against what the API answers.
// WEIR: the binary.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { accessible, launch, live, picture, until, visit } from "./browser.mjs";
import { demo, pipeline, start } from "./weir.mjs";

const BYTES_MAX = 200_000;
const POINTS = 400;

let browser, made, weir;

before(async () => {
  browser = await launch();
  made = pipeline();
  weir = await start(made);
});

after(async () => {
  await browser?.close();
  await weir?.stop();
  if (made) rmSync(made.folder, { recursive: true, force: true });
});

const withPage = (options, act, { url = weir.url, ...more } = {}) => visit(browser, url, options, act, more);

const api = async (path) => {
  const answer = await fetch(`${weir.url}/api/v1${path}`);
  assert.equal(answer.status, 200, path);
  return answer.json();
};

// The feed is read and folded: no lag, and rows of every month.
const settled = () =>
  until("the feed is folded", async () => {
    const [p] = (await api("/status")).pipelines;
    const rows = await api(`/tables/monthly_metric_event_by_id/rows?id=therm-1`).catch(() => ({ rows: [] }));
    return p.records >= 7681 && p.partitions.every((k) => k.lag === 0) && rows.rows.length >= 2;
  });

async function pick(page, key) {
  const box = page.getByRole("combobox").first();
  await box.click();
  await box.fill(key);
  await page.getByRole("option", { name: key, exact: true }).waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("slider", { name: "Hourly" }).waitFor();
}

const at = (row, title) => {
  const two = (n) => String(n).padStart(2, "0");
  const day = `${row.year}-${two(row.month)}-${two(row.day)}`;
  const month = `${"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ")[row.month - 1]} ${row.year}`;
  return { Hourly: `${day} ${two(row.hour)}:00`, Daily: day, Monthly: month }[title];
};

test("charts hold the values that the API gives", async () => {
  await settled();
  await withPage({}, async (page) => {
    await live(page);
    await pick(page, "heart-2");
    for (const title of ["Hourly", "Daily", "Monthly"]) {
      const { rows } = await api(`/tables/${title.toLowerCase()}_metric_event_by_id/rows?id=heart-2&limit=${POINTS}`);
      assert.ok(rows.length > 1);
      const chart = page.locator("figure.chart", { has: page.getByRole("slider", { name: title }) });
      await chart.getByText("As a table").click();
      await chart.locator("tbody tr").first().waitFor();
      const shown = await chart.locator("tbody tr").evaluateAll((trs) => trs.map((tr) => [...tr.cells].map((c) => c.textContent)));
      const wanted = rows.map((r) => [at(r, title), ...["max", "avg", "median", "min"].map((role) => String(r[role]))]);
      assert.deepEqual(shown, wanted, title);

      // the cursor, walked by keys over the drawing, says the same
      await chart.getByRole("slider").focus();
      for (const [key, row] of [["Home", rows.at(-1)], ["ArrowRight", rows.at(-2)], ["End", rows[0]]]) {
        await page.keyboard.press(key);
        await chart.locator(".when dd").getByText(at(row, title), { exact: true }).waitFor();
        for (const role of ["max", "avg", "median", "min"]) {
          const text = await chart.locator(`[data-role=${role}]`).textContent();
          assert.ok(Math.abs(Number(text) - row[role]) <= 0.0005001, `${title} ${key} ${role}: ${text}, the API has ${row[role]}`);
        }
      }
      const inked = await chart.locator("canvas").evaluate((c) => {
        const { data } = c.getContext("2d").getImageData(0, 0, c.width, c.height);
        return data.filter((_, i) => i % 4 === 3 && data[i] > 0).length / (c.width * c.height);
      });
      assert.ok(inked > 0.02, `${title} is drawn: ${inked}`);
    }
    await picture(page, "charts");
  });
});

test("figures are those of the status", async () => {
  await settled();
  await withPage({}, async (page) => {
    await live(page);
    const [p] = (await api("/status")).pipelines;
    const flow = page.getByRole("region", { name: "metrics" });
    const figure = (name) => flow.locator(".figure", { hasText: name }).locator("dd");
    assert.equal(await figure("Records").textContent(), p.records.toLocaleString("en"));
    assert.equal(await figure("Lag").textContent(), "0");
    for (const k of p.partitions) {
      const cells = await flow.getByRole("row", { name: new RegExp(`^${k.partition} `) }).locator("td").allTextContents();
      assert.deepEqual(cells, ["0", k.next_offset.toLocaleString("en"), new Date(k.high_ms).toISOString().slice(0, 19).replace("T", " ")]);
    }
    for (const [table, rows] of Object.entries(p.rows)) {
      const row = flow.locator("tr", { has: page.locator(`th[title="${table}"]`) });
      assert.equal(await row.locator("td").first().textContent(), rows.toLocaleString("en"), table);
    }
  });
});

test("contracts: events and rows, with their fields", async () => {
  await settled();
  await withPage({}, async (page) => {
    await live(page);
    const section = page.getByRole("region", { name: "Contracts" });
    const contracts = await api("/contracts");
    assert.deepEqual(contracts.map((c) => c.of), ["metrics", "metric_event_by_id", ...["hourly", "daily", "monthly"].map((w) => `${w}_metric_event_by_id`), "daily_metric_event_by_group"]);
    await section.locator("li").nth(contracts.length - 1).waitFor();
    const monthly = section.locator("li", { hasText: "monthly_metric_event_by_id" });
    assert.match(await monthly.locator("summary").textContent(), /^MonthlyMetricEventById rows of table monthly_metric_event_by_id · not in a registry$/);
    await monthly.locator("summary").click();
    const shown = await monthly.locator("tbody tr").evaluateAll((trs) => trs.map((tr) => [...tr.cells].slice(0, 3).map((c) => c.textContent)));
    const column = (type) => (name) => [name, type, "–"];
    assert.deepEqual(shown.slice(0, 5), [column("string")("id"), ...["year", "month", "day", "hour"].map(column("int"))]);
    assert.deepEqual(shown.slice(5).map(([name, type]) => [name, type.split(" ")[0]]), ["avg", "min", "max", "median"].map((name) => [name, "double"]));
  });
});

test("the embedded store is no ring, and partitions are not shared", async () => {
  await settled();
  await withPage({}, async (page) => {
    await live(page);
    await page.getByRole("region", { name: "Contracts" }).waitFor();
    assert.equal((await api("/status")).pipelines[0].store.kind, "embedded");
    assert.equal(await page.getByRole("heading", { name: /^Store/ }).count(), 0);
    assert.equal(await page.getByText("Read by").count(), 0);
    assert.equal(await page.getByRole("region", { name: "Readiness" }).count(), 0);
  });
});

test("the demonstration's sensors: facts, hours, readings, rows as they are written", async () => {
  const folder = mkdtempSync(join(tmpdir(), "weir-demo-"));
  const server = await demo(folder);
  try {
    await withPage({}, async (page) => {
      await live(page);
      const section = page.getByRole("region", { name: "Live rows" });
      await section.locator("tbody tr").nth(5).waitFor();
      await section.getByRole("button", { name: "Pause" }).click();
      const [id, at, temperature] = (await section.locator("tbody tr").first().locator("td").allTextContents()).map((t) => t.trim());
      const ms = Date.parse(`${at.replace(" ", "T")}Z`);
      const path = `/tables/sensor_events/rows?device_id=${id}&from=${ms}&to=${ms + 1}`;
      const { rows } = await (await fetch(`${server.url}/api/v1${path}`)).json();
      assert.equal(rows.length, 1, path);
      assert.ok(Math.abs(rows[0].temperature - Number(temperature)) <= 0.0005001, `${temperature}, the API has ${rows[0].temperature}`);
      await section.getByRole("button", { name: "Go on" }).click();
      await page.locator(".facts").getByText(/^sensor-\d+$/).waitFor();
      const updated = page.locator(".facts .figure", { hasText: "last updated" }).locator("dd");
      const first = await updated.textContent();
      await until("facts are kept up to date", async () => (await updated.textContent()) > first);
      await page.getByRole("slider", { name: "Readings, humidity" }).waitFor();
      await page.getByRole("slider", { name: "Hourly, temperature" }).waitFor(); // without a reload: the first hour closes meanwhile
      const contracts = page.getByRole("region", { name: "Contracts" });
      await contracts.getByText("SensorEvent").first().waitFor();
      assert.match(await contracts.locator("summary").first().textContent(), /^SensorEvent events of topic sensor-events · BACKWARD · version 1 of 1, id 1$/);
      await picture(page, "demo");
    }, { url: server.url });
  } finally {
    await server.stop("SIGINT");
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a posted event is a row, a reading and a new hour at once", async () => {
  await settled();
  await withPage({}, async (page) => {
    await live(page);
    await page.getByText("Waiting for the next row").waitFor();
    await pick(page, "therm-1");
    const event = { group: "house", id: "therm-1", type: "THERM", timestamp: Date.UTC(2026, 2, 1, 0, 30), value: 42.125 };
    const posted = await fetch(`${weir.url}/api/v1/topics/metrics/records`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(event) });
    assert.equal(posted.status, 202);
    const row = page.getByRole("region", { name: "Live rows" }).locator("tbody tr").first();
    await row.waitFor();
    assert.deepEqual((await row.locator("td").allTextContents()).map((t) => t.trim()), ["therm-1", "2026-03-01 00:30:00.000", "42.125", "house", "THERM"]);
    for (const [title, time] of [["Hourly", "2026-03-01 00:00"], ["Monthly", "Mar 2026"], ["Readings, value", "2026-03-01 00:30:00"]]) {
      const chart = page.locator("figure.chart", { has: page.getByRole("slider", { name: title }) });
      await chart.locator(".when dd").getByText(time, { exact: true }).waitFor();
      assert.equal(await chart.locator("dd[data-role=avg], dd[data-role=reading]").textContent(), "42.125", title);
    }
  });
});

test("dead letters are counted by reason, with examples", async () => {
  await settled();
  await withPage({}, async (page) => {
    await live(page);
    const section = page.getByRole("region", { name: "Dead letters" });
    const { dead } = (await api("/status")).pipelines[0];
    assert.ok(dead.malformed === 2 && dead.late > 0, JSON.stringify(dead));
    for (const [reason, n] of Object.entries(dead)) {
      assert.match(await section.getByRole("button", { name: reason.replace("_", " ") }).textContent(), new RegExp(`^${n} `));
    }
    await section.getByRole("button", { name: "malformed" }).click();
    const { letters } = await api("/dead?reason=malformed&limit=20");
    await until("only malformed letters", async () => (await section.locator("li").count()) === letters.length);
    assert.deepEqual(await section.locator(".why").allTextContents(), letters.map((l) => l.text));
    await section.locator("summary").first().click();
    assert.match(await section.locator("dl").first().textContent(), /Record/);
  });
});

test("the keyboard reaches the picker and chooses with it", async () => {
  await settled();
  await withPage({}, async (page) => {
    await live(page);
    await page.getByRole("combobox").first().waitFor();
    const walked = [];
    while (walked.at(-1) !== "combobox" && walked.length < 20) {
      await page.keyboard.press("Tab");
      walked.push(await page.evaluate(() => document.activeElement.getAttribute("role") ?? document.activeElement.tagName));
    }
    assert.equal(walked.at(-1), "combobox", walked.join(" "));
    assert.equal(walked[0], "A", "first a way past the head of the page");
    assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), "none", "what has the focus is seen");
    await page.keyboard.press("Control+A");
    await page.keyboard.type("heart");
    await until("two to choose from", async () => (await page.getByRole("listbox").getByRole("option").count()) === 2);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    assert.equal(await page.getByRole("combobox").first().inputValue(), "heart-2");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Escape");
    assert.equal(await page.getByRole("combobox").first().inputValue(), "heart-2");
    await page.getByRole("radio", { name: "group" }).press("Space");
    await until("the first group", async () => (await page.getByRole("combobox").first().inputValue()) === "house");
    await page.getByRole("slider", { name: "Daily" }).waitFor();
  });
});

test("a phone needs no scrolling sideways", async () => {
  await withPage({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }, async (page) => {
    await live(page);
    await page.getByRole("slider", { name: "Monthly" }).waitFor();
    const [wide, inside] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(inside === 390 && wide <= 390, `${wide} px in ${inside}`);
    const lefts = await page.locator("figure.chart").evaluateAll((charts) => charts.map((c) => Math.round(c.getBoundingClientRect().left)));
    assert.equal(new Set(lefts).size, 1, "charts stand below each other");
    await picture(page, "phone");
  });
});

test("dark where the system is dark, or where it is chosen", async () => {
  const ground = (page) => page.evaluate(() => Math.max(...getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number)));
  await withPage({ colorScheme: "dark" }, async (page) => {
    await live(page);
    assert.ok((await ground(page)) < 60);
    await page.getByRole("slider", { name: "Hourly" }).waitFor();
    await picture(page, "dark");
    await page.getByRole("button", { name: "Dark colours" }).click();
    assert.ok((await ground(page)) > 200);
    await page.reload();
    await live(page);
    assert.ok((await ground(page)) > 200, "the choice lasts");
  });
  await withPage({ colorScheme: "light" }, async (page) => {
    await live(page);
    assert.ok((await ground(page)) > 200);
    await page.getByRole("slider", { name: "Hourly" }).waitFor();
    await picture(page, "light");
  });
});

test("axe finds nothing serious", async () => {
  await settled();
  for (const options of [{}, { colorScheme: "dark" }, { viewport: { width: 390, height: 844 } }]) {
    await withPage(options, async (page) => {
      await live(page);
      await page.getByRole("slider", { name: "Monthly" }).waitFor();
      await page.getByText("As a table").first().click();
      await page.getByRole("combobox").first().click();
      await page.getByRole("listbox").getByRole("option").first().waitFor();
      await page.getByRole("region", { name: "Contracts" }).locator("summary").first().click();
      await accessible(page);
    });
  }
});

test("the page is small and allows nothing from elsewhere", async () => {
  let bytes = 0;
  for (const path of ["/", "/app.js", "/app.css", "/icon.svg"]) {
    const answer = await fetch(weir.url + path);
    assert.equal(answer.status, 200, path);
    bytes += (await answer.arrayBuffer()).byteLength;
    const policy = answer.headers.get("content-security-policy") ?? "";
    assert.ok(path !== "/" || (/(default|script)-src[^;]*'(self|none)'/.test(policy) && !policy.includes("unsafe")), policy);
  }
  assert.ok(bytes <= BYTES_MAX, `${bytes} bytes`);
});

test("a lost connection is said, and mends itself", async () => {
  const own = pipeline();
  let server = await start(own);
  try {
    await withPage({}, async (page) => {
      await live(page);
      await server.stop("SIGKILL");
      await page.getByRole("alert").getByText("Connection lost").waitFor();
      await picture(page, "lost");
      server = await start(own, server.port);
      await live(page);
      assert.equal(await page.getByRole("alert").count(), 0);
    }, { url: server.url, mayFail: true });
  } finally {
    await server.stop();
    rmSync(own.folder, { recursive: true, force: true });
  }
});

test("nothing written yet is said, and filled in", async () => {
  const own = pipeline({ fed: false });
  const server = await start(own);
  try {
    await withPage({}, async (page) => {
      await live(page);
      await page.getByText("Nothing has been written yet").waitFor();
      await page.getByText("Every event so far was read and counted").waitFor();
      const event = { group: "house", id: "therm-9", type: "THERM", timestamp: Date.UTC(2026, 0, 1), value: 20.5 };
      await fetch(`${server.url}/api/v1/topics/metrics/records`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(event) });
      await until("the first device", async () => (await page.getByRole("combobox").first().inputValue()) === "therm-9");
    }, { url: server.url });
  } finally {
    await server.stop();
    rmSync(own.folder, { recursive: true, force: true });
  }
});

test("a server that wants a token gets one", async () => {
  const sha256 = createHash("sha256").update("open-sesame").digest("hex");
  const own = pipeline({ http: `http: {tokens: [{name: page, sha256: ${sha256}, role: reader}]}` });
  const server = await start(own);
  try {
    await withPage({}, async (page) => {
      await page.getByLabel("Token").fill("wrong");
      await page.getByRole("button", { name: "Open" }).click();
      await page.getByRole("alert").getByText("not accepted").waitFor();
      await picture(page, "token");
      await page.getByLabel("Token").fill("open-sesame");
      await page.keyboard.press("Enter");
      await live(page);
      await page.getByRole("slider", { name: "Monthly" }).waitFor();
      await page.reload();
      await live(page);
      assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), [], "the token is not kept beyond the tab");
    }, { url: server.url, mayFail: true });
  } finally {
    await server.stop();
    rmSync(own.folder, { recursive: true, force: true });
  }
});
