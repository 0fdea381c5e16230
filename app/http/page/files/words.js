// The object's name: in which sense it is taken, and the words that are used.

import { getJson, pause } from "./api.js";
import { fill, h } from "./dom.js";

const TYPED_MS = 400;

/** The part of the form; `value()` is the name, `prompt()` and `sense()` what was chosen or "". */
export function objectWords({ signal }) {
  let asked = new AbortController();
  const name = h("input", { id: "object-name", name: "object_name", required: true, maxlength: 80, autocomplete: "off", placeholder: "hazelnut", "aria-describedby": "name-note", oninput: renamed });
  const prompt = h("input", { id: "prompt", name: "prompt", maxlength: 300, autocomplete: "off", list: "texts", "aria-describedby": "prompt-note" });
  const texts = h("datalist", { id: "texts" });
  const told = h("div", { class: "words", "aria-live": "polite" });
  // The meaning that the person has picked; without one the likeliest is taken.
  let sense = "";

  function renamed() {
    sense = "";
    typed();
  }

  async function typed() {
    asked.abort();
    asked = new AbortController();
    const mine = AbortSignal.any([asked.signal, signal]);
    await pause(TYPED_MS, mine);
    if (mine.aborted) return;
    const text = name.value.trim();
    if (!text) return fill(told);
    try {
      const words = await getJson(`v1/prompts?object_name=${encodeURIComponent(text)}`, { signal: mine });
      if (!mine.aborted) show(words);
    } catch (problem) {
      if (!mine.aborted) fill(told, h("p", { class: "note" }, problem.status === 422 ? problem.errors?.[0]?.detail ?? problem.detail : "The words cannot be shown now. The job finds them all the same."));
    }
  }

  function show({ senses }) {
    const meaning = h("div");
    if (!senses.some((one) => one.name === sense)) sense = "";
    const pick = (chosen) => {
      const known = chosen.gloss;
      // What is said of every object comes last.
      const own = [...chosen.candidates].sort((a, b) => (a.relation === "state") - (b.relation === "state"));
      fill(meaning, known
        ? h("p", {}, h("strong", {}, `${chosen.name.split(".")[0].replaceAll("_", " ")}: `), `${chosen.gloss}.`)
        : h("p", {}, "This word is not in the dictionary. It is used as it stands, and the images count more."),
        h("p", { class: "note" }, `Words in use: ${[...new Set(own.map(({ word }) => word).filter(Boolean))].slice(0, 16).join(", ")}.`));
      fill(texts, chosen.candidates.map(({ text }) => h("option", { value: text })));
    };
    const others = senses.length > 1 && h("details", {}, h("summary", {}, "Is something else meant?"),
      h("fieldset", {}, h("legend", {}, "Meaning"), senses.map((one, number) => h("label", { class: "choice" },
        h("input", { type: "radio", name: "sense", checked: sense ? one.name === sense : number === 0, onchange: () => {
          sense = one.name;
          pick(one);
        } }), ` ${one.gloss ?? one.name}`, one.reason && h("small", {}, ` (${one.reason})`)))));
    pick(senses.find((one) => one.name === sense) ?? senses[0]);
    fill(told, meaning, others);
  }

  return {
    element: h("div", {},
      h("label", { for: "object-name" }, "What do they show?"), name,
      h("p", { id: "name-note", class: "note" }, "In plain words, as you would say it: “hazelnut”, “hex nut M8”."),
      told,
      h("details", {}, h("summary", {}, "The text that guides the images"),
        h("label", { for: "prompt" }, "Text (prompt)"), prompt, texts,
        h("p", { id: "prompt-note", class: "note" }, "Left empty, your images decide which of the texts in the list fits best."))),
    value: () => name.value.trim(),
    prompt: () => prompt.value.trim(),
    sense: () => sense,
    set(text, chosen, meant) {
      name.value = text;
      sense = meant ?? "";
      prompt.value = chosen ?? "";
      typed();
    },
    refuse(detail) {
      name.setAttribute("aria-invalid", "true");
      name.focus();
      fill(told, h("p", { class: "fault" }, detail));
    },
    accept: () => name.removeAttribute("aria-invalid"),
  };
}
