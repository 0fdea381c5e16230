// A new job: images, name, what may differ, how many.

import { call, getJson, jobPath } from "./api.js";
import { viewQuestion } from "./ask.js";
import { announce, fill, h, problemBox, title } from "./dom.js";
import { imageInputs } from "./inputs.js";
import { objectWords } from "./words.js";

// Options that the question about views depends on too.
const ASKED_TOO = ["bit_depth", "image_size"];

export async function showNew({ element, signal }, repeated) {
  const images = imageInputs({ signal, onChange: changed });
  const words = objectWords({ signal });
  const question = viewQuestion({
    signal,
    form: imagesForm,
    onInputs: images.understand,
    onFault: (problem) => (images.blame(problem), fault(problem)),
  });
  // A click after a lost answer is the same request, until something is changed.
  let key = newKey();
  const faults = h("div");
  const send = h("button", { type: "submit", class: "main" }, "Make images");
  const options = optionFields();
  const form = h("form", { onsubmit: submit, oninput: () => (key = newKey()), novalidate: true, "aria-label": "New set" },
    h("section", {}, h("h2", {}, "Your good images"), images.element),
    h("section", {}, h("h2", {}, "Their name"), words.element),
    question.section,
    h("section", {}, h("h2", {}, "How many"), options.element),
    faults,
    h("p", { class: "row" }, send));
  fill(element, title(repeated ? "The same again, with changes" : "New images of good parts"),
    h("p", { class: "lead" }, "Give one to fifty images of good parts. You get a ZIP of new ones for training an anomaly detector, and see what is in it and why."),
    form);
  if (repeated) await repeat(repeated);

  function imagesForm() {
    const data = new FormData();
    for (const file of images.files()) data.append("images", file, file.name);
    if (words.value()) data.append("object_name", words.value());
    for (const name of ASKED_TOO) if (options.values()[name]) data.append(name, options.values()[name]);
    return data;
  }

  function changed() {
    key = newKey();
    clearFault();
    question.look();
  }

  function clearFault() {
    fill(faults);
    words.accept();
  }

  function fault(problem, ...more) {
    fill(faults, problemBox(problem, ...more));
    faults.scrollIntoView({ block: "nearest" });
  }

  async function submit(event) {
    event.preventDefault();
    clearFault();
    if (!images.files().length) return fault({ title: "No images yet", detail: "Add at least one image of a good part." });
    if (!words.value()) return words.refuse("Say what the images show.");
    const data = imagesForm();
    for (const [name, value] of Object.entries({ ...options.values(), prompt: words.prompt(), sense: words.sense() })) if (!ASKED_TOO.includes(name) && value) data.append(name, value);
    const chosen = question.chosen();
    if (chosen) data.append("invariances", chosen.join(","));
    for (const file of images.filesApart()) data.append("held_out_images", file, file.name);
    send.disabled = true;
    send.textContent = "Sending …";
    announce("Sending.");
    try {
      const job = await (await call("v1/jobs", { method: "POST", body: data, headers: { "Idempotency-Key": key } })).json();
      location.hash = `#/jobs/${job.id}`;
    } catch (problem) {
      images.blame(problem);
      const named = problem.errors?.find((error) => error.field === "object_name");
      if (named) words.refuse(named.detail);
      fault(problem);
    } finally {
      send.disabled = false;
      send.textContent = "Make images";
    }
  }

  async function repeat(id) {
    const job = await getJson(jobPath(id), { signal });
    const asked = job.request ?? { object_name: job.object_name, num_images: job.num_images_requested, seed: job.seed };
    words.set(asked.object_name, asked.prompt, asked.sense);
    options.set(asked);
    question.want(asked.invariances ?? null);
    try {
      const files = [];
      for (let number = 0; number < job.inputs.length + job.held_out.length; number += 1) {
        const content = await (await call(`${jobPath(id)}/inputs/${number}`, { signal })).blob();
        files.push(new File([content], `image-${number + 1}.${await kindOf(content)}`, { type: `image/${await kindOf(content)}` }));
      }
      const apart = files.splice(job.inputs.length);
      if (files.length) images.add(files);
      if (apart.length) images.add(apart, true);
    } catch (problem) {
      if (!signal.aborted) fault({ title: "Its images are gone", detail: `Choose them again. ${problem.detail}` });
    }
  }
}

function optionFields() {
  const number = numberField("num-images", "New images", 16, { min: 1, max: 1000 });
  const size = numberField("image-size", "Long side in px", "", { min: 64, max: 4096, placeholder: "as yours" });
  const seed = numberField("seed", "Seed", 0, { min: 0, max: 4294967295 });
  const depth = numberField("bit-depth", "Bits of the camera", "", { min: 8, max: 16 });
  const efforts = { draft: "Draft: a quick look", standard: "Standard", high: "High: takes longer" };
  const effort = h("select", { id: "effort" }, Object.entries(efforts).map(([value, text]) => h("option", { value }, text)));
  effort.value = "standard";
  const presets = { goodmany: "Views of your images", varied: "Views, each varied besides", paper: "The paper's own rules, no guard" };
  const preset = h("select", { id: "preset" }, Object.entries(presets).map(([value, text]) => h("option", { value }, text)));
  preset.value = "goodmany";
  const strict = h("input", { type: "checkbox", id: "strict" });
  return {
    element: h("div", {},
      h("div", { class: "fields" }, number.element, h("div", {}, h("label", { for: "effort" }, "Effort"), effort), size.element),
      h("details", {}, h("summary", {}, "More"),
        h("div", { class: "fields" }, seed.element, depth.element, h("div", {}, h("label", { for: "preset" }, "How"), preset)),
        h("p", { class: "note" }, "The same images, name and seed give the same set again. Bits: only for files of more than 8 bit, such as 12."),
        h("label", { class: "choice" }, strict, " Fail rather than give fewer images than asked for"))),
    values: () => ({
      num_images: number.input.value, effort: effort.value, preset: preset.value, image_size: size.input.value,
      seed: seed.input.value, bit_depth: depth.input.value, strict: strict.checked ? "true" : "",
    }),
    set(asked) {
      for (const [field, value] of [[number, asked.num_images], [size, asked.image_size], [seed, asked.seed], [depth, asked.bit_depth]]) field.input.value = value ?? field.input.defaultValue;
      effort.value = asked.effort ?? "standard";
      preset.value = asked.preset ?? "goodmany";
      strict.checked = asked.strict ?? false;
    },
  };
}

function numberField(id, label, value, limits) {
  const input = h("input", { id, type: "number", inputmode: "numeric", ...limits });
  input.defaultValue = value;
  return { input, element: h("div", {}, h("label", { for: id }, label), input) };
}

const newKey = () => crypto.getRandomValues(new Uint32Array(4)).join("-");

/** The image format's name, by the file's first bytes. */
async function kindOf(blob) {
  const [first] = new Uint8Array(await blob.slice(0, 1).arrayBuffer());
  return { 0x89: "png", 0xff: "jpeg", 0x42: "bmp", 0x49: "tiff", 0x4d: "tiff", 0x52: "webp" }[first] ?? "png";
}
