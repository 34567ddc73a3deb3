// The link's token stands after its #, which no browser sends: it goes into the form, and out of the address bar.
"use strict";

function take() {
    const form = document.getElementById("first-form");
    const missing = document.getElementById("first-no-token");
    if (!form) {
        return;
    }
    const token = location.hash.slice(1);
    if (token) {
        form.elements.token.value = token;
        // Not left in the history, where others who use this browser would find it.
        history.replaceState(null, "", location.pathname);
    }
    form.hidden = !form.elements.token.value;
    missing.hidden = !form.hidden;
}

take();
// The link may be opened in a tab that shows this page already: that loads nothing.
window.addEventListener("hashchange", take);
