// SPDX-License-Identifier: Apache-2.0
// weir as a user starts it, for the tests of its page: a pipeline file and its events, the process, the address it prints.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const HOUR = 3_600_000;
const FIRST = Date.UTC(2026, 0, 20);
const DAYS = 40;
const DEVICES = ["fuel-1", "heart-1", "heart-2", "therm-1"];
export const START_MS = 30_000;

const windowed = (name, window, key) => `
  - table: ${name}_metric_event_by_${key}
    window: calendar ${window}
    group_by: [${key}]
    lateness: 1 minute
    emit: update
    every: 1 second
    columns:
      ${key}: text
      year: int = year(window_start)
      month: int = month(window_start)
      day: int = day(window_start)
      hour: int = hour(window_start)
      avg: double = avg(value)
      min: double = min(value)
      max: double = max(value)
      median: double = median(value)
    key: [[${key}], year desc, month desc, day desc, hour desc]
`;

const spec = (feed, http, store) => `
pipeline: metrics
log: embedded
store: ${store}
topic: {name: metrics, partitions: 2, replication: 1, retention: 100000 hours}
event:
  format: json
  fields: {group: string, id: string, type: string, timestamp: long, value: double}
  key: id
  time: timestamp
${feed}
${http}
queries:
  - table: metric_event_by_id
    columns: {id: text, timestamp: bigint, value: double, group: text, type: text}
    key: [[id], timestamp desc]
${windowed("hourly", "hour", "id")}${windowed("daily", "day", "id")}${windowed("monthly", "month", "id")}${windowed("daily", "day", "group")}`;

// Two readings an hour and device, then one of a closed hour, one that is no number and one that is no JSON.
function events() {
  const lines = [];
  const event = (id, timestamp, value) => JSON.stringify({ group: id.startsWith("heart") ? "ward" : "house", id, type: "THERM", timestamp, value });
  for (let i = 0; i < DAYS * 48; i++) {
    DEVICES.forEach((id, d) => lines.push(event(id, FIRST + (i * HOUR) / 2 + d, Math.round(5500 + 3000 * Math.sin(i / 20 + d) + ((i * 7919 + d * 104729) % 1500)) / 100)));
  }
  lines.push(event("therm-1", FIRST, 11.5), '{"group":"house","id":"therm-1","type":"THERM","timestamp":1,"value":"warm"}', "no event at all");
  return lines.join("\n") + "\n";
}

// A folder with a pipeline file; `fed`: and with a feed of some weeks of events.
export function pipeline({ fed = true, http = "", store = "embedded" } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "weir-page-"));
  const file = join(folder, "metrics.yaml");
  writeFileSync(join(folder, "events.jsonl"), events());
  writeFileSync(file, spec(fed ? "feed: {file: {path: events.jsonl, format: jsonl, pace: max}}" : "", http, store));
  return { folder, file };
}

// Runs weir until stop(). Resolves once it has printed where its page is.
async function launch(args, wait_ms = START_MS) {
  const child = spawn(process.env.WEIR, args, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  const ended = once(child, "exit");
  const url = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no address within ${wait_ms} ms:\n${said}`)), wait_ms);
    const hear = (text) => {
      said += text;
      const found = /dashboard (http:\/\/\S+)/.exec(said);
      if (found) {
        clearTimeout(timer);
        resolve(found[1].replace(/\/$/, ""));
      }
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    ended.then(([code]) => reject(new Error(`weir ended with ${code}:\n${said}`)));
  });
  const stop = async (signal = "SIGTERM") => {
    child.kill(signal);
    await ended;
  };
  return { url, port: Number(new URL(url).port), stop };
}

export const start = ({ folder, file }, port = 0, wait_ms) =>
  launch(["run", file, "--data", join(folder, "data"), "--listen", `127.0.0.1:${port}`], wait_ms);

// The demonstration: a hundred sensors, an hour in ten seconds.
export const demo = (folder) => launch(["demo", "--port", "0", "--data", join(folder, "data")]);
