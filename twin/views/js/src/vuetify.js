// Vuetify's lists and bars, made fit for those who use the page by keys or are read to.

/** Vuetify says that a list is a button, and puts an input into it; here the input is the list, also when it has been open. */
function mend() {
  for (const slot of document.querySelectorAll(".v-select .v-input__slot:is([role=button], [aria-expanded])")) {
    slot.removeAttribute("role");
    const input = slot.querySelector("input:not([type=hidden])");
    input?.setAttribute("role", "combobox");
    input?.setAttribute("aria-haspopup", "listbox");
    input?.setAttribute("aria-expanded", slot.getAttribute("aria-expanded") ?? "false");
    for (const name of ["aria-haspopup", "aria-expanded", "aria-owns"]) slot.removeAttribute(name);
  }
  for (const bar of document.querySelectorAll("[role=progressbar]:not([aria-label])")) bar.setAttribute("aria-label", "work");
}

/** Mend what is there and what comes; gives what ends it. */
export function mendVuetify() {
  const observer = new MutationObserver(mend);
  observer.observe(document.body, { childList: true, subtree: true, attributeFilter: ["role", "aria-expanded"] });
  mend();
  return () => observer.disconnect();
}
