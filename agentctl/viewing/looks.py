"""How a page looks: one style, light and dark, from a phone to a wide screen."""

from __future__ import annotations

STYLE = """
:root {
  --paper: #fff; --ground: #f6f6f3; --ink: #1d1f21; --dim: #6a6e73; --line: #e2e2dc; --faint: #f1f1ec;
  --good: #1a7f4b; --bad: #c0352b; --warn: #8f6200; --live: #2463b0; --quiet: #6a6e73;
  --add: #e4f5e9; --add-ink: #14512f; --del: #fbe7e5; --del-ink: #7c1d16; --find: #ffe58a;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #1b1d20; --ground: #141618; --ink: #e3e5e7; --dim: #969ca3; --line: #30343a; --faint: #23262a;
    --good: #5cc48b; --bad: #f0837a; --warn: #ddb05a; --live: #7db3f2; --quiet: #969ca3;
    --add: #16301f; --add-ink: #b5e3c6; --del: #3a1d1b; --del-ink: #f3c1bc; --find: #6b5510;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html { background: var(--ground); color: var(--ink); font: 15px/1.55 var(--sans); scroll-padding-top: 4rem;
  -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 62rem; padding: 0 1.25rem 3rem; overflow-wrap: anywhere; }
h1, h2, h3, p, ul, ol, dl, dd, pre { margin: 0; padding: 0; }
h1 { font-size: 1.7rem; line-height: 1.25; font-weight: 650; letter-spacing: -.01em; text-wrap: balance; }
h2 { font-size: 1.1rem; font-weight: 650; margin-bottom: .7rem; }
h3 { font-size: .95rem; font-weight: 650; }
ul, ol { list-style: none; }
a { color: inherit; text-decoration: none; }
code, pre { font-family: var(--mono); font-size: .86em; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; }
pre.words { font: inherit; }
pre.mono { background: var(--faint); border-radius: 6px; padding: .55rem .75rem; line-height: 1.5; }
small, .dim, .lead, .kind, footer { color: var(--dim); }
.ctl { font: .8em var(--mono); color: var(--warn); opacity: .8; }
::highlight(found) { background-color: var(--find); }

header { padding: 2.2rem 0 1.2rem; }
.kind { font-size: .85rem; margin-bottom: .25rem; }
.badges { display: flex; flex-wrap: wrap; gap: .4rem; margin: .7rem 0 .35rem; }
.badge { display: inline-block; font-size: .78rem; font-weight: 600; line-height: 1.5; padding: .05rem .6rem;
  border-radius: 99px; border: 1px solid currentColor; color: var(--quiet); white-space: nowrap; }
.badge.good, .mark.good { color: var(--good); }
.badge.bad { color: var(--bad); }
.badge.warn { color: var(--warn); }
.badge.live { color: var(--live); }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.6rem, 1fr)); margin-top: 1.2rem;
  background: var(--paper); border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
.tile { box-shadow: 0 0 0 1px var(--line); padding: .7rem .9rem; }
.tile b { display: block; font-size: 1.3rem; font-weight: 600; line-height: 1.3; font-variant-numeric: tabular-nums; }
.tile span { font-size: .85rem; }
.tile small { display: block; font-size: .77rem; line-height: 1.4; }

nav { position: sticky; top: 0; z-index: 1; display: flex; gap: .5rem 1rem; align-items: center;
  justify-content: space-between; padding: .55rem 0; background: var(--ground); border-bottom: 1px solid var(--line); }
.links { display: flex; gap: 1.1rem; overflow-x: auto; scrollbar-width: none; white-space: nowrap; }
.links a { font-size: .88rem; color: var(--dim); padding: .2rem 0; }
.links a:hover, .links a:focus-visible { color: var(--ink); }
.find { display: flex; gap: .5rem; align-items: center; flex: none; }
input, button { font: inherit; font-size: .85rem; color: inherit; background: var(--paper);
  border: 1px solid var(--line); border-radius: 7px; padding: .25rem .6rem; min-width: 0; }
input { width: 12rem; }
button { cursor: pointer; white-space: nowrap; }
output { font-size: .8rem; color: var(--dim); font-variant-numeric: tabular-nums; white-space: nowrap; }
:focus-visible { outline: 2px solid var(--live); outline-offset: 1px; }

section { padding-top: 2rem; }
summary { cursor: pointer; border-radius: 5px; }
summary::marker { color: var(--dim); }
.warning { border-left: 3px solid var(--warn); padding: .1rem 0 .1rem .8rem; margin-bottom: .6rem; }
.warning.bad { border-color: var(--bad); }
.said { margin-bottom: 1rem; }
.said h3 { color: var(--dim); font-weight: 500; }
.gap { color: var(--dim); font-size: .88rem; padding: .5rem 0; }
li.gap { margin: .4rem 0; padding: .6rem 0; border-block: 1px dashed var(--line); text-align: center; }

.chips { display: flex; flex-wrap: wrap; gap: .4rem; margin-bottom: .9rem; }
.chips button { border-radius: 99px; padding: .1rem .7rem; font-size: .8rem; }
.chips b { font-weight: 500; color: var(--dim); }
.chips [aria-pressed=false] { opacity: .5; text-decoration: line-through; }
.timeline > .item { display: grid; grid-template-columns: 4.2rem minmax(0, 1fr); padding: .22rem 0; }
.timeline time, .timeline .time { color: var(--dim); font-size: .78rem; line-height: 1.85; padding-right: .9rem;
  text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.timeline .line, .timeline summary { font-size: .93rem; }
.timeline .item > :last-child { border-left: 2px solid var(--line); padding-left: .9rem; min-width: 0; }
.timeline > .message { padding: .5rem 0; }
.timeline .message > :last-child { border-color: var(--ink); }
.timeline .step > :last-child, .timeline .item.live > :last-child { border-color: var(--live); }
.timeline .bad > :last-child { border-color: var(--bad); }
.timeline .trouble.warn > :last-child { border-color: var(--warn); }
.timeline .note, .timeline .thinking { color: var(--dim); }
.timeline .note b, .timeline .thinking b { font-weight: 500; }
.timeline b { font-weight: 600; }
.timeline summary code { color: var(--dim); }
.timeline small { margin-left: .6rem; font-variant-numeric: tabular-nums; }
.timeline details > :not(summary) { margin: .35rem 0 .3rem; }
pre.asked { border: 1px solid var(--line); background: none !important; }
.mark { margin-left: .6rem; font-size: .8rem; font-weight: 600; color: var(--bad); }
.item:not(.bad) > * > * > .mark, .item:not(.bad) > * > .mark { color: var(--dim); font-weight: 400; }
.more > summary { color: var(--dim); font-size: .85rem; }
.wrote { font-size: .88rem; color: var(--dim); }

.change, .member, #logs details, #asked details { border: 1px solid var(--line); border-radius: 8px;
  background: var(--paper); margin-bottom: .5rem; }
.change > summary, .change.bare, .member > summary, #logs summary, #asked > details > summary { padding: .45rem .8rem; }
.change summary span, .change.bare span, .files span, .member summary > :not(:first-child) { margin-left: .6rem;
  font-size: .8rem; }
.change .gap { padding: .4rem .8rem; }
.what, .how { color: var(--dim); }
.plus { color: var(--good); font-variant-numeric: tabular-nums; }
.minus { color: var(--bad); font-variant-numeric: tabular-nums; }
.how.wrote { color: var(--good); }
.diff { border-top: 1px solid var(--line); overflow-x: auto; white-space: pre; font-size: .8rem; line-height: 1.5;
  padding: .3rem 0; display: grid; }
.diff span { display: block; padding: 0 .8rem; min-height: 1.5em; overflow-wrap: normal; }
.diff .add { background: var(--add); color: var(--add-ink); }
.diff .del { background: var(--del); color: var(--del-ink); }
.diff .hunk { color: var(--live); padding-top: .2rem; padding-bottom: .2rem; }
.files li { padding: .12rem 0; }
dl > div { display: grid; grid-template-columns: 12rem minmax(0, 1fr); gap: .2rem 1rem; padding: .25rem 0;
  border-bottom: 1px solid var(--line); font-size: .92rem; }
dt { color: var(--dim); }
dd { font-variant-numeric: tabular-nums; }
#logs details > :not(summary), #asked details > :not(summary), .member > :not(summary) { margin: 0 .8rem .7rem; }
#logs pre.mono { padding: 0; background: none; font-size: .8rem; }
.cycle { border: 1px solid var(--line); border-left-width: 3px; border-radius: 8px; background: var(--paper);
  padding: .8rem 1rem; margin-bottom: .7rem; }
.cycle.good { border-left-color: var(--good); }
.cycle.bad { border-left-color: var(--bad); }
.cycle h3 { display: flex; justify-content: space-between; gap: 1rem; margin-bottom: .3rem; }
.findings > li { padding: .45rem 0 .1rem; margin-top: .45rem; border-top: 1px solid var(--line); }
.findings li ul, .reasons { padding-left: 1.1rem; list-style: disc; font-size: .93rem; }
.findings summary { color: var(--dim); font-size: .85rem; }
footer { font-size: .8rem; padding-top: 3rem; }

@media (max-width: 640px) {
  body { padding: 0 .9rem 2rem; }
  header { padding-top: 1.3rem; }
  h1 { font-size: 1.35rem; }
  nav { flex-direction: column; align-items: stretch; }
  .find { flex: auto; }
  input { flex: 1; width: auto; font-size: 16px; }
  html { scroll-padding-top: 6.5rem; }
  .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .timeline > .item { grid-template-columns: 3.6rem minmax(0, 1fr); }
  .timeline time, .timeline .time { font-size: .7rem; line-height: 2.05; padding-right: .5rem; }
  .timeline .item > :last-child { padding-left: .65rem; }
  dl > div { grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); }
}
@media print {
  nav, .chips { display: none; }
  html { background: #fff; font-size: 11px; }
}
"""
