// Single keys of the inbox: j and k move, o and Enter open. None decides. They can be switched off
// (WCAG 2.1.4), and are silent wherever something is typed or a button has the focus.
"use strict";

(() => {
  const KEPT = "certctl.inbox.keys";
  const box = document.querySelector("[data-inbox-keys]");
  if (!box) return;
  const toggle = box.querySelector("[data-inbox-switch]");
  const rows = [...document.querySelectorAll("[data-inbox-row]")];
  let here = -1;

  const isOn = () => {
    try {
      return localStorage.getItem(KEPT) !== "off";
    } catch {
      return toggle.checked; // nothing may be kept here: it holds for this page
    }
  };
  const go = (to) => {
    if (to < 0 || to >= rows.length) return;
    rows[here]?.classList.remove("is-here");
    here = to;
    rows[here].classList.add("is-here");
    rows[here].querySelector("[data-inbox-open]").focus();
    rows[here].scrollIntoView({ block: "nearest" });
  };

  toggle.checked = true;
  toggle.checked = isOn();
  toggle.addEventListener("change", () => {
    try {
      localStorage.setItem(KEPT, toggle.checked ? "on" : "off");
    } catch {
      // As above.
    }
    if (!toggle.checked) {
      rows[here]?.classList.remove("is-here");
      here = -1;
    }
  });
  box.hidden = false;

  // Whoever comes to a row by Tab or by a press goes on from there.
  rows.forEach((row, number) => {
    row.addEventListener("focusin", () => {
      if (!toggle.checked || number === here) return;
      rows[here]?.classList.remove("is-here");
      here = number;
      row.classList.add("is-here");
    });
  });

  document.addEventListener("keydown", (event) => {
    if (!toggle.checked || event.defaultPrevented || event.repeat && event.key !== "j" && event.key !== "k") return;
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (event.target.closest("input, textarea, select, button, [contenteditable], dialog")) return;
    if (event.key === "j") go(here + 1);
    else if (event.key === "k") go(here - 1);
    else if (event.key === "o" && here >= 0) rows[here].querySelector("[data-inbox-open]").click();
    else if (event.key === "Enter" && here >= 0 && !event.target.closest("a")) rows[here].querySelector("[data-inbox-open]").click();
    else return;
    event.preventDefault();
  });
})();
