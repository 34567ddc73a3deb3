// What was typed into a form is not lost when the session had ended by the time it was sent
// (decision 0069). It waits in this tab alone, sealed with a key that the server shows to the same
// person only; after they signed in it is filled in, and nothing is sent by itself.
"use strict";

(() => {
  const SENT = "certctl.typed.sent", LOST = "certctl.typed.lost";
  const MOST = 256 * 1024; // characters of one form
  const KEPT = 30 * 60 * 1000; // milliseconds from the press until it is thrown away
  const SECRET = /PRIVATE KEY/;
  const subtle = window.isSecureContext && window.crypto ? window.crypto.subtle : undefined;
  let sealingKey = null; // a promise of this person's key

  // --- In this tab -----------------------------------------------------------------------------

  const drop = (place) => {
    try { sessionStorage.removeItem(place); } catch { /* a browser that keeps nothing */ }
  };
  const write = (place, kept) => {
    try { sessionStorage.setItem(place, JSON.stringify(kept)); } catch { drop(place); }
  };
  const read = (place) => {
    try {
      const kept = JSON.parse(sessionStorage.getItem(place));
      if (kept && Date.now() - kept.at < KEPT && kept.at <= Date.now()) return kept;
    } catch { /* not ours */ }
    drop(place);
    return null;
  };

  const bytes = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  const base64 = (octets) => {
    let text = "";
    for (const one of new Uint8Array(octets)) text += String.fromCharCode(one);
    return btoa(text);
  };
  const seal = async (form) => {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const plain = new TextEncoder().encode(JSON.stringify(form));
    const sealed = await subtle.encrypt({ name: "AES-GCM", iv }, await sealingKey, plain);
    return { iv: base64(iv), sealed: base64(sealed) };
  };
  const open = async (kept) => {
    const iv = bytes(kept.iv);
    const plain = await subtle.decrypt({ name: "AES-GCM", iv }, await sealingKey, bytes(kept.sealed));
    return JSON.parse(new TextDecoder().decode(plain));
  };

  // --- What a form holds -----------------------------------------------------------------------

  const NEVER = new Set(["password", "submit", "button", "image", "reset"]);
  const labelOf = (field) => (field.labels && field.labels[0] ? field.labels[0].textContent : field.name).trim();
  const valuesOf = (field) => {
    if (field.tagName === "SELECT") return [...field.selectedOptions].map((one) => [one.value, one.textContent.trim()]);
    if (field.type === "checkbox" || field.type === "radio") return field.checked ? [[field.value, ""]] : [];
    return [[field.value, ""]];
  };
  const typedIn = (form) => {
    const fields = new Map(), again = new Set();
    let rows = [];
    for (const field of form.elements) {
      if (!field.name || field.disabled || NEVER.has(field.type)) {
        if (field.type === "password" && field.value) again.add(labelOf(field));
        continue;
      }
      if (field.type === "file") {
        if (field.files.length) again.add(labelOf(field));
      } else if (field.type === "hidden") {
        // Of what a page sends by itself only which rows it is about, and what is asked for them.
        if (field.name === "_selected_action") rows.push(field.value);
        if (field.name === "action") fields.set("action", { name: "action", values: [[field.value, ""]], told: true });
      } else if (SECRET.test(field.value) || field.closest("[data-typed=never]")) {
        if (field.value) again.add(labelOf(field));
      } else {
        const known = fields.get(field.name) || { name: field.name, values: [] };
        known.values.push(...valuesOf(field));
        fields.set(field.name, known);
      }
    }
    if (rows.length) fields.set("_selected_action", { name: "_selected_action", values: rows.map((one) => [one, ""]), told: true });
    return {
      path: window.location.pathname,
      id: form.id,
      to: form.getAttribute("action") || "",
      fields: [...fields.values()],
      again: [...again],
    };
  };

  const remember = (form) => {
    if (!sealingKey || form.method !== "post" || /\/(login|logout)\/$/.test(form.action)) return;
    const typed = typedIn(form), at = Date.now();
    const isLarge = JSON.stringify(typed).length > MOST;
    write(SENT, { at, why: isLarge ? "It is too long to be kept." : "" });
    // Before the answer is there, the page still runs: the browser shows it until then.
    if (!isLarge) seal(typed).then((sealed) => write(SENT, { at, why: "", ...sealed }), () => drop(SENT));
  };

  // --- Filling it in again ---------------------------------------------------------------------

  const told = (field, kind) => field.dispatchEvent(new Event(kind, { bubbles: true }));
  const isNow = (field) => field.name && !field.disabled && field.type !== "hidden" && field.type !== "file" && !NEVER.has(field.type);
  const put = (field, values, place) => {
    const wanted = values.map(([value]) => value);
    const from = field.id.endsWith("_to") && document.getElementById(field.id.replace(/_to$/, "_from"));
    if (from && window.SelectBox) { // two boxes, of which this one has what was chosen
      for (const one of from.options) one.selected = wanted.includes(one.value);
      window.SelectBox.move(from.id, field.id);
    } else if (field.type === "checkbox" || field.type === "radio") {
      field.checked = wanted.includes(field.value);
    } else if (field.tagName === "SELECT") {
      if (field.classList.contains("admin-autocomplete")) { // has the options that were asked for, no others
        const known = new Set([...field.options].map((one) => one.value));
        for (const [value, words] of values) if (!known.has(value)) field.add(new Option(words, value));
      }
      for (const one of field.options) one.selected = wanted.includes(one.value);
    } else if (place < values.length) {
      field.value = values[place][0];
    }
    told(field, "input");
    told(field, "change");
    for (let up = field.closest("details"); up; up = up.parentElement.closest("details")) up.open = true;
  };

  const formFor = (typed) => {
    const forms = [...document.forms].filter((one) => one.method === "post");
    const action = typed.fields.find((one) => one.name === "action" && one.told);
    const same = forms.find((one) => {
      const asks = one.elements.namedItem("action");
      return one.id === typed.id && (one.getAttribute("action") || "") === typed.to
        && (!action || (asks && asks.type === "hidden" && asks.value === action.values[0][0]));
    });
    return same || (action ? document.getElementById("changelist-form") : null);
  };

  // Fills in what the page has, and returns what is left for a page that comes after it.
  const fillIn = (form, typed) => {
    const left = [], isList = form.id === "changelist-form" && form.id !== typed.id;
    const chooses = (field) => field.tagName === "SELECT" || field.type === "radio" || field.type === "checkbox";
    for (const isChoice of [true, false]) { // a choice may bring the fields that come with it
      for (const { name, values, told: isPage } of typed.fields) {
        const fields = [...form.elements].filter((one) => one.name === name && isNow(one));
        const some = fields.filter((one) => chooses(one) === isChoice);
        if (!isPage || isList) some.forEach((field, place) => put(field, values, place));
        if (isChoice && !fields.length && (!isPage || isList)) left.push({ name, values, told: isPage });
      }
    }
    return isList ? typed.fields : left;
  };

  const say = (words, kind) => {
    const main = document.getElementById("content") || document.getElementById("cc-main");
    const box = document.createElement("div");
    box.className = `typed-notice typed-${kind}`;
    box.setAttribute("role", "status");
    main.prepend(box);
    box.append(...words.filter(Boolean).map((text) => {
      const line = document.createElement("p");
      line.textContent = text;
      return line;
    }));
  };

  const giveBack = async () => {
    const kept = read(LOST);
    if (!kept) return;
    if (!kept.sealed) {
      drop(LOST);
      say(["What you had typed could not be kept: it has to be typed again.", kept.why], "lost");
      return;
    }
    let typed;
    try { typed = await open(kept); } catch { drop(LOST); return; } // somebody else's
    const form = typed.path === window.location.pathname ? formFor(typed) : null;
    if (!form) return;
    const left = fillIn(form, typed);
    const isStep = form.id === "changelist-form" && form.id !== typed.id;
    if (isStep) write(LOST, { ...kept, ...(await seal({ ...typed, fields: left })) });
    else drop(LOST);
    const again = typed.again.length ? `Not kept, and asked for again: ${typed.again.join(", ")}.` : "";
    const done = kept.doubtful ? "It is not known whether it was done." : "Nothing was done.";
    say(isStep
      ? [`${done} The rows are chosen again: press Go on, and what you typed on the next page is filled in.`]
      : [`${done} What you typed is filled in again: look it over, then press the button.`, again,
         left.length ? "Some of it has no field on this page any more." : ""], "back");
  };

  // --- On each page ----------------------------------------------------------------------------

  window.certctl = Object.assign(window.certctl || {}, { remember });
  const begin = () => {
    const sent = read(SENT);
    const answer = document.querySelector("[data-typed=kept], [data-typed=doubtful]");
    if (answer) {
      // What answered the form says that nothing was done, or that nobody knows.
      if (sent) write(LOST, { ...sent, doubtful: answer.dataset.typed === "doubtful" });
      drop(SENT);
      const place = document.getElementById("typed-kept");
      const kept = place && read(LOST);
      if (kept) {
        place.textContent = kept.sealed
          ? "What you typed is kept in this tab for half an hour. Sign in as the same person, and it is filled in again."
          : `What you typed could not be kept. ${kept.why}`;
        place.hidden = false;
      }
      return;
    }
    const mark = document.getElementById("cc-typed");
    drop(SENT); // it arrived
    if (!mark) return;
    if (!subtle) {
      const kept = read(LOST);
      drop(LOST);
      if (kept) say(["What you had typed could not be kept: this address is not secure (https)."], "lost");
      document.addEventListener("submit", (event) => {
        if (!event.defaultPrevented && event.target.method === "post") {
          write(SENT, { at: Date.now(), why: "This address is not secure (https)." });
        }
      });
      return;
    }
    sealingKey = subtle.importKey("raw", bytes(mark.dataset.key), "AES-GCM", false, ["encrypt", "decrypt"]);
    document.addEventListener("submit", (event) => {
      if (!event.defaultPrevented) remember(event.target);
    });
    // The scripts of the page itself have made its fields by then.
    window.addEventListener("load", () => giveBack());
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
