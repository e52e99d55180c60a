// SPDX-License-Identifier: Apache-2.0
// Numbers and times as people read them. Event times are shown as UTC, because that is what the windows' buckets are.
import type { Cell } from "./api";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 4 });
const value = new Intl.NumberFormat("en", { maximumFractionDigits: 3, useGrouping: false });

// Exact up to ten million, then short.
export const count = (n: number) => (Math.abs(n) < 1e7 ? whole.format(n) : short.format(n));

export const rate = (n: number) => (n >= 100 ? count(n) : n.toFixed(n >= 10 || n === 0 ? 0 : 1));

export const measured = (n: number | null | undefined) => (n == null || Number.isNaN(n) ? "–" : value.format(n));

export function bytes(n: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  for (; n >= 1000 && unit < units.length - 1; unit++) n /= 1000;
  return `${unit === 0 || n >= 100 ? n.toFixed(0) : n.toFixed(1)} ${units[unit]}`;
}

export function duration(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

const two = (n: number) => String(n).padStart(2, "0");

export const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);

export const clock = (ms: number) => new Date(ms).toISOString().slice(11, 19);

export const dayAndTime = (ms: number) => `${day(ms)} ${clock(ms)}`;

// The wall clock of whoever looks, for what concerns the page itself.
export function localClock(ms: number): string {
  const d = new Date(ms);
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

export function cell(c: Cell | undefined): string {
  if (c == null) return "–";
  return typeof c === "number" ? value.format(c) : String(c);
}

// A long identifier's beginning, where there is little room.
export const brief = (text: string) => (/^[0-9a-f]{8}-[0-9a-f-]{27}$/i.test(text) ? text.slice(0, 8) : text);

export const words = (name: string) => name.replaceAll("_", " ").trim();
