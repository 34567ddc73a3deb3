// The page that imports: files are sent without leaving it, so that they stay chosen between the
// look at them and the confirming press; the server's answer takes the place of what was shown.
"use strict";

(() => {
  const form = document.getElementById("import-form");
  const byId = (id) => document.getElementById(id);
  const files = form.elements.namedItem("file");

  const tell = (words) => {
    const place = byId("id_file_error");
    place.textContent = words;
    place.hidden = !words;
  };

  const chooseOwners = () => {
    // The admin's choosing fields are made of what is on the page when it is loaded.
    const { jQuery } = window.django;
    jQuery(form).find(".admin-autocomplete").not("[data-select2-id]").djangoAdminSelect2();
  };

  const isSmall = () => {
    const size = [...files.files].reduce((sum, file) => sum + file.size, 0);
    const most = Number(form.dataset.most);
    if (size <= most) return true;
    tell(`These are ${Math.ceil(size / 1048576)} MiB; ${most / 1048576} MiB are allowed together.`);
    return false;
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = event.submitter || byId("import-look");
    if (form.dataset.busy || !isSmall()) return;
    form.dataset.busy = "yes";
    const said = new FormData(form);
    if (button.name) said.set(button.name, button.value);
    const words = button.textContent;
    button.textContent = button.name ? "Importing…" : "Looking…";
    button.disabled = true;
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body: said,
        credentials: "same-origin",
        redirect: "error",
      });
      if (answer.status === 413) throw new Error("That is more than is allowed at once.");
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const seen = page.getElementById("import-seen");
      if (!seen) throw new Error("The server did not take it. Load the page again and sign in.");
      byId("import-seen").replaceWith(document.adoptNode(seen));
      tell(page.getElementById("id_file_error").textContent);
      chooseOwners();
      if (byId("import-button")) byId("import-look").classList.remove("decide-yes");
    } catch (error) {
      tell(error instanceof TypeError ? "The server could not be reached, or you are signed out." : error.message);
    }
    delete form.dataset.busy;
    button.textContent = words;
    button.disabled = false;
  });

  // What is shown is of what was chosen before.
  for (const name of ["file", "text"]) {
    form.elements.namedItem(name).addEventListener("change", () => {
      tell("");
      byId("import-seen").replaceChildren();
      byId("import-look").classList.add("decide-yes");
    });
  }
})();
