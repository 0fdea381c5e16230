// "In": the images that a person gives, by any way there is, and what was understood of each.

import { announce, count, fill, h } from "./dom.js";

const SUFFIX = /\.(png|jpe?g|bmp|tiff?|webp)$/i;
const ZIP = /\.zip$/i;
const ACCEPTED = "image/png,image/jpeg,image/bmp,image/tiff,image/webp,.tif,.tiff,.bmp,.zip";
const THUMB_PX = 240;
// Where a request has an image: an upload of its own, or a file within a ZIP.
const FIELD = /^(images|held_out_images)\[(\d+)\](?:\/(.+))?$/;
// As many judge a set; fewer than one more need not be asked about.
const LEAST_APART = 6;

/** The part of the form; `onChange` hears of each change of the images. */
export function imageInputs({ signal, onChange }) {
  let items = [];
  let all = [];
  const list = h("ul", { class: "tiles inputs" });
  const note = h("p", { id: "images-note", class: "note" });
  const apart = h("div", { class: "row", hidden: true });
  const chooser = fileInput({ multiple: true, accept: ACCEPTED });
  const folder = fileInput({ multiple: true, webkitdirectory: true });
  const camera = fileInput({ accept: "image/*", capture: "environment" });
  const isTouched = matchMedia("(pointer: coarse)").matches;
  const zone = h("div", { class: "drop", ondragover: over, ondragleave: leave, ondrop: drop },
    h("p", { class: "big" }, "Drop images, a folder or a ZIP here, or paste one"),
    h("div", { class: "row" },
      button("Choose images", chooser, "images-note"), button("Choose a folder", folder), isTouched && button("Take a photo", camera)),
    chooser, folder, camera);
  document.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) add([...event.clipboardData.files]);
  }, { signal });
  say();

  function fileInput(properties) {
    return h("input", { type: "file", hidden: true, ...properties, onchange: ({ target }) => {
      add([...target.files]);
      target.value = "";
    } });
  }

  function over(event) {
    event.preventDefault();
    zone.classList.add("over");
  }

  function leave() {
    zone.classList.remove("over");
  }

  async function drop(event) {
    event.preventDefault();
    leave();
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    const files = entries.length ? (await Promise.all(entries.map(walk))).flat() : [...event.dataTransfer.files];
    add(files);
  }

  function add(files, isApart = false) {
    const zips = files.filter((file) => ZIP.test(file.name));
    const images = files.filter((file) => !ZIP.test(file.name) && (file.type.startsWith("image/") || SUFFIX.test(file.name)));
    items = [...items, ...[...images, ...zips].map((file) => ({ file, isApart, thumb: thumbnail(file) }))];
    const others = files.length - images.length - zips.length;
    const added = [images.length > 0 && count(images.length, "image"), zips.length > 0 && count(zips.length, "ZIP")].filter(Boolean).join(" and ") || "No image";
    changed(`${added} added${others ? `; ${count(others, "file")} left out: no image` : ""}.`);
  }

  function remove(item) {
    const index = items.indexOf(item);
    items = items.filter((other) => other !== item);
    changed(`${item.file.name} removed.`);
    const buttons = list.querySelectorAll("button");
    (buttons[Math.min(index, buttons.length - 1)] ?? zone.querySelector("button")).focus();
  }

  function changed(text) {
    for (const item of items) item.understood = item.fault = null;
    draw();
    say(text);
    onChange();
  }

  function say(text = "") {
    const advice = items.length === 0 ? "PNG, JPEG, BMP, TIFF or WebP. Good parts only: what these show counts as good."
      : items.length < 3 && !items.some(({ file }) => ZIP.test(file.name)) ? "Three or more show better what may differ between good parts." : "";
    note.textContent = [text, advice].filter(Boolean).join(" ");
    if (text) announce(text);
  }

  function draw() {
    drawApart();
    fill(list, items.map((item, number) => tile(item, number)));
  }

  function tile(item, number) {
    const { file, understood, fault } = item;
    return h("li", { class: `tile${fault ? " bad" : ""}${item.isApart ? " apart" : ""}` }, item.thumb,
      h("p", { class: "name", title: file.name }, `${number + 1}. ${file.name}`),
      understood?.length > 0 && (ZIP.test(file.name) ? content(understood) : h("p", { class: "facts" }, facts(understood[0]))),
      understood?.flatMap(({ field, warnings }) => warnings.map((warning) => h("p", { class: "warning" }, `Look: ${[pathOf(field), warnText(warning, nameOf)].filter(Boolean).join(": ")}`))),
      fault && h("p", { class: "fault" }, fault),
      mayJudge() && h("label", { class: "choice" }, h("input", { type: "checkbox", checked: item.isApart, onchange: ({ target }) => keepApart(item, target.checked) }), " Keep apart", h("span", { class: "unseen" }, ` image ${number + 1}`)),
      h("button", { type: "button", class: "quiet", "aria-label": `Remove image ${number + 1}, ${file.name}`, onclick: () => remove(item) }, "Remove"));
  }

  /** What the tiles call one of all images. */
  function nameOf(number) {
    const [, , , path] = FIELD.exec(all[number].field);
    return path ?? `image ${items.indexOf(itemOf(all[number].field)) + 1}`;
  }

  const sent = (isApart) => items.filter((item) => item.isApart === isApart);

  /** The tile's item of a field such as `images[3]`. */
  function itemOf(field) {
    const [, name, number] = FIELD.exec(field) ?? [];
    return name && sent(name !== "images")[number];
  }

  function keepApart(item, isApart) {
    item.isApart = isApart;
    changed(`${item.file.name} ${isApart ? "is kept apart" : "is used"}.`);
    list.children[items.indexOf(item)].querySelector("input").focus();
  }

  function keepHalf() {
    items.forEach((item, number) => (item.isApart = number % 2 === 1));
    changed(`${count(sent(true).length, "image")} kept apart.`);
    apart.querySelector("button")?.focus();
  }

  function keepNone() {
    for (const item of items) item.isApart = false;
    changed("All images are used.");
    zone.querySelector("button").focus();
  }

  /** Whether there are enough images for some of them to judge the others by. */
  const mayJudge = () => items.length > LEAST_APART || (items.length > 1 && items.some(({ file }) => ZIP.test(file.name))) || sent(true).length > 0;

  function drawApart() {
    const number = sent(true).length;
    apart.hidden = !mayJudge();
    fill(apart, number
      ? [h("p", { class: "note" }, `${number} kept apart: nothing is made of ${number === 1 ? "it" : "them"}, the set is judged by ${number === 1 ? "it" : "them"}.`), h("button", { type: "button", class: "quiet", onclick: keepNone }, "Use them all")]
      : [h("p", { class: "note" }, `Have more than you need? Keep ${LEAST_APART} or more apart: nothing is made of them, and you see how well the new images match them.`), h("button", { type: "button", class: "quiet", onclick: keepHalf }, "Keep every second one apart")]);
  }

  return {
    element: h("div", {}, zone, note, apart, list),
    files: () => sent(false).map(({ file }) => file),
    filesApart: () => sent(true).map(({ file }) => file),
    add,
    /** What the service understood of each image, in their order. */
    understand(inputs) {
      all = inputs;
      for (const item of items) {
        item.understood = inputs.filter(({ field }) => itemOf(field) === item);
        item.fault = null;
      }
      draw();
    },
    /** Marks the images that a problem names. */
    blame(problem) {
      for (const error of problem.errors ?? []) {
        const item = itemOf(error.field);
        if (item) item.fault = [pathOf(error.field), error.detail].filter(Boolean).join(": ");
      }
      draw();
    },
  };
}

/** "1280 x 960 px, 12 bit, grey", of what the service understood. */
export function facts(input) {
  const kinds = { 1: "grey", 2: "grey with transparency", 3: "colour", 4: "colour with transparency" };
  const turned = input.orientation === 1 ? "" : ", turned upright";
  return `${input.width} × ${input.height} px, ${input.bit_depth} bit, ${kinds[input.channels] ?? `${input.channels} channels`}${turned}`;
}

const pathOf = (field) => FIELD.exec(field)?.[3];

/** What is in a ZIP. */
function content(images) {
  return h("details", {}, h("summary", {}, count(images.length, "image")),
    h("ul", { class: "plain facts" }, images.map((image) => h("li", {}, `${pathOf(image.field)}: ${facts(image)}`))));
}

/** A warning for people, who count from 1. */
export function warnText(warning, nameOf = (number) => `image ${number + 1}`) {
  return warning.same_as === null ? warning.detail : `The same pixels as ${nameOf(warning.same_as)}.`;
}

function button(text, input, described) {
  return h("button", { type: "button", "aria-describedby": described, onclick: () => input.click() }, text);
}

/** All files below a dropped entry. */
async function walk(entry) {
  if (entry.isFile) return new Promise((resolve) => entry.file((file) => resolve([file]), () => resolve([])));
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (!some.length) return found;
    found.push(...(await Promise.all(some.map(walk))).flat());
  }
}

/** A small picture; browsers that cannot read the format show its name. */
function thumbnail(file) {
  const holder = h("div", { class: "frame" });
  if (ZIP.test(file.name)) {
    fill(holder, h("span", { class: "big" }, "ZIP"));
    return holder;
  }
  createImageBitmap(file).then((bitmap) => {
    const scale = Math.min(1, THUMB_PX / Math.max(bitmap.width, bitmap.height));
    const canvas = h("canvas", { width: Math.round(bitmap.width * scale), height: Math.round(bitmap.height * scale), role: "img", "aria-label": file.name });
    canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    fill(holder, canvas);
  }, () => fill(holder, h("span", { class: "note" }, `No preview of ${file.name.split(".").pop().toUpperCase()} files here`)));
  return holder;
}
