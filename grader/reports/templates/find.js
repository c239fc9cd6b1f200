"use strict";
// Goes to the field that finds by name, by the key "/".
(() => {
  const find = document.getElementById("find");
  if (!find) return;

  document.addEventListener("keydown", (event) => {
    const inField = event.target.closest("input, select, textarea");
    if (event.key !== "/" || inField || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    find.focus();
    find.select();
  });
})();
