// Single keys on the page of a decision move and open, where they are not switched off; none decides.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const page = document.querySelector("[data-decide]");
  const box = page && page.querySelector("[data-keys]"); // not where there is nowhere to move
  if (!box) return;
  const kept = "certctl.keys";
  box.checked = localStorage.getItem(kept) !== "off";
  box.addEventListener("change", () => localStorage.setItem(kept, box.checked ? "on" : "off"));
  document.addEventListener("keydown", (event) => {
    if (!box.checked || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]")) return;
    const link = [...page.querySelectorAll("a[data-key]")].find((one) => one.dataset.key === event.key);
    if (link) link.click();
  });
});
