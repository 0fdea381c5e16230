// "Ask": which of these are still good parts? Pictures made from the user's own images.

import { getJson, pause } from "./api.js";
import { announce, fill, h } from "./dom.js";

const SETTLED_MS = 500;
const NOT_THERE = [404, 405];
// The images go with each question: a few minutes long, and then whoever wants to asks.
const MOST_IN_VAIN = 24;
// What a job is told when no family is ticked.
const NONE = "none";

/** The section; `chosen()` is the list of names to send, or null to let the images decide. */
export function viewQuestion({ signal, form, onInputs, onFault }) {
  let asked = new AbortController();
  let families = null;
  let wanted = null;
  // Ticks that nobody has touched are what the images say, and they say more: what is tried in a few.
  let answered = false;
  const body = h("div");
  const section = h("section", { hidden: true, "aria-labelledby": "ask-title" },
    h("h2", { id: "ask-title" }, "Which of these are still good parts?"), body);

  /** Asks the service anew, once the images have settled; unseen where it was asked in vain so many times. */
  async function look(inVain = 0) {
    asked.abort();
    asked = new AbortController();
    families = null;
    answered = false;
    const mine = AbortSignal.any([asked.signal, signal]);
    if (form().getAll("images").length === 0) return (section.hidden = true);
    await pause(SETTLED_MS, mine);
    if (mine.aborted) return;
    if (!inVain) fill(body, h("p", { role: "status" }, h("span", { class: "spinner" }), " Looking at your images. You need not wait."));
    section.hidden = false;
    try {
      const found = await getJson("v1/views", { method: "POST", body: form(), signal: mine });
      if (mine.aborted) return;
      onInputs(found.inputs);
      show(found.families);
    } catch (problem) {
      if (mine.aborted) return;
      if (problem.status === 422 || problem.status === 413) {
        section.hidden = true;
        onFault(problem);
      } else if (NOT_THERE.includes(problem.status)) section.hidden = true;
      else {
        if (!inVain) fill(body, h("p", {}, "This cannot be shown now. Your images will decide."), h("p", { class: "note" }, problem.detail), h("button", { type: "button", class: "quiet", onclick: () => look() }, "Try again"));
        // Right after its start the service has nobody yet who looks.
        if (!problem.againInS || inVain === MOST_IN_VAIN) return;
        await pause(1000 * problem.againInS, mine);
        if (!mine.aborted) look(inVain + 1);
      }
    }
  }

  function show(found) {
    families = found.map((family) => ({ ...family, chosen: wanted ? wanted.includes(family.name) : family.chosen }));
    fill(body,
      h("p", {}, "Each row is your own image, changed. Leave ticked what a good part on your line can look like."),
      h("ul", { class: "families" }, families.map((family) => h("li", { class: "family" },
        h("label", { class: "choice" },
          h("input", { type: "checkbox", name: "family", checked: family.chosen, onchange: ({ target }) => {
            family.chosen = target.checked;
            answered = true;
          } }),
          h("strong", {}, ` ${family.title}`)),
        h("div", { class: "strip" }, family.images.map((source, number) => h("img", { src: source, alt: `${family.title}, example ${number + 1}` }))),
        h("p", { class: "note" }, family.reason),
        h("p", { class: "note" }, `Good, by your images: ${Math.round(family.belief * 100)} %`)))));
    announce("The question is ready: which of these are still good parts?");
  }

  return {
    section,
    look,
    want(names) {
      wanted = names;
    },
    chosen() {
      if (!families || !(answered || wanted)) return wanted;
      const names = families.filter((family) => family.chosen).map(({ name }) => name);
      return names.length ? names : [NONE];
    },
  };
}
