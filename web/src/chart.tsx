// SPDX-License-Identifier: Apache-2.0
// One chart: a band from minimum to maximum with average and median in it, or single readings. What is under the cursor is written out
// beside the title; the arrow keys move the cursor.
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { clock, day, measured } from "./format";
import type { Series } from "./series";
import type { Role } from "./shape";
import type { Theme } from "./theme";

export interface Line {
  role: Role | "reading";
  name: string;
}

interface ChartProps {
  title: string;
  measure: string;
  lines: Line[];
  series: Series;
  stepSeconds: number; // what one point stands for, 0: a moment
  scattered?: boolean; // points that no line joins
  theme: Theme;
}

const HEIGHT = 190;
const FEW = 8; // points that are marked one by one, each with its own time under the axis
const LABEL = 70; // px that a time under the axis takes
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const utc = (ms: number) => uPlot.tzDate(new Date(ms), "UTC");

// The times under the axis: no more than changes from tick to tick, the date where a day begins.
function ticks(_: uPlot, splits: number[], _axis: number, _space: number, step: number): string[] {
  let before = "";
  return splits.map((ms) => {
    const d = new Date(ms);
    const date = `${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]}`;
    if (step >= 28 * 86_400_000) return `${MONTHS[d.getUTCMonth()]} ${d.getUTCFullYear()}`;
    if (step >= 86_400_000) return date;
    const text = clock(ms).slice(0, step >= 60_000 ? 5 : 8);
    const shown = before !== date && text.startsWith("00:00") ? date : text;
    before = date;
    return shown;
  });
}

export function instantText(ms: number, stepSeconds: number): string {
  if (stepSeconds >= 28 * 86400) return `${MONTHS[new Date(ms).getUTCMonth()]} ${new Date(ms).getUTCFullYear()}`;
  if (stepSeconds >= 86400) return day(ms);
  return stepSeconds >= 3600 ? `${day(ms)} ${clock(ms).slice(0, 5)}` : `${day(ms)} ${clock(ms)}`;
}

// One point's time where there is room for little.
function short(ms: number, stepSeconds: number): string {
  const d = new Date(ms);
  if (stepSeconds >= 28 * 86400) return `${MONTHS[d.getUTCMonth()]} ${d.getUTCFullYear()}`;
  return stepSeconds >= 86400 ? `${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]}` : clock(ms).slice(0, 5);
}

// Of the points' times as many as there is room for, the last one among them.
function sparse(at: number[], width: number): number[] {
  const step = Math.ceil((at.length * LABEL) / width);
  return at.filter((_, i) => (at.length - 1 - i) % step === 0);
}

function colours() {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string) => style.getPropertyValue(name).trim();
  return { line: of("--line"), text: of("--quiet"), avg: of("--avg"), median: of("--median"), edge: of("--edge"), band: of("--band"), font: style.fontFamily };
}

function lineOf(l: Line, c: ReturnType<typeof colours>, few: boolean, scattered: boolean): uPlot.Series {
  const edge = l.role === "min" || l.role === "max";
  const stroke = edge ? c.edge : l.role === "median" ? c.median : c.avg;
  return {
    label: l.name,
    stroke,
    width: edge ? 1 : 1.75,
    dash: l.role === "median" ? [5, 4] : undefined,
    paths: scattered ? () => null : undefined,
    points: { show: scattered || few, size: edge ? 4 : 5, fill: stroke, width: 0 },
  };
}

function options(props: ChartProps, width: number, moved: (index: number | null) => void): uPlot.Options {
  const c = colours();
  const few = props.series.at.length <= FEW;
  const at = (role: Role) => props.lines.findIndex((l) => l.role === role) + 1;
  const band = at("max") && at("min") ? [{ series: [at("max"), at("min")] as [number, number], fill: c.band }] : undefined;
  const slack = few ? Math.max(props.stepSeconds, 60) * 500 : 0;
  const perPoint = few && props.stepSeconds > 0;
  const axis: uPlot.Axis = { stroke: c.text, font: `11px ${c.font}`, grid: { stroke: c.line, width: 1 }, ticks: { show: false } };
  return {
    width,
    height: HEIGHT,
    ms: 1,
    tzDate: utc,
    padding: [10, 20, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: { x: { time: true, range: (_, min, max) => [min - slack, max + slack] } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        splits: perPoint ? (u) => sparse(u.data[0] as number[], u.width) : undefined,
        values: perPoint ? (_, splits) => splits.map((ms) => short(ms, props.stepSeconds)) : ticks,
        size: 26,
        gap: 6,
      },
      { ...axis, size: 44, gap: 6 },
    ],
    series: [{}, ...props.lines.map((l) => lineOf(l, c, few, Boolean(props.scattered)))],
    bands: band,
    hooks: { setCursor: [(u) => moved(u.cursor.idx ?? null)] },
  };
}

// Keeps a uPlot in `element` that follows its data and its width.
function usePlot(props: ChartProps, moved: (index: number | null) => void) {
  const element = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const { series, theme, lines, scattered } = props;
  const shape = `${theme} ${lines.map((l) => l.name)} ${series.at.length <= FEW} ${scattered}`;
  const data = [series.at, ...series.values] as uPlot.AlignedData;

  useEffect(() => {
    const at = element.current!;
    const u = (plot.current = new uPlot(options(props, at.clientWidth, moved), data, at));
    const sized = new ResizeObserver(() => u.setSize({ width: at.clientWidth, height: HEIGHT }));
    sized.observe(at);
    return () => {
      sized.disconnect();
      u.destroy();
      plot.current = null;
    };
  }, [shape]);
  useEffect(() => plot.current?.setData(data), [series]);
  return { element, plot };
}

function Readout({ lines, series, index, stepSeconds }: { lines: Line[]; series: Series; index: number; stepSeconds: number }) {
  return (
    <dl class="readout">
      <div class="when"><dt class="hidden">Time</dt><dd>{instantText(series.at[index]!, stepSeconds)}</dd></div>
      {lines.map((l, i) => (
        <div key={l.name} class={l.role}>
          <dt>{l.role === "reading" ? l.name : l.role}</dt>
          <dd data-role={l.role}>{measured(series.values[i]![index])}</dd>
        </div>
      ))}
    </dl>
  );
}

function AsTable({ lines, series, stepSeconds }: { lines: Line[]; series: Series; stepSeconds: number }) {
  const [open, set] = useState(false);
  return (
    <details onToggle={(e) => set(e.currentTarget.open)}>
      <summary>As a table</summary>
      {open && (
        <div class="scroll tall" tabIndex={0} role="region" aria-label="The same as a table">
          <table>
            <thead><tr><th scope="col">Time</th>{lines.map((l) => <th scope="col" key={l.name}>{l.role === "reading" ? l.name : l.role}</th>)}</tr></thead>
            <tbody>
              {series.at.map((ms, i) => (
                <tr key={ms}>
                  <th scope="row">{instantText(ms, stepSeconds)}</th>
                  {lines.map((l, k) => <td key={l.name}>{series.values[k]![i] ?? "–"}</td>)}
                </tr>
              )).reverse()}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}

export function Chart(props: ChartProps) {
  const { title, measure, lines, series, stepSeconds } = props;
  const [cursor, setCursor] = useState<number | null>(null);
  const { element, plot } = usePlot(props, setCursor);
  const last = series.at.length - 1;
  const index = Math.min(cursor ?? last, last);

  const walk = (e: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: last, PageUp: index - 10, PageDown: index + 10 };
    const wanted = steps[e.key];
    const u = plot.current;
    if (wanted === undefined || !u) return;
    e.preventDefault();
    const to = Math.max(0, Math.min(last, wanted));
    u.setCursor({ left: u.valToPos(series.at[to]!, "x"), top: HEIGHT / 3 });
  };
  const said = lines.map((l, i) => `${l.name} ${measured(series.values[i]![index])}`).join(", ");
  const name = measure ? `${title}, ${measure}` : title;

  return (
    <figure class="chart">
      <figcaption>
        <h3>{title}{measure && <span class="quiet"> {measure}</span>}</h3>
        <Readout lines={lines} series={series} index={index} stepSeconds={stepSeconds} />
      </figcaption>
      <div class="canvas" ref={element} tabIndex={0} role="slider" aria-label={name} aria-orientation="horizontal" aria-valuemin={0}
        aria-valuemax={last} aria-valuenow={index} aria-valuetext={`${instantText(series.at[index]!, stepSeconds)}: ${said}`}
        onKeyDown={walk} onBlur={() => plot.current?.setCursor({ left: -10, top: -10 })} />
      <AsTable lines={lines} series={series} stepSeconds={stepSeconds} />
    </figure>
  );
}
