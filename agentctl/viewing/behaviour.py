"""What a page does: search, choice of kinds, unfolding. It is whole without it, and reads nothing but itself."""

from __future__ import annotations

SCRIPT = """
"use strict";
(() => {
  const all = s => [...document.querySelectorAll(s)];
  const box = document.getElementById("q"), found = document.getElementById("found");
  const items = all(".item"), chips = all(".chips button"), unfold = document.getElementById("unfold");
  const sections = all("section"), opened = new Set(), off = new Set(), texts = new Map();
  const text = item => {
    if (!texts.has(item)) texts.set(item, item.textContent.toLowerCase());
    return texts.get(item);
  };
  const open = details => {
    if (!details.open) { details.open = true; opened.add(details); }
  };
  const reveal = item => {
    for (let e = item; e; e = e.parentElement) if (e.tagName === "DETAILS") open(e);
  };

  function mark(words) {
    if (!("highlights" in CSS)) return;
    CSS.highlights.delete("found");
    if (!words.length) return;
    const walk = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT), ranges = [];
    for (let node = walk.nextNode(); node && ranges.length < 2000; node = walk.nextNode()) {
      const here = node.data.toLowerCase();
      if (here.length !== node.data.length || !node.parentElement.closest(".item")) continue;
      for (const word of words)
        for (let at = here.indexOf(word); at >= 0 && ranges.length < 2000; at = here.indexOf(word, at + word.length)) {
          const range = new Range();
          range.setStart(node, at);
          range.setEnd(node, at + word.length);
          ranges.push(range);
        }
    }
    CSS.highlights.set("found", new Highlight(...ranges));
  }

  function search() {
    const words = box.value.toLowerCase().split(/\\s+/).filter(Boolean);
    for (const details of opened) details.open = false;
    opened.clear();
    let count = 0;
    const hits = [];
    for (const item of items) {
      const chosen = !off.has(item.dataset.kind);
      const hit = chosen && words.every(word => text(item).includes(word));
      item.hidden = !hit;
      if (hit && words.length) hits.push(item);
      if (hit && !item.querySelector(".item")) count++;
    }
    for (const item of hits) {
      reveal(item);
      const inner = item.querySelector(":scope > details");
      if (inner && !words.every(word => inner.firstChild.textContent.toLowerCase().includes(word))) open(inner);
    }
    for (const gap of all(".gap")) gap.hidden = words.length > 0;
    for (const section of sections) section.hidden = words.length > 0 && !section.querySelector(".item:not([hidden])");
    found.textContent = words.length ? (count === 1 ? "1 place" : count.toLocaleString("en") + " places") : "";
    mark(words);
  }

  let soon = 0;
  box.addEventListener("input", () => { clearTimeout(soon); soon = setTimeout(search, 120); });
  for (const chip of chips) chip.addEventListener("click", () => {
    const kind = chip.dataset.kind, on = off.delete(kind);
    if (!on) off.add(kind);
    chip.setAttribute("aria-pressed", String(on));
    search();
  });
  unfold.addEventListener("click", () => {
    const wide = unfold.textContent === "Unfold all";
    for (const details of all("main details")) details.open = wide;
    unfold.textContent = wide ? "Fold all" : "Unfold all";
    opened.clear();
  });
  document.addEventListener("keydown", event => {
    if (event.target === box) {
      if (event.key === "Escape") { box.value = ""; search(); box.blur(); }
    } else if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      box.focus();
    }
  });
  document.getElementById("find").hidden = false;
})();
"""
