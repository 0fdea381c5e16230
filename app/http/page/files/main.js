// Which view is shown, by the address's fragment; and the question for a key.

import { forgetKey, hasKey, onKeyNeeded } from "./api.js";
import { fill, h, problemBox } from "./dom.js";
import { showHistory } from "./history.js";
import { showJob } from "./job.js";
import { showNew } from "./new.js";
import { releasePictures } from "./pictures.js";

const VIEWS = [
  [/^#?\/?$/, "new", (view) => showNew(view)],
  [/^#\/repeat\/([0-9a-f]{32})$/, "new", (view, id) => showNew(view, id)],
  [/^#\/jobs$/, "history", (view) => showHistory(view)],
  [/^#\/jobs\/([0-9a-f]{32})$/, "job", (view, id) => showJob(view, id)],
];
const main = document.getElementById("main");
let leaving = new AbortController();

async function route(isFirst = false) {
  leaving.abort();
  leaving = new AbortController();
  releasePictures();
  for (const dialog of document.querySelectorAll("dialog[open]:not(.key)")) dialog.close();
  const found = VIEWS.map(([pattern, name, show]) => [pattern.exec(location.hash), name, show]);
  const [match, name, show] = found.find(([match]) => match) ?? [["", ""], "", notFound];
  for (const link of document.querySelectorAll("nav a[data-view]")) {
    if (link.dataset.view === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const element = h("div", { class: `view ${name}` });
  const { signal } = leaving;
  fill(main, element);
  const focus = () => !isFirst && !signal.aborted && element.querySelector("h1")?.focus({ preventScroll: true });
  window.scrollTo(0, 0);
  try {
    const shown = show({ element, signal }, match[1]);
    focus();
    await shown;
    if (document.activeElement === document.body) focus();
  } catch (problem) {
    if (!signal.aborted) fill(element, h("h1", { tabindex: "-1" }, "Not to be shown"), problemBox(problem));
  }
  document.getElementById("signed-in").hidden = !hasKey();
}

function notFound({ element }) {
  fill(element, h("h1", { tabindex: "-1" }, "There is no such page"), h("p", {}, h("a", { href: "#/" }, "Make a new set")));
}

onKeyNeeded((isRefused) => new Promise((resolve) => {
  const input = h("input", { type: "password", id: "api-key", autocomplete: "off", required: true, "aria-describedby": "key-note" });
  const dialog = h("dialog", { class: "small key", "aria-labelledby": "key-title" },
    h("form", { method: "dialog" },
      h("h2", { id: "key-title" }, "An API key, please"),
      isRefused && h("p", { class: "problem", role: "alert" }, "That key is not known here."),
      h("p", { id: "key-note" }, "It stays in this tab until you close it. ", h("code", {}, "goodmany keys create NAME"), " makes one."),
      h("label", { for: "api-key" }, "API key"), input,
      h("div", { class: "row" },
        h("button", { value: "use" }, "Use it"),
        h("button", { value: "", class: "quiet", formnovalidate: true }, "Without"))));
  dialog.addEventListener("close", () => {
    dialog.remove();
    resolve(dialog.returnValue === "use" && input.value.trim() ? input.value.trim() : null);
  });
  document.body.append(dialog);
  dialog.showModal();
}));

document.getElementById("skip").addEventListener("click", () => main.focus());
document.getElementById("forget-key").addEventListener("click", () => {
  forgetKey();
  route();
});
window.addEventListener("hashchange", () => route());
route(true);
