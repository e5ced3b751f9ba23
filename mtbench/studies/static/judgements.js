// What a rater said: kept in the browser between visits, and written as the CSV that `mtbench preference` reads.
"use strict";

const StudyJudgements = (() => {
  const COLUMNS = ["rater", "clip", "language", "aspect", "system_a", "system_b", "choice", "first_shown", "check",
    "study", "schedule", "trial", "plays", "seconds"];

  function open(key) {
    try {
      return JSON.parse(localStorage.getItem(key));
    } catch {
      return null;
    }
  }

  /** Keep `state`; false where this browser keeps nothing. */
  function keep(key, state) {
    try {
      localStorage.setItem(key, JSON.stringify(state));
      return true;
    } catch {
      return false;
    }
  }

  function forget(key) {
    try {
      localStorage.removeItem(key);
    } catch {
      // Nothing was kept.
    }
  }

  /** What closes the directions that `text` leaves open. */
  function closing(text) {
    const stack = [];
    for (const letter of text) {
      if (/[\u202a\u202b\u202d\u202e]/.test(letter)) stack.push("\u202c");
      else if (/[\u2066-\u2068]/.test(letter)) stack.push("\u2069");
      else if (letter === "\u202c" && stack.at(-1) === letter) stack.pop();
      else if (letter === "\u2069" && stack.includes(letter)) stack.length = stack.lastIndexOf(letter);
    }
    return stack.reverse().join("");
  }

  /** A cell as mtbench.pages.csv_text writes it: one line, closed directions, nothing that a spreadsheet would compute. */
  function cell(value) {
    let text = String(value).replace(/[\t\r\n\x0b\x0c\x85\u2028\u2029]+/g, " ").replace(/[\x00-\x1f\x7f-\x9f]/g, "\ufffd");
    text += closing(text);
    const formula = /^[=+\-@\uff1d\uff0b\uff0d\uff20]/.test(text) && !/^[+-]?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?$/.test(text);
    if (formula) text = "'" + text;
    return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }

  function formatCsv(rows) {
    return [COLUMNS, ...rows.map((row) => COLUMNS.map((name) => row[name]))]
      .map((row) => row.map(cell).join(",") + "\n").join("");
  }

  function save(name, text) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
    link.download = name;
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }

  /** A number that says nothing about a person: eight letters and digits that cannot be confused. */
  function drawRater() {
    const letters = "abcdefghjkmnpqrstuvwxyz23456789";
    return [...crypto.getRandomValues(new Uint32Array(8))].map((n) => letters[n % letters.length]).join("");
  }

  return { open, keep, forget, formatCsv, save, drawRater };
})();
