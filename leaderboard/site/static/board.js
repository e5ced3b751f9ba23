"use strict";
// Sorting, filters, permalinks and details of numbers. The tables are complete without it.
const board = (() => {
  const data = JSON.parse(document.getElementById("board-data").textContent);
  const form = document.getElementById("filters");
  const status = document.getElementById("filter-status");
  const state = { sort: {} };
  const sections = data.sections.map((section) => {
    const element = document.getElementById(section.id);
    const rows = [...element.querySelectorAll("tr[data-entry]")];
    rows.sort((a, b) => a.dataset.entry - b.dataset.entry);
    return { ...section, element, rows, table: element.querySelector("table") };
  });
  document.documentElement.classList.add("scripted");

  // A view is a language under a noise; columns that know no noise take theirs from all noises together.
  function find(section, i, j) {
    const column = section.columns[j];
    const language = state.language || "all";
    const noise = (column.noisy && state.noise) || "all";
    const view = section.views[`${noise}/${language}`];
    if (!view) return null;
    let width = section.columns.length, place = j;
    if (noise !== "all") {
      const noisy = section.columns.filter((c) => c.noisy);
      width = noisy.length;
      place = noisy.indexOf(column);
    }
    const at = 3 * (i * width + place);
    const value = view.cells[at];
    if (value === null || value === undefined) return null;
    const key = `${i},${place}`;
    return {
      value, below: view.cells[at + 1], above: view.cells[at + 2], few: view.few[key],
      signature: view.own[key] || view.signatures[section.entries[i].kind][place],
    };
  }
  function number(value, digits, sign, minus = "−") {
    const text = (Math.abs(value) / 10 ** digits).toFixed(digits);
    return (value < 0 ? minus : sign && value > 0 ? "+" : "") + text;
  }
  const half = (cell) => Math.floor((cell.below + cell.above + 1) / 2);

  // The whiskers of mtbench/leaderboard/site/whiskers.py.
  function drawCell(td, cell, column, low, high) {
    td.textContent = cell ? number(cell.value, column.digits, column.sign) : "–";
    if (!cell) return;
    if (cell.below !== null) { td.append(" "); add(td, "i", `±${number(half(cell), column.digits)}`); }
    if (cell.few) { td.append(" "); add(td, "b", `[${cell.few}]`); }
    if (cell.below === null) return;
    const x = (value) => 2 + Math.floor((2 * 56 * (value - low) + (high - low)) / (2 * (high - low)));
    const a = x(cell.value - cell.below), b = x(cell.value + cell.above), m = x(cell.value);
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", `M${a} 4H${b}M${a} 2v4M${b} 2v4M${m - 2} 4a2 2 0 1 0 4 0a2 2 0 1 0-4 0`);
    svg.append(path);
    td.append(svg);
  }
  function add(parent, name, text) {
    const element = document.createElement(name);
    element.textContent = text;
    parent.append(element);
  }

  const isShown = (section, j) => {
    const c = section.columns[j];
    return (!state.metric || c.kind === state.metric) && (!state.snr || c.snr === null || String(c.snr) === state.snr);
  };
  function fill(section) {
    const first = section.table.tHead.rows[0].cells.length - section.columns.length;
    section.columns.forEach((column, j) => {
      const shown = isShown(section, j);
      section.table.tHead.rows[0].cells[first + j].hidden = !shown;
      const cells = section.rows.map((_, i) => find(section, i, j));
      const ends = cells.filter(Boolean).map((c) => [c.value - (c.below || 0), c.value + (c.above || 0)]);
      const low = Math.min(...ends.map((e) => e[0])), high = Math.max(low + 1, ...ends.map((e) => e[1]));
      section.rows.forEach((row, i) => {
        const td = row.cells[first + j];
        td.hidden = !shown;
        if (shown) drawCell(td, cells[i], column, low, high);
      });
    });
    const language = form.elements.language, said = language && state.language
      ? language.options[language.selectedIndex].text : "All languages";
    const noise = section.columns.some((c) => c.noisy) ? `, ${state.noise || "all noises together"}` : "";
    const ranked = section.table.tHead.querySelector("[data-key=rank]") && (state.language || state.noise);
    section.table.caption.textContent = said + noise + (ranked ? "; ranks over all languages and noises" : "");
    section.rows.forEach((row, i) => { row.hidden = Boolean(state.open) && !section.entries[i].open && !section.entries[i].control; });
  }

  function sort(section) {
    const [key, direction] = state.sort[section.id] || ["", ""];
    const heads = [...section.table.tHead.rows[0].cells];
    for (const head of heads) {
      const own = key ? head.dataset.key === key : head.dataset.key === "rank";
      if (own) head.setAttribute("aria-sort", direction || "ascending"); else head.removeAttribute("aria-sort");
    }
    const j = section.columns.findIndex((c) => c.id === key), turn = direction === "descending" ? -1 : 1;
    const values = section.rows.map((_, i) => (j < 0 ? null : find(section, i, j)));
    const names = section.entries.map((entry) => entry.name[0]);
    const order = section.rows.map((_, i) => i);
    order.sort((a, b) => {
      if (key === "name") return turn * (names[a] < names[b] ? -1 : names[a] > names[b] ? 1 : a - b);
      if (j < 0) return key ? turn * (a - b) : a - b;
      const left = values[a], right = values[b];
      if (!left || !right) return left ? -1 : right ? 1 : a - b; // what was not measured comes last
      const zero = section.columns[j].better === "zero";
      const gap = zero ? Math.abs(left.value) - Math.abs(right.value) : left.value - right.value;
      return turn * gap || a - b;
    });
    section.table.classList.toggle("ranked", !key || key === "rank");
    for (const body of section.table.tBodies) { // all at once: a third of the time of one by one
      const rows = order.map((i) => section.rows[i]).filter((row) => row.parentNode === body);
      body.replaceChildren(...body.querySelectorAll("tr.head"), ...rows);
    }
  }

  function showDetail(section, td) {
    const row = td.parentNode, i = Number(row.dataset.entry);
    const j = td.cellIndex - (row.cells.length - section.columns.length), cell = find(section, i, j);
    const box = section.element.querySelector(".detail"), column = section.columns[j];
    for (const old of section.table.querySelectorAll(".chosen, td[tabindex]")) {
      old.classList.remove("chosen");
      if (old !== td) old.removeAttribute("tabindex"); // without it, the one that has the focus would lose it
    }
    td.tabIndex = 0;
    td.classList.add("chosen");
    box.hidden = !cell;
    if (!cell) return;
    const show = (value) => number(value, column.digits, column.sign);
    const ends = cell.below === null ? "" : ` [${show(cell.value - cell.below)}, ${show(cell.value + cell.above)}]`;
    const [told, signature] = [box.querySelector("p"), box.querySelector("code")];
    told.textContent = "";
    add(told, "bdi", section.entries[i].name[0]);
    told.append(`, ${column.label[0]}: ${show(cell.value)}${ends} ${column.label[0].endsWith(column.unit[0]) ? "" : column.unit[0]}. ${column.about}.`);
    signature.textContent = cell.signature;
  }

  function listen(section) {
    const tds = section.table.querySelectorAll("td.number");
    if (tds.length) tds[0].tabIndex = 0;
    section.table.addEventListener("click", (event) => {
      const button = event.target.closest("thead button"), td = event.target.closest("td.number");
      if (td) showDetail(section, td);
      if (!button) return;
      const key = button.parentNode.dataset.key, before = button.parentNode.getAttribute("aria-sort");
      const column = section.columns.find((c) => c.id === key);
      const natural = column && column.better === "higher" ? "descending" : "ascending";
      const other = natural === "ascending" ? "descending" : "ascending";
      state.sort[section.id] = [key, before === natural ? other : natural];
      if (key === "rank" && before !== "ascending") delete state.sort[section.id];
      sort(section);
      keep();
    });
    section.table.addEventListener("focusin", (event) => {
      if (event.target.matches("td.number")) showDetail(section, event.target);
    });
    section.table.addEventListener("mouseover", (event) => {
      const td = event.target.closest("td.number");
      if (!td) return;
      const row = td.parentNode, j = td.cellIndex - (row.cells.length - section.columns.length);
      const cell = find(section, Number(row.dataset.entry), j);
      td.title = cell ? cell.signature : "not measured";
    });
    section.table.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
      if (!step || !event.target.matches("td.number")) return;
      event.preventDefault();
      let next = event.target;
      do next = neighbor(section, next, step); while (next && (next.hidden || next.parentNode.hidden));
      if (next) { next.tabIndex = 0; next.focus(); }
    });
  }
  function neighbor(section, td, [down, right]) {
    const rows = [...section.table.querySelectorAll("tr[data-entry]")];
    const row = rows[rows.indexOf(td.parentNode) + down];
    const next = row && row.cells[td.cellIndex + right];
    return next && next.matches("td.number") ? next : null;
  }

  // The address after # holds everything that was chosen.
  function keep() {
    const params = new URLSearchParams();
    for (const name of ["language", "metric", "snr", "noise", "benchmark", "recognizer", "profile", "open"]) {
      if (state[name]) params.set(name, state[name]);
    }
    for (const [id, pair] of Object.entries(state.sort)) params.set(`sort.${id}`, pair.join(","));
    const hash = params.toString();
    history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
  }
  function restore() {
    const hash = location.hash.slice(1);
    if (hash && !hash.includes("=")) return; // a place in the page
    const params = new URLSearchParams(hash);
    state.sort = {};
    for (const control of form.elements) {
      if (!control.name) continue;
      if (control.type === "checkbox") control.checked = params.get(control.name) === "1";
      else {
        control.value = params.get(control.name) || "";
        if (control.selectedIndex < 0) control.value = "";
      }
    }
    for (const section of sections) {
      const [key, direction] = (params.get(`sort.${section.id}`) || "").split(",");
      const known = [...section.table.tHead.rows[0].cells].some((head) => head.dataset.key === key);
      if (known && ["ascending", "descending"].includes(direction)) state.sort[section.id] = [key, direction];
    }
    read();
  }
  function read() {
    for (const control of form.elements) {
      if (control.name) state[control.name] = control.type === "checkbox" ? (control.checked ? "1" : "") : control.value;
    }
    let shown = 0;
    for (const section of sections) {
      const data = section.element.dataset;
      section.element.hidden = ["benchmark", "recognizer", "profile"].some((k) => state[k] && state[k] !== data[k]);
      if (section.element.hidden) continue;
      fill(section);
      sort(section);
      section.element.querySelector(".detail").hidden = true;
      shown += section.rows.filter((row, i) => !row.hidden && !section.entries[i].control).length;
    }
    const lacking = state.noise && state.language && sections.some((s) => !s.views[`${state.noise}/${state.language}`] && s.views[`${state.noise}/all`]);
    const active = [...form.elements].some((control) => control.name && state[control.name]);
    status.textContent = lacking
      ? "With so many entries, single noises are here over all languages only; the pages of the entries have both."
      : active ? `${shown} ${shown === 1 ? "entry" : "entries"} shown, and the controls` : "";
  }

  for (const section of sections) listen(section);
  form.hidden = false;
  for (const copies of document.querySelectorAll(".copies")) copies.hidden = false;
  form.addEventListener("change", () => { read(); keep(); });
  form.addEventListener("reset", () => setTimeout(() => { state.sort = {}; read(); keep(); }));
  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", restore);
  restore();
  return { sections, state, find, number, half, isShown };
})();
