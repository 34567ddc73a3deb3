// The page that asks for a certificate: checked by the server while somebody types, and a key that
// is made here, saved as a file, and never sent.
"use strict";

(() => {
  const PAUSE = 400; // milliseconds without a key press before the server is asked
  const form = document.getElementById("request-form");
  const { pkcs10 } = window.certctl;
  const hasCrypto = window.isSecureContext && Boolean(window.crypto && window.crypto.subtle);
  const touched = new Set();
  const field = (name) => form.elements.namedItem(name);
  const byId = (id) => document.getElementById(id);
  const isOurs = () => form.elements.namedItem("source").value === "browser";
  let made = null; // { algorithm, pair }: a promise of a key, until another algorithm is chosen
  let timer = 0, latest = 0, isSent = false;

  // --- The key ---------------------------------------------------------------------------------

  const key = async () => {
    const algorithm = field("algorithm").value;
    if (!algorithm) return null;
    if (!made || made.algorithm !== algorithm) made = { algorithm, pair: pkcs10.newKey(algorithm) };
    return { algorithm, pair: await made.pair };
  };

  const csrFor = async (names) => {
    const ours = await key();
    if (!ours || !names.length) return "";
    return pkcs10.requestFor(ours.pair, ours.algorithm, names, field("common_name").value.trim());
  };

  const save = async (name) => {
    const ours = await key();
    const file = new Blob([await pkcs10.privateKeyOf(ours.pair)], { type: "application/x-pem-file" });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = `${name.replace(/^[a-z]+:/, "").replace(/[^A-Za-z0-9.-]/g, "_")}.key.pem`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  };

  const offer = (algorithms) => {
    const select = field("algorithm"), can = algorithms.filter(pkcs10.canMake);
    if (can.join() === [...select.options].map((one) => one.value).join()) return;
    const before = select.value;
    select.replaceChildren(...can.map((one) => new Option(one, one)));
    if (can.includes(before)) select.value = before;
    const none = algorithms.length && !can.length;
    tell("algorithm", none ? "No key that this profile allows can be made here: bring a CSR." : "");
  };

  // --- Asking the server -----------------------------------------------------------------------

  const post = (csr) => {
    const said = new FormData(form);
    if (csr !== null) said.set("csr", csr);
    return fetch(form.dataset.check, {
      method: "POST",
      body: said,
      credentials: "same-origin",
      headers: { Accept: "application/json" },
      redirect: "manual",
    });
  };

  // Whoever signs in again, in another tab, has another token: what is typed here stays.
  const takeNewToken = async () => {
    const answer = await fetch(window.location.href, { credentials: "same-origin", redirect: "manual" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const token = page.querySelector("#request-form input[name=csrfmiddlewaretoken]");
    if (token) field("csrfmiddlewaretoken").value = token.value;
  };

  const SIGNED_OUT =
    "You are signed out. Sign in again in another tab, then press the button here once more: what you typed stays.";

  const ask = async (csr) => {
    let answer = await post(csr);
    if (answer.status === 403) {
      await takeNewToken();
      answer = await post(csr);
    }
    if (answer.type === "opaqueredirect" || answer.status === 403) throw new Error(SIGNED_OUT);
    if (answer.status === 429) throw new Error("That was too often: wait a minute, and try again.");
    if (!answer.ok) throw new Error("The server could not check it: try again in a moment.");
    return answer.json();
  };

  // What would come of it as it stands; the names first, in their normal form, then the request.
  const outlook = async () => {
    if (!isOurs()) return { seen: await ask(null), csr: null };
    const first = await ask("");
    offer(first.algorithms);
    const csr = hasCrypto ? await csrFor(first.names) : "";
    return csr ? { seen: await ask(csr), csr } : { seen: first, csr };
  };

  // --- Showing what it says --------------------------------------------------------------------

  const tell = (name, words) => {
    const place = byId(`id_${name}_error`);
    if (!place) return false;
    place.textContent = words;
    place.hidden = !words;
    const asked = field(name);
    if (asked && asked.setAttribute) {
      if (words) asked.setAttribute("aria-invalid", "true");
      else asked.removeAttribute("aria-invalid");
    }
    return true;
  };

  const show = (seen, isAll) => {
    const wrong = new Map(), elsewhere = [];
    for (const { field: name, detail } of seen.errors) {
      // In a request that is made here the CSR is nothing that anybody sees: it is the names or key.
      const place = name === "csr" && isOurs() ? "sans" : name;
      if (byId(`id_${place}_error`)) wrong.set(place, [...(wrong.get(place) || []), detail]);
      else elsewhere.push(detail);
    }
    for (const box of form.querySelectorAll("[data-field]")) {
      const name = box.dataset.field;
      if (name === "algorithm") continue;
      const isShown = isAll || touched.has(name);
      tell(name, isShown && wrong.has(name) ? [...new Set(wrong.get(name))].join(" ") : "");
    }
    const top = byId("request-faults");
    const words = [...elsewhere];
    if (isAll && wrong.size) words.push("Some fields need another look: see below.");
    top.textContent = words.join(" ");
    top.hidden = !words.length;
    byId("request-summary").textContent = seen.summary;
    for (const list of form.querySelectorAll("[data-rules]")) {
      list.replaceChildren(
        ...(seen.rules[list.dataset.rules] || []).map(([about, said]) => {
          const row = document.createElement("div");
          const term = document.createElement("dt"), rule = document.createElement("dd");
          term.textContent = about;
          rule.textContent = said;
          row.append(term, rule);
          return row;
        }),
      );
    }
    offer(seen.algorithms);
  };

  const check = async () => {
    const mine = (latest += 1);
    try {
      const { seen } = await outlook();
      if (mine === latest && !isSent) show(seen, false);
    } catch {
      // Nothing is checked for now; sending it will say what is wrong.
      if (mine === latest) byId("request-summary").textContent = "";
    }
  };

  const soon = (event) => {
    const box = event.target.closest("[data-field]");
    if (box) touched.add(box.dataset.field);
    clearTimeout(timer);
    timer = setTimeout(check, PAUSE);
  };

  // --- Files -----------------------------------------------------------------------------------

  const MAX_FILE = 65_536;
  const take = async (file) => {
    touched.add("csr");
    if (file.size > MAX_FILE) {
      tell("csr", "That file is too large for a CSR.");
      return;
    }
    const bytes = new Uint8Array(await file.arrayBuffer());
    // DER begins with a SEQUENCE and is no text: base64 of it is as good.
    const isDer = bytes[0] === 0x30 && bytes.some((octet) => octet > 0x7e);
    field("csr").value = isDer
      ? btoa([...bytes].map((octet) => String.fromCharCode(octet)).join(""))
      : new TextDecoder().decode(bytes);
    check();
  };

  // --- The page --------------------------------------------------------------------------------

  const turn = () => {
    for (const part of form.querySelectorAll("[data-source]")) {
      part.hidden = part.dataset.source !== form.elements.namedItem("source").value;
    }
    byId("request-button").textContent = isOurs()
      ? "Save the key and request the certificate"
      : "Request the certificate";
  };

  if (!hasCrypto) {
    const radio = form.querySelector("input[name=source][value=browser]");
    radio.disabled = true;
    byId("ask-no-crypto").textContent =
      "A key cannot be made here: browsers do so only on pages that come by https (or from this computer itself). Bring a CSR.";
    byId("ask-no-crypto").hidden = false;
  }
  // After a refusal the CSR is there already, and its key was saved: it goes on as one that is brought.
  if (field("csr").value) form.elements.namedItem("source").value = "csr";
  turn();

  form.addEventListener("input", soon);
  form.addEventListener("change", (event) => {
    if (event.target.name === "source") turn();
    soon(event);
  });
  // The choosing fields of the admin tell jQuery alone of what was chosen.
  if (window.django && window.django.jQuery) {
    window.django.jQuery(form).on("select2:select select2:unselect select2:clear", soon);
  }
  byId("csr-file").addEventListener("change", (event) => {
    const [file] = event.target.files;
    if (file) take(file);
  });
  field("csr").addEventListener("dragover", (event) => event.preventDefault());
  field("csr").addEventListener("drop", (event) => {
    const [file] = event.dataTransfer.files;
    if (!file) return;
    event.preventDefault();
    take(file);
  });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isSent) return;
    isSent = true;
    latest += 1;
    const button = byId("request-button");
    button.disabled = true;
    try {
      const { seen, csr } = await outlook();
      if (seen.errors.length) {
        show(seen, true);
        const first = form.querySelector("[data-field] .decide-objection:not([hidden])");
        if (first) first.scrollIntoView({ block: "center" });
        isSent = false;
        button.disabled = false;
        return;
      }
      if (csr) {
        await save(seen.names[0]);
        field("csr").value = csr;
      }
    } catch (error) {
      const isOffline = error instanceof TypeError;
      const top = byId("request-faults");
      top.textContent = isOffline ? "The server could not be reached: try again." : error.message;
      top.hidden = false;
      top.scrollIntoView({ block: "center" });
      isSent = false;
      button.disabled = false;
      return;
    }
    if (window.certctl.remember) window.certctl.remember(form); // this way of sending has no event
    form.submit();
  });

  check();
})();
