// The search in the top bar: Ctrl+K goes there, arrows choose, Enter opens, Escape closes.
// A combobox with a list (WAI-ARIA Authoring Practices): the focus stays in the box.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector("[data-find]");
  if (!form) return;
  const box = form.querySelector("input");
  const list = form.querySelector("[role=listbox]");
  const said = form.querySelector("[data-find-said]");
  const pause = 150; // milliseconds without a key before it is asked
  let waits = 0;
  let asking = null;
  let asked = box.value.trim();
  let chosen = -1;

  const options = () => [...list.querySelectorAll("[role=option]")];

  function choose(index) {
    const all = options();
    chosen = all.length ? (index + all.length) % all.length : -1;
    all.forEach((option, at) => option.setAttribute("aria-selected", String(at === chosen)));
    if (chosen < 0) {
      box.removeAttribute("aria-activedescendant");
      return;
    }
    box.setAttribute("aria-activedescendant", all[chosen].id);
    all[chosen].scrollIntoView({ block: "nearest" });
  }

  function show(isOpen) {
    list.hidden = !isOpen;
    box.setAttribute("aria-expanded", String(isOpen));
    if (!isOpen) {
      chosen = -1;
      box.removeAttribute("aria-activedescendant");
    }
  }

  async function ask() {
    const text = box.value.trim();
    if (text === asked) {
      show(Boolean(text) && list.childElementCount > 0);
      return;
    }
    asked = text;
    if (asking) asking.abort();
    if (!text) {
      list.replaceChildren();
      show(false);
      said.textContent = "";
      return;
    }
    asking = new AbortController();
    const address = new URL(form.action);
    address.searchParams.set("q", text);
    address.searchParams.set("part", "1");
    try {
      const answer = await fetch(address, { signal: asking.signal, redirect: "error" });
      if (!answer.ok && answer.status !== 429) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      list.replaceChildren(...page.body.children);
    } catch (error) {
      if (error.name === "AbortError") return;
      const words = document.createElement("p");
      words.className = "find-none";
      words.textContent = "The search did not answer. Press Enter to search on a page.";
      list.replaceChildren(words);
      asked = null;
    }
    options().forEach((option, at) => (option.id = `find-option-${at}`));
    const count = Number(list.querySelector("[data-find-count]")?.dataset.findCount ?? 0);
    said.textContent = count ? `${count} found. Arrow keys choose.` : "Nothing found.";
    choose(-1);
    chosen = -1;
    options().forEach((option) => option.setAttribute("aria-selected", "false"));
    box.removeAttribute("aria-activedescendant");
    show(true);
    if (count) choose(0);
  }

  box.addEventListener("input", () => {
    window.clearTimeout(waits);
    chosen = -1; // what is listed is not what is typed
    waits = window.setTimeout(ask, pause);
  });
  box.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) show(list.childElementCount > 0);
      choose(event.key === "ArrowDown" ? chosen + 1 : Math.max(chosen, 0) - 1);
    } else if (event.key === "Escape") {
      event.preventDefault();
      if (list.hidden) box.blur();
      show(false);
    } else if (event.key === "Enter" && !list.hidden && chosen >= 0) {
      event.preventDefault();
      options()[chosen].click();
    }
  });
  box.addEventListener("focus", () => show(Boolean(box.value.trim()) && list.childElementCount > 0));
  form.addEventListener("focusout", (event) => {
    if (!form.contains(event.relatedTarget)) show(false);
  });
  // A press on a row must not take the focus before it is a click.
  list.addEventListener("mousedown", (event) => event.preventDefault());

  document.addEventListener("keydown", (event) => {
    const isK = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey);
    if (!isK || event.altKey || event.shiftKey) return;
    event.preventDefault();
    if (form.offsetParent === null) {
      document.querySelector(".find-open")?.click(); // on a small screen it is a page
      return;
    }
    box.focus();
    box.select();
  });
});
