// Buttons that copy the text of an element, exactly as it is: <button data-copy="its id" hidden>.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const bySelection = (element) => {
    // Without a secure context there is no clipboard but this old one.
    const range = document.createRange();
    range.selectNodeContents(element);
    const chosen = window.getSelection();
    chosen.removeAllRanges();
    chosen.addRange(range);
    return document.execCommand("copy");
  };

  for (const button of document.querySelectorAll("[data-copy]")) {
    const words = button.textContent;
    button.hidden = false;
    button.addEventListener("click", async () => {
      const element = document.getElementById(button.dataset.copy);
      let isDone = false;
      try {
        await navigator.clipboard.writeText(element.textContent);
        isDone = true;
      } catch {
        isDone = bySelection(element);
      }
      button.textContent = isDone ? "Copied" : "Select it and copy by hand";
      setTimeout(() => { button.textContent = words; }, 2000);
    });
  }
});
