// Names for what the theme's scripts make without any, so that a screen reader can say what it is.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const name = (element, words) => {
    if (words && !element.getAttribute("aria-label")) element.setAttribute("aria-label", words);
  };
  const tend = () => {
    for (const select of document.querySelectorAll("select.select2-hidden-accessible")) {
      const label = document.querySelector(`label[for="${CSS.escape(select.id)}"]`);
      const words = label ? label.textContent.trim() : select.name;
      const box = select.nextElementSibling;
      if (!box || !box.classList.contains("select2")) continue;
      for (const one of box.querySelectorAll(
        ".select2-selection, .select2-selection__rendered, .select2-search__field")) {
        one.removeAttribute("aria-labelledby");
        name(one, words);
      }
    }
    document.querySelectorAll(".simplebar-content-wrapper[role=region]").forEach((one, place) => {
      const words = one.closest("#nav-sidebar-apps") ? "Menu" : `Scrollable content ${place + 1}`;
      if (one.getAttribute("aria-label") !== words) one.setAttribute("aria-label", words);
    });
    for (const one of document.querySelectorAll("span.help-tooltip[aria-label]")) {
      one.setAttribute("role", "img");
    }
  };
  // They are made by scripts that run later than this one, and again as rows are added.
  // Only attributes are set, so this does not call itself.
  new MutationObserver(tend).observe(document.body, { childList: true, subtree: true });
  tend();
  window.addEventListener("load", tend);
});
