"use strict";
// Sorts and filters the table. All it knows stands in the rows; what is chosen stands in the address after "#",
// so that it can be bookmarked, and the browser's own back button undoes it.
(() => {
  const body = document.getElementById("rows");
  if (!body) return;

  const count = document.getElementById("count");
  const nothing = document.getElementById("nothing");
  const find = document.getElementById("find");
  const fields = [...document.querySelectorAll("[data-field]")];
  const heads = [...document.querySelectorAll("th[data-sort]")];
  const bars = [...document.querySelectorAll("a.bar")];
  const collator = new Intl.Collator("en", { numeric: true });
  const keys = [...fields.map((field) => field.dataset.field), "sort", "down"];

  const bare = (text) => text.normalize("NFKD").replace(/\p{M}+/gu, "").toLowerCase();
  const wordsOf = (text) => text.split(/\s+/).filter(Boolean);

  const records = [...body.rows].map((row, place) => ({
    row,
    place,
    text: bare(`${row.textContent} ${row.dataset.also ?? ""}`),
    score: "score" in row.dataset ? Number(row.dataset.score) : null,
    status: row.dataset.status,
    section: row.dataset.section ?? "",
    check: new Set(wordsOf(row.dataset.lost ?? "")),
    mistake: new Set(wordsOf(row.dataset.mistakes ?? "")),
    sorted: heads.map((head) => {
      const cell = row.cells[head.cellIndex];
      const value = cell.dataset.value ?? cell.textContent.trim();
      if (value === "") return null;
      return head.dataset.sort === "number" ? Number(value) : value;
    }),
  }));

  let state = {};
  let order = "";
  let typing = null;

  // What a field asks of a row: null where it asks nothing.
  function asked(field) {
    const value = state[field.dataset.field];
    if (!value) return null;
    const number = Number(value);
    switch (field.dataset.field) {
      case "q": {
        const words = wordsOf(bare(value));
        return (record) => words.every((word) => record.text.includes(word));
      }
      case "from":
        return (record) => record.score !== null && record.score >= number;
      case "below":
        return (record) => record.score !== null && record.score < number;
      case "status":
      case "section":
        return (record) => record[field.dataset.field] === value;
      default: {
        const chosen = field.selectedOptions[0].dataset.number;
        return (record) => record[field.dataset.field].has(chosen);
      }
    }
  }

  function filter() {
    const tests = fields.map(asked).filter(Boolean);
    let shown = 0;
    for (const record of records) {
      const fits = tests.every((test) => test(record));
      if (record.row.hidden === fits) record.row.hidden = !fits;
      if (fits) shown += 1;
    }
    count.textContent = tests.length ? `${shown} of ${records.length} shown` : `${records.length} shown`;
    nothing.hidden = shown > 0;
  }

  function sort() {
    const wanted = `${state.sort ?? ""} ${state.down ?? ""}`;
    if (wanted === order) return;
    order = wanted;
    const at = heads.findIndex((head) => head.dataset.key === state.sort);
    const sign = state.down ? -1 : 1;
    const compare = (left, right) => {
      const [a, b] = [left.sorted[at], right.sorted[at]];
      // An empty cell is no small value: it stands last, whichever way.
      if (a === null || b === null) return (a === null) - (b === null);
      return sign * (typeof a === "number" ? a - b : collator.compare(a, b));
    };
    const wantedOrder = [...records].sort((left, right) => (at < 0 ? 0 : compare(left, right)) || left.place - right.place);
    const fragment = document.createDocumentFragment();
    for (const record of wantedOrder) fragment.append(record.row);
    body.append(fragment);
    heads.forEach((head, index) => {
      if (index === at) head.setAttribute("aria-sort", state.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
  }

  function show() {
    for (const field of fields) {
      const value = state[field.dataset.field] ?? "";
      if (field !== document.activeElement || field.value !== value) field.value = value;
      // A bookmark may name what this class does not have.
      if (field.value !== value) delete state[field.dataset.field];
      if (field.selectedIndex < 0) field.selectedIndex = 0;
    }
    for (const bar of bars) {
      if (isChosen(bar)) bar.setAttribute("aria-current", "true");
      else bar.removeAttribute("aria-current");
    }
    filter();
    sort();
  }

  function isChosen(bar) {
    const { from, below } = bar.dataset;
    return (state.from ?? "") === from && (state.below ?? "") === below;
  }

  function written() {
    const kept = keys.filter((key) => state[key]).map((key) => [key, state[key]]);
    return `#${new URLSearchParams(kept)}`;
  }

  function read() {
    const found = new URLSearchParams(location.hash.slice(1));
    typing = null;
    state = Object.fromEntries(keys.filter((key) => found.get(key)).map((key) => [key, found.get(key)]));
    show();
  }

  // What is typed into one field in one go is one step back.
  function change(values, field = null) {
    state = { ...state, ...values };
    show();
    const address = written();
    if (address === (location.hash || "#")) return;
    if (field && field === typing) history.replaceState(null, "", address);
    else history.pushState(null, "", address);
    typing = field;
  }

  function go(heading) {
    // At once: a thousand rows that fly past show nothing.
    heading.scrollIntoView({ block: "start", behavior: "instant" });
    heading.focus({ preventScroll: true });
  }

  const table = document.getElementById("submissions");

  for (const field of fields) {
    const typed = field.tagName === "INPUT";
    field.addEventListener(typed ? "input" : "change", () => {
      change({ [field.dataset.field]: field.value }, typed ? field : null);
    });
    field.addEventListener("blur", () => {
      typing = null;
    });
  }

  for (const head of heads) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const again = state.sort === head.dataset.key;
      change({ sort: head.dataset.key, down: again && !state.down ? "1" : "" });
    });
  }

  for (const bar of bars) {
    const { from, below } = bar.dataset;
    bar.setAttribute("href", `#${new URLSearchParams({ from, below })}`);
    bar.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      if (isChosen(bar)) return change({ from: "", below: "" });
      change({ from, below });
      go(table);
    });
  }

  for (const button of document.querySelectorAll("[data-show]")) {
    button.addEventListener("click", () => {
      change({ [button.dataset.show]: button.dataset.value });
      go(table);
    });
  }

  // A jump inside the page is no choice: it leaves the address, which holds them, alone.
  for (const link of document.querySelectorAll('nav a, a.skip')) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      go(document.querySelector(link.hash));
    });
  }

  document.getElementById("reset").addEventListener("click", () => {
    change(Object.fromEntries(fields.map((field) => [field.dataset.field, ""])));
  });

  window.addEventListener("hashchange", read);
  for (const part of document.querySelectorAll("[data-scripted]")) part.hidden = false;
  read();
})();
