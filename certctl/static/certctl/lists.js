// A list's menus close by Escape and by a press beside them; without this they close by their chip.
"use strict";

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.list-menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.list-menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
