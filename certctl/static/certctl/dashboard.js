// The dashboard's figures, asked for anew each minute while somebody can see them. Tables that
// were opened stay open, and what has the focus keeps it.
"use strict";

(() => {
  const EVERY = 60000;
  const board = document.getElementById("cc-board");
  const stale = document.getElementById("cc-stale");
  if (!board) return;
  let asked = Date.now();
  let open = [];
  let focused = "";

  const refresh = () => {
    asked = Date.now();
    htmx.trigger(board, "board-refresh");
  };
  const look = () => {
    if (!document.hidden && Date.now() - asked >= EVERY) refresh();
  };

  board.addEventListener("htmx:beforeSwap", () => {
    open = [...board.querySelectorAll("details[id]")].map((one) => [one.id, one.open]);
    const at = document.activeElement;
    focused = board.contains(at) && at.href ? at.href : "";
  });
  board.addEventListener("htmx:afterSwap", () => {
    stale.hidden = true;
    for (const [id, was] of open) {
      const one = document.getElementById(id);
      if (one) one.open = was;
    }
    const same = focused && [...board.querySelectorAll("a")].find((one) => one.href === focused);
    if (same) same.focus({ preventScroll: true });
  });
  for (const wrong of ["htmx:responseError", "htmx:sendError"]) {
    board.addEventListener(wrong, () => {
      stale.hidden = false;
    });
  }
  document.addEventListener("visibilitychange", look);
  setInterval(look, 5000);
})();
