// The large view: one image after the other, laid over the real image that it came from.

import { fill, h } from "./dom.js";
import { show } from "./pictures.js";

/**
 * A dialog over `items`, all of the manifest's shape: {path, alt, caption, real, realAlt, facts, isKept, keep}; all but the first
 * three may be missing. Returns when it is closed.
 */
export function openViewer(items, start, { width_px: width, height_px: height }) {
  const ratio = width / height;
  let number = start;
  const opener = document.activeElement;
  const front = h("img", { alt: "" });
  const back = h("img", { alt: "" });
  const slider = h("input", { type: "range", min: 0, max: 100, value: 0, oninput: split });
  const stage = h("div", { class: "stage" }, front, back, slider);
  const caption = h("h2", { "aria-live": "polite" });
  const facts = h("dl", { class: "facts" });
  const box = h("input", { type: "checkbox", onchange: () => items[number].keep(box.checked) });
  const keep = h("label", { class: "choice" }, box, " Keep it in the download");
  const help = h("p", { class: "note keys" });
  const dialog = h("dialog", { class: "viewer", "aria-label": "Large view", onkeydown: press },
    h("div", { class: "row bar" }, caption, h("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Close")),
    stage,
    h("div", { class: "row" },
      h("button", { type: "button", class: "quiet", onclick: () => go(number - 1) }, "Previous"),
      h("button", { type: "button", class: "quiet", onclick: () => go(number + 1) }, "Next"), keep),
    facts, help);

  function split() {
    stage.style.setProperty("--at", `${slider.value}%`);
    slider.setAttribute("aria-valuetext", `${slider.value} %`);
  }

  function go(to) {
    number = (to + items.length) % items.length;
    const item = items[number];
    stage.style.setProperty("--ratio", ratio);
    front.alt = item.alt;
    show(front, item.path);
    back.hidden = slider.hidden = !item.real;
    if (item.real) {
      back.alt = item.realAlt;
      slider.setAttribute("aria-label", `Laid over it: ${item.realAlt}`);
      show(back, item.real);
    }
    keep.hidden = !item.keep;
    if (item.keep) box.checked = item.isKept();
    fill(caption, item.caption);
    fill(facts, Object.entries(item.facts ?? {}).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
    fill(help, item.real ? `Slide over the image to lay over it: ${item.realAlt}. ` : "", "Arrow keys: previous and next.", item.keep ? " X: keep or leave out." : "", " Esc: close.");
    split();
  }

  function press(event) {
    if (event.target === slider && event.key.startsWith("Arrow")) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) go(number + step);
    else if (event.key.toLowerCase() === "x" && items[number].keep) box.click();
    else return;
    event.preventDefault();
  }

  dialog.addEventListener("close", () => {
    dialog.remove();
    opener?.focus();
  });
  document.body.append(dialog);
  go(start);
  dialog.showModal();
}
