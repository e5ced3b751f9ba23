"use strict";
// The tables as they are shown, as CSV, Markdown and LaTeX. Names come escaped for each: [plain, CSV, Markdown, LaTeX].
(() => {
  const FORMS = { csv: 1, markdown: 2, latex: 3 };
  const spell = (forms, format) => forms[FORMS[format]] ?? forms[0];

  function collect(section) {
    const columns = section.columns.map((_, j) => j).filter((j) => board.isShown(section, j));
    const rows = [...section.table.querySelectorAll("tr[data-entry]")].filter((row) => !row.hidden);
    return { columns, rows: rows.map((row) => Number(row.dataset.entry)) };
  }
  function withNote(section) {
    return section.table.caption.textContent;
  }
  const told = (column, cell, minus) => board.number(cell.value, column.digits, column.sign, minus);

  function toCsv(section, { columns, rows }) {
    const head = ["entry", "control", "rank"];
    for (const j of columns) {
      const name = `${section.columns[j].label[0].replace(/−/g, "-")}`.replace(/"/g, "'");
      head.push(name, `${name} low`, `${name} high`);
    }
    const lines = rows.map((i) => {
      const entry = section.entries[i];
      const line = [spell(entry.name, "csv"), entry.control ? "yes" : "no", entry.rank];
      for (const j of columns) {
        const cell = board.find(section, i, j), digits = section.columns[j].digits;
        const plain = (value) => board.number(value, digits, false, "-");
        line.push(cell ? plain(cell.value) : "");
        for (const end of ["below", "above"]) {
          const known = cell && cell[end] !== null;
          line.push(known ? plain(cell.value + (end === "below" ? -cell.below : cell.above)) : "");
        }
      }
      return line.join(",");
    });
    return [head.map((name) => (name.includes(",") ? `"${name}"` : name)).join(","), ...lines, ""].join("\n");
  }
  function toMarkdown(section, { columns, rows }) {
    const head = ["entry", "rank", ...columns.map((j) => spell(section.columns[j].label, "markdown"))];
    const line = (cells) => `| ${cells.join(" | ")} |`;
    const body = rows.map((i) => {
      const entry = section.entries[i], name = spell(entry.name, "markdown");
      return line([entry.control ? `${name} (control)` : name, entry.rank || "–", ...columns.map((j) => {
        const cell = board.find(section, i, j), column = section.columns[j];
        if (!cell) return "–";
        return told(column, cell, "−") + (cell.below === null ? "" : ` ±${board.number(board.half(cell), column.digits)}`);
      })]);
    });
    const rule = ["---", "---", ...columns.map(() => "---:")];
    return [`**${spell(section.title, "markdown")}**: ${withNote(section)}`, "", line(head), line(rule), ...body, ""].join("\n");
  }
  function toLatex(section, { columns, rows }) {
    const head = ["entry", "rank", ...columns.map((j) => spell(section.columns[j].label, "latex").replace(/−/g, "$-$"))];
    const line = (cells) => `${cells.join(" & ")} \\\\`;
    const show = (i) => {
      const entry = section.entries[i], cells = columns.map((j) => {
        const cell = board.find(section, i, j), column = section.columns[j];
        if (!cell) return "--";
        const spread = cell.below === null ? "" : ` \\pm ${board.number(board.half(cell), column.digits)}`;
        return `$${told(column, cell, "-")}${spread}$`;
      });
      return line([spell(entry.name, "latex"), entry.rank.replace("–", "--") || "--", ...cells]);
    };
    const own = rows.filter((i) => !section.entries[i].control), controls = rows.filter((i) => section.entries[i].control);
    const signatures = columns.map((j) => {
      const i = rows.find((k) => board.find(section, k, j));
      return i === undefined ? "" : `% ${board.find(section, i, j).signature}`;
    }).filter(Boolean);
    return [
      "% needs \\usepackage{booktabs}", ...signatures,
      "\\begin{table}", "\\centering", `\\begin{tabular}{ll${"r".repeat(columns.length)}}`, "\\toprule",
      line(head), "\\midrule", ...own.map(show), ...(own.length && controls.length ? ["\\midrule"] : []), ...controls.map(show),
      "\\bottomrule", "\\end{tabular}", `\\caption{${spell(section.title, "latex")}: ${withNote(section)}.}`, "\\end{table}", "",
    ].join("\n");
  }
  const WRITERS = { csv: toCsv, markdown: toMarkdown, latex: toLatex };

  async function copy(text, area) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      area.focus();
      area.select();
      return document.execCommand("copy"); // browsers without the above, and pages from disk in some
    }
  }

  for (const section of board.sections) {
    section.element.addEventListener("click", async (event) => {
      const button = event.target.closest("[data-copy]");
      if (!button) return;
      const box = section.element.querySelector(".copied"), area = box.querySelector("textarea");
      const format = button.dataset.copy, chosen = collect(section);
      const text = format === "signature" ? section.element.querySelector(".detail code").textContent
        : WRITERS[format](section, chosen);
      area.value = text;
      box.hidden = false;
      const done = await copy(text, area);
      section.element.querySelector(".copies [role=status]").textContent =
        `${format === "signature" ? "Signature" : `${chosen.rows.length} rows as ${button.textContent}`}${done ? " copied" : ": select and copy below"}`;
    });
  }
})();
