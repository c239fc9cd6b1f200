"use strict";
// Opens the pair that the address names, brings both sides of a passage level, unfolds lines and filters by name.
(() => {
  const pairs = [...document.querySelectorAll(".pair")];
  const find = document.getElementById("find");
  const count = document.getElementById("count");

  function reveal(pair) {
    if (pair.hidden) reset();
    pair.open = true;
  }

  // Both sides scroll so far that the passage stands at the same height in both, near the top where there is room.
  function level(pair, number) {
    for (const old of pair.querySelectorAll(".chosen, [aria-current]")) {
      old.classList.remove("chosen");
      old.removeAttribute("aria-current");
    }
    for (const run of pair.querySelectorAll(`.run[data-passage="${number}"]`)) run.classList.add("chosen");
    for (const badge of pair.querySelectorAll(`[data-to="${number}"]`)) badge.setAttribute("aria-current", "true");
    const places = [...pair.querySelectorAll(".pane")].map((pane) => {
      const badge = pane.querySelector(`.badge[data-to="${number}"]`);
      const top = badge.closest(".run").offsetTop;
      return { pane, top, most: pane.scrollHeight - pane.clientHeight };
    });
    const lowest = Math.min(...places.map((one) => one.top));
    const highest = Math.max(...places.map((one) => one.top - one.most));
    const height = Math.max(highest, Math.min(lowest, 24));
    for (const { pane, top } of places) pane.scrollTo({ top: top - height, behavior: "instant" });
    const sides = pair.querySelector(".sides");
    const seen = sides.getBoundingClientRect();
    if (seen.top < 0 || seen.bottom > innerHeight) sides.scrollIntoView({ block: "nearest", behavior: "instant" });
  }

  // The lines themselves stand once in the page, with the whole program.
  function unfold(fold) {
    const [first, last] = [Number(fold.dataset.first), Number(fold.dataset.last)];
    const source = document.querySelector(`${fold.hash} code`).textContent.split("\n");
    const run = document.createElement("div");
    run.className = `run k${fold.dataset.colour}`;
    run.tabIndex = -1;
    const numbers = document.createElement("pre");
    numbers.className = "count";
    numbers.setAttribute("aria-hidden", "true");
    numbers.textContent = Array.from({ length: last - first + 1 }, (_, at) => first + at).join("\n");
    const code = document.createElement("code");
    code.textContent = source.slice(first - 1, last).join("\n");
    const shown = document.createElement("pre");
    shown.append(code);
    run.append(numbers, shown);
    const passage = fold.previousElementSibling?.dataset.passage;
    if (fold.dataset.colour !== "0" && passage) run.dataset.passage = passage;
    fold.replaceWith(run);
    run.focus({ preventScroll: true });
  }

  function follow() {
    const named = document.getElementById(location.hash.slice(1));
    const pair = named?.closest(".pair");
    if (!pair) return;
    reveal(pair);
    const summary = pair.querySelector("summary");
    summary.focus({ preventScroll: true });
    summary.scrollIntoView({ block: "start", behavior: "instant" });
    if (named.dataset.to) level(pair, named.dataset.to);
  }

  document.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    const link = event.target.closest("a.badge, a.fold, a[href^='#pair-']");
    if (!link) return;
    event.preventDefault();
    if (link.matches(".badge")) level(link.closest(".pair"), link.dataset.to);
    else if (link.matches(".fold")) unfold(link);
    else {
      const address = link.getAttribute("href");
      if (location.hash !== address) history.pushState(null, "", address);
      follow();
    }
  });
  window.addEventListener("hashchange", follow);

  for (const part of document.querySelectorAll("[data-scripted]")) part.hidden = false;
  follow();
  if (!find) return;

  const bare = (text) => text.normalize("NFKD").replace(/\p{M}+/gu, "").toLowerCase();
  const names = pairs.map((pair) => bare(pair.querySelector("h3").textContent));

  function filter() {
    const words = bare(find.value).split(/\s+/).filter(Boolean);
    let shown = 0;
    pairs.forEach((pair, at) => {
      pair.hidden = !words.every((word) => names[at].includes(word));
      shown += !pair.hidden;
    });
    count.textContent = words.length ? `${shown} of ${pairs.length} shown` : `${pairs.length}`;
    document.getElementById("nothing").hidden = shown > 0;
  }

  function reset() {
    find.value = "";
    filter();
  }

  find.addEventListener("input", filter);
  document.getElementById("reset").addEventListener("click", reset);
  filter();
})();
