// SPDX-License-Identifier: Apache-2.0
// Chromium, and what tests of the page do with it. WEIR_SCREENSHOTS: a folder that gets pictures of what was seen.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

export const WAIT_MS = 30_000;
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });

// A page of its own, which must not complain, nor ask anyone else for anything.
export async function visit(browser, url, options, act, { mayFail = false } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, timezoneId: "Asia/Kolkata", ...options });
  const page = await context.newPage();
  const wrong = [];
  page.setDefaultTimeout(WAIT_MS);
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && wrong.push(m.text()));
  page.on("pageerror", (e) => wrong.push(String(e)));
  page.on("request", (r) => r.url().startsWith(url) || wrong.push(`asked ${r.url()}`));
  try {
    await page.goto(url);
    await act(page, context);
    if (!mayFail) assert.deepEqual(wrong, [], "the console is silent");
  } catch (e) {
    if (process.env.WEIR_SCREENSHOTS) await page.screenshot({ path: join(process.env.WEIR_SCREENSHOTS, "failed.png"), fullPage: true });
    throw e;
  } finally {
    await context.close();
  }
}

export const picture = (page, name) =>
  process.env.WEIR_SCREENSHOTS ? page.screenshot({ path: join(process.env.WEIR_SCREENSHOTS, `${name}.png`), fullPage: true }) : undefined;

export async function until(what, probe, wait_ms = WAIT_MS) {
  const deadline = Date.now() + wait_ms;
  for (;;) {
    const answer = await probe();
    if (answer) return answer;
    assert.ok(Date.now() < deadline, `not within ${wait_ms} ms: ${what}`);
    await new Promise((again) => setTimeout(again, 50));
  }
}

export const live = (page) => page.locator("header .phase.live").waitFor();

// What a machine can find of what keeps people out.
export async function accessible(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  const serious = violations.filter((v) => ["serious", "critical"].includes(v.impact));
  assert.deepEqual(serious.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" | ")}`), []);
}
