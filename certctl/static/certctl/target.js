// A target's form shows the fields of the kind that is chosen. Without this script it shows those of
// all kinds, each with the kinds that have it; what the chosen kind has not is not read.
(function () {
  "use strict";

  function start() {
    var kind = document.getElementById("id_kind");
    var fields = document.querySelectorAll("[data-kinds]");
    if (!kind || !fields.length) return;

    function show() {
      fields.forEach(function (field) {
        var row = field.closest(".form-row") || field.closest("[class*='field-']");
        var fits = !kind.value || field.dataset.kinds.split(" ").indexOf(kind.value) !== -1;
        if (row) row.hidden = !fits;
        field.disabled = !fits;
      });
    }

    kind.addEventListener("change", show);
    show();
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
