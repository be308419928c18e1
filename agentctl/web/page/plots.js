// Plots in inline SVG: bars over time and bars by name. No library, no style attribute, no foreign address.

import { h, money } from "./base.js";

const COLUMNS = [["billed_usd", "billed"], ["virtual_usd", "virtual"], ["unknown_usd", "unknown"]];

function s(tag, given, ...children) {
  return h(tag, { ...given, svg: true }, ...children);
}

function nice(top) {
  if (!top) return 1;
  const step = 10 ** Math.floor(Math.log10(top));
  return [1, 2, 2.5, 5, 10].map((n) => n * step).find((n) => n >= top);
}

export function legend() {
  return h("p", { class: "legend" }, ...COLUMNS.map(([, words]) => h("span", { "data-of": words }, words)));
}

function total(row) {
  return COLUMNS.reduce((sum, [name]) => sum + (row[name] || 0), 0);
}

// Days that had no run are days with nothing: an axis of time has no gaps.
function everyDay(rows, most) {
  const known = new Map(rows.filter((row) => /^\d{4}-\d\d-\d\d$/.test(row.key)).map((row) => [row.key, row]));
  const keys = [...known.keys()].sort(), days = [];
  if (!keys.length) return [];
  for (let at = Date.parse(keys[keys.length - 1]); at >= Date.parse(keys[0]) && days.length < most; at -= 86400000) {
    const key = new Date(at).toISOString().slice(0, 10);
    days.unshift(known.get(key) || { key, runs: 0 });
  }
  return days;
}

export function overTime(rows, wide, most = 60) {
  const days = everyDay(rows, Math.min(most, Math.floor(wide / 12))), high = 230, left = 60, below = 28;
  const top = nice(Math.max(...days.map(total), 0)), step = (wide - left - 14) / Math.max(days.length, 1);
  const y = (usd) => (high - below - 10) * (1 - usd / top) + 10;
  const lines = [0, 0.5, 1].map((part) => [
    s("line", { class: "grid", x1: left, x2: wide, y1: y(top * part), y2: y(top * part) }),
    s("text", { class: "axis", x: left - 8, y: y(top * part) + 4, "text-anchor": "end", text: money(top * part) })]);
  const bars = days.flatMap((day, n) => {
    let base = 0;
    const x = left + n * step + step * 0.12, width = Math.min(step * 0.76, 48);
    const title = s("title", { text: `${day.key}: ${money(total(day))}, ${day.runs} run${day.runs === 1 ? "" : "s"}` });
    const parts = COLUMNS.filter(([name]) => day[name]).map(([name, of]) => {
      const from = y(base), to = y(base += day[name]);
      return s("rect", { "data-of": of, x, y: to, width, height: Math.max(from - to, 0.5), rx: 2 });
    });
    return [s("g", { class: "bar", "data-day": day.key }, title, s("rect", { class: "hit", x, y: 10, width, height: high - below - 10 }), ...parts)];
  });
  const every = Math.max(Math.ceil((days.length * 64) / wide), 1);
  const names = days.map((day, n) => [day, n]).filter(([, n]) => (days.length - 1 - n) % every === 0)
    .map(([day, n]) => s("text", { class: "axis", x: left + n * step + step * 0.12 + Math.min(step * 0.76, 48) / 2, y: high - 4, "text-anchor": "middle", text: day.key.slice(5) }));
  return s("svg", { class: "plot", viewBox: `0 0 ${wide} ${high}`, role: "img", "aria-label": "cost by day" }, ...lines.flat(), ...bars, ...names);
}

// Names of agents are long and few: bars that lie, in the page's own boxes, with a meter in SVG.
export function byName(rows, most = 12) {
  const shown = rows.slice(0, most), top = Math.max(...shown.map(total), 0) || 1;
  return h("ul", { class: "names" }, ...shown.map((row) => {
    let at = 0;
    const parts = COLUMNS.filter(([name]) => row[name]).map(([name, of]) => {
      const width = (100 * row[name]) / top, x = at;
      at += width;
      return s("rect", { "data-of": of, x, y: 0, width, height: 10 });
    });
    return h("li", {}, h("span", { class: "name", text: row.key || "no name" }),
      s("svg", { class: "lying", viewBox: "0 0 100 10", preserveAspectRatio: "none", role: "img", "aria-label": money(total(row)) }, s("rect", { class: "ground", width: 100, height: 10 }), ...parts),
      h("b", { text: money(priced(row)) }), h("small", { text: `${row.runs} run${row.runs === 1 ? "" : "s"}` }));
  }));
}

// Unknown is not nothing: where no cost is known the sum is unknown.
export function priced(row) {
  return COLUMNS.every(([name]) => row[name] === null || row[name] === undefined) ? null : total(row);
}
