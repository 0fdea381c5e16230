// Pictures of the service: fetched with the key, when they come near the window.

import { call } from "./api.js";
import { h } from "./dom.js";

const MARGIN = "300px";
// New images in their own size: few are kept, since each may have many MB.
const LARGE = /\/images\/\d+$/;
const MAX_LARGE = 6;
const kept = new Map();
const waiting = new WeakMap();
const others = new WeakMap();

const watcher = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    watcher.unobserve(target);
    show(target, waiting.get(target));
  }
}, { rootMargin: MARGIN });

/** An image that is loaded when it is about to be seen; from `other` if there is none. */
export function picture(path, alt, other = null) {
  const image = h("img", { alt, class: "loading" });
  waiting.set(image, path);
  if (other) others.set(image, other);
  image.addEventListener("error", () => image.classList.add("missing"));
  watcher.observe(image);
  return image;
}

/** Shows the picture in an image that is there. */
export async function show(image, path) {
  waiting.set(image, path);
  try {
    const source = await load(path);
    if (waiting.get(image) !== path) return;
    image.src = source;
    image.classList.remove("loading");
  } catch {
    const other = others.get(image);
    if (!other) return image.classList.replace("loading", "missing");
    others.delete(image);
    await show(image, other);
  }
}

/** Frees the pictures of the view that goes. */
export function releasePictures() {
  forget([...kept.keys()]);
}

function forget(paths) {
  for (const path of paths) {
    kept.get(path).then(URL.revokeObjectURL, () => {});
    kept.delete(path);
  }
}

function load(path) {
  if (!kept.has(path)) {
    if (LARGE.test(path)) forget([...kept.keys()].filter((other) => LARGE.test(other)).slice(0, -MAX_LARGE));
    const source = call(path).then((answer) => answer.blob()).then(URL.createObjectURL);
    source.catch(() => kept.delete(path));
    kept.set(path, source);
  }
  return kept.get(path);
}
