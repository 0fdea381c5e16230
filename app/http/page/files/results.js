// "Out": the new images beside the real ones, what varies, what was rejected and why.

import { Problem, call, download, getJson, jobPath } from "./api.js";
import { announce, confirmed, count, duration, fill, h, problemBox, title, when } from "./dom.js";
import { facts, warnText } from "./inputs.js";
import { programLines } from "./lines.js";
import { picture, show } from "./pictures.js";
import { openViewer } from "./viewer.js";

const REASONS = {
  anomalous: "shows something that your images do not",
  near_copy: "is nearly the same as an image that is there already",
};
const LOW_PRECISION = 0.6;
// By how much of the image a mark is larger than what it marks, on each side.
const GROWN = 0.05;
const VIEWS = {
  rotate: "any angle", rotate_90: "quarter turns", half_turn: "the whole picture turned by half", flip_horizontal: "left and right exchanged", flip_vertical: "top and bottom exchanged",
  shift: "moved", scale: "larger or smaller", brightness: "brighter or darker", lighting: "uneven light",
};

export async function showResults({ element, signal }, job) {
  const here = jobPath(job.id);
  const [manifest, evidence] = await Promise.all([
    getJson(`${here}/manifest`, { signal }),
    getJson(`${here}/evidence`, { signal }).catch((problem) => {
      if (problem instanceof Problem && problem.status === 404) return null;
      throw problem;
    }),
  ]);
  const images = manifest.images.map((image, number) => ({ ...image, number, isKept: true }));
  const faults = h("div");
  const attempt = async (act) => {
    try {
      await act();
    } catch (problem) {
      fill(faults, problemBox(problem));
    }
  };
  const real = (number) => evidence && number < evidence.num_real ? `${here}/evidence/real/${number}` : null;
  const get = h("button", { type: "button", class: "main", onclick: () => attempt(fetchZip) });
  say();

  function say() {
    const gone = images.filter((image) => !image.isKept).length;
    fill(get, gone ? `Download ZIP without ${count(gone, "image")}` : "Download ZIP");
    get.disabled = gone === images.length;
  }

  async function fetchZip() {
    get.disabled = true;
    announce("The download begins.");
    const without = images.filter((image) => !image.isKept).map(({ number }) => number).join(",");
    await download(`${here}/archive${without && `?without=${without}`}`).finally(say);
  }

  async function remove() {
    if (!(await confirmed(`Delete the images of “${job.object_name}” from the server? This cannot be undone.`, "Delete"))) return;
    await call(here, { method: "DELETE" });
    announce("Deleted.");
    location.hash = "#/jobs";
  }

  fill(element, title(job.object_name),
    h("p", { class: "lead" }, `${count(job.num_images, "new image")} from ${count(job.inputs.length || evidence?.num_real || 1, "real one")}`,
      job.num_images < job.num_images_requested && `; ${job.num_images_requested} were asked for, the others did not pass the guard`, ". ", job.ended_at && ["Done ", when(job.ended_at), "."]),
    h("div", { class: "row" }, get,
      evidence && h("button", { type: "button", class: "quiet", onclick: () => attempt(() => download(`${here}/report`)) }, "Download report"),
      h("a", { class: "button quiet", href: `#/repeat/${job.id}` }, "Repeat with changes"),
      h("button", { type: "button", class: "quiet", onclick: () => attempt(remove) }, "Delete")),
    faults,
    h("div", { class: evidence ? "beside" : "" }, evidence && realImages(here, evidence, job, manifest), newImages({ here, hasSmall: evidence !== null, images, manifest, real, onKeep: say })),
    rejectedImages(here, evidence, manifest, real),
    manifest.held_out && judged(here, job, manifest.held_out),
    story(job, manifest),
    programLines(job.request ?? manifest.request, numFiles(job.inputs) ?? 1, numFiles(job.held_out) ?? 0));
}

/** How many files were sent: a ZIP is one, what came from a bucket is none; null when it is not known. */
function numFiles(inputs) {
  const fields = inputs.map(({ field }, number) => (field ? field.split("/")[0] : String(number)));
  return new Set(fields.filter((field) => field !== "images_url")).size || (fields.length ? 0 : null);
}

function realImages(here, evidence, job, manifest) {
  const numbers = Array.from({ length: evidence.num_real }, (_, number) => number);
  const path = (kind, number) => `${here}/evidence/${kind}/${number}`;
  const tiles = numbers.map((number) => picture(path("real", number), `Real image ${number + 1}`));
  const legend = h("p", { class: "note", hidden: true }, "Dark stays as it is; bright is where good parts differ, and where new images may.");
  const button = h("button", { type: "button", class: "quiet", "aria-pressed": "false", onclick: () => {
    const isOn = button.getAttribute("aria-pressed") === "false";
    button.setAttribute("aria-pressed", String(isOn));
    legend.hidden = !isOn;
    tiles.forEach((image, number) => {
      image.alt = isOn ? `Where real image ${number + 1} may vary` : `Real image ${number + 1}`;
      show(image, path(isOn ? "variance" : "real", number));
    });
  } }, "Show where they may vary");
  const large = numbers.map((number) => ({ path: path("real", number), alt: `Real image ${number + 1}`, caption: `Real image ${number + 1} of ${numbers.length}`, real: evidence.has_variance ? path("variance", number) : null, realAlt: "where it may vary" }));
  return h("section", {}, h("div", { class: "row bar" }, h("h2", {}, "Real"), evidence.has_variance && button), legend,
    h("ul", { class: "tiles" }, numbers.map((number) => h("li", { class: "tile real" },
      h("button", { type: "button", class: "frame", "aria-label": `Real image ${number + 1}, large`, onclick: () => openViewer(large, number, manifest) }, tiles[number]),
      job.inputs[number] && h("p", { class: "facts" }, facts(job.inputs[number])),
      job.inputs[number]?.warnings.map((warning) => h("p", { class: "warning" }, `Look: ${warnText(warning)}`))))));
}

function newImages({ here, hasSmall, images, manifest, real, onKeep }) {
  const list = h("ul", { class: "tiles" });
  const tiles = new Map(images.map((image) => [image, tile(image)]));
  const orders = { chosen: "in the order of choice", limit: "nearest to the limit first", real: "by real image" };
  const compare = {
    chosen: (a, b) => a.number - b.number,
    limit: (a, b) => b.scores.guard_distance - a.scores.guard_distance,
    real: (a, b) => a.source - b.source || a.number - b.number,
  };
  let shown = [...images];
  const order = h("select", { id: "order", onchange: () => {
    shown = [...images].sort(compare[order.value]);
    fill(list, shown.map((image) => tiles.get(image)));
  } }, Object.entries(orders).map(([value, text]) => h("option", { value }, text)));
  fill(list, shown.map((image) => tiles.get(image)));

  function tile(image) {
    const box = h("input", { type: "checkbox", checked: true, "aria-label": `Image ${image.number + 1}: keep it`, onchange: () => keep(image, box.checked) });
    image.keep = (isKept) => (box.checked = isKept, keep(image, isKept));
    return h("li", { class: "tile" },
      h("button", { type: "button", class: "frame", "aria-label": `New image ${image.number + 1}, large`, onclick: () => openViewer(shown.map(large), shown.indexOf(image), manifest) },
        picture(hasSmall ? `${here}/evidence/new/${image.number}` : `${here}/images/${image.number}`, `New image ${image.number + 1}, from real image ${image.source + 1}`)),
      h("label", { class: "choice" }, box, ` ${image.number + 1}`),
      h("p", { class: "facts" }, `from real ${image.source + 1}`, image.scores.guard_distance !== undefined && ` · ${Math.round(100 * image.scores.guard_distance)} % of the limit`));
  }

  function keep(image, isKept) {
    image.isKept = isKept;
    tiles.get(image).classList.toggle("out", !isKept);
    onKeep();
  }

  function large(image) {
    return {
      path: `${here}/images/${image.number}`, alt: `New image ${image.number + 1}`,
      caption: `New image ${image.number + 1} of ${images.length}, from real image ${image.source + 1}`,
      real: real(image.source), realAlt: `real image ${image.source + 1}`,
      facts: scoresOf(image), isKept: () => image.isKept, keep: image.keep,
    };
  }

  return h("section", {},
    h("div", { class: "row bar" }, h("h2", {}, "New"), images.length > 1 && h("label", { for: "order" }, "Shown ", order)),
    h("p", { class: "note" }, images.length
      ? `${manifest.width_px} × ${manifest.height_px} px. Untick what should not be in the download. The limit is where the guard takes an image for no good part.`
      : "None passed the guard. Give more real images, or allow more."),
    list);
}

function scoresOf({ scores, source_kind }) {
  const percent = (value) => `${Math.round(100 * value)} %`;
  const told = {};
  if (scores.guard_distance !== undefined) told["Distance from the real ones"] = `${percent(scores.guard_distance)} of the limit`;
  if (scores.nearest_distance !== undefined) told["Difference to the image most like it"] = percent(scores.nearest_distance);
  if (scores.prompt_cosine !== undefined) told["Nearness to the text"] = scores.prompt_cosine.toFixed(3);
  if (source_kind !== undefined) told["Kind"] = source_kind === "view" ? "a view of the real image" : "a view, varied besides";
  return told;
}

function rejectedImages(here, evidence, manifest, real) {
  const counts = Object.entries(evidence?.rejections ?? manifest.rejections ?? {}).filter(([, number]) => number > 0);
  const shown = evidence?.rejected ?? [];
  const large = shown.map((image, number) => ({
    path: `${here}/evidence/rejected/${number}`, alt: `Rejected image ${number + 1}`, caption: `Rejected: ${why(image)}`,
    real: real(image.source), realAlt: `real image ${image.source + 1}`,
  }));
  return h("section", {}, h("h2", {}, "Rejected"),
    counts.length === 0 ? h("p", {}, "The guard rejected none.")
      : h("ul", { class: "plain" }, counts.map(([reason, number]) => h("li", {}, h("strong", {}, count(number, "image")), `: ${REASONS[reason] ?? reason}.`))),
    shown.length > 0 && h("ul", { class: "tiles" }, shown.map((image, number) => h("li", { class: "tile rejected" },
      h("button", { type: "button", class: "frame", "aria-label": `Rejected image ${number + 1}, large`, onclick: () => openViewer(large, number, manifest) },
        picture(`${here}/evidence/rejected/${number}`, `Rejected image ${number + 1}`), image.reason === "anomalous" && mark(image.place, manifest)),
      h("p", { class: "facts" }, why(image))))));
}

function why(image) {
  if (image.reason === "near_copy") return `nearly a copy: at most ${Math.round(100 * image.nearest_distance)} % different`;
  return `strange at the marked place: ${Math.round(100 * image.guard_distance)} % of the limit`;
}

/** A box around the place, somewhat larger than it; the frame is square, the image in its middle. */
function mark(place, { width_px: width, height_px: height }) {
  const box = h("span", { class: "mark" });
  const set = (start, length, from, extent, share) => {
    const [first, last] = [Math.max(0, from - GROWN), Math.min(1, from + extent + GROWN)];
    box.style.setProperty(start, `${100 * (0.5 + (first - 0.5) * share)}%`);
    box.style.setProperty(length, `${100 * (last - first) * share}%`);
  };
  set("left", "width", place.left, place.width, Math.min(1, width / height));
  set("top", "height", place.top, place.height, Math.min(1, height / width));
  return box;
}

/** How the set lies among the real images that were kept apart. */
function judged(here, job, { num_images: number, given, new: made, images }) {
  const percent = (share) => `${Math.round(100 * share)} %`;
  const missed = images.filter((image) => !image.near_new).length;
  const rows = [["New images", made], ["Your own images", given]];
  return h("section", {}, h("h2", {}, "Judged by images kept apart"),
    h("p", {}, `${count(number, "good image")} of yours, of which nothing was made, say how true the set is. `,
      made.precision < LOW_PRECISION ? "Many of the new images look like none of them: no good part may look so."
        : `The new images show ${made.coverage > given.coverage ? "more" : "no more"} of what your line makes than the images that they were made of.`),
    h("table", {},
      h("thead", {}, h("tr", {}, ["", "Look like them (precision)", "Share of them that it shows (coverage)"].map((text) => text ? h("th", { scope: "col" }, text) : h("td")))),
      h("tbody", {}, rows.map(([name, { precision, coverage }]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, percent(precision)), h("td", {}, percent(coverage)))))),
    h("p", { class: "note" }, `Low precision: images that a good part would not give; allow less. Low coverage: your line makes parts that the set does not show; give more images, or allow more. One image kept apart is ${percent(1 / number)}.`),
    h("details", {}, h("summary", {}, missed ? `${count(missed, "image")} kept apart that no new image is like` : "All images kept apart have a new image like them"),
      h("ul", { class: "tiles" }, images.map((image) => {
        const place = job.held_out.findIndex(({ field }) => field === image.file.field);
        return h("li", { class: image.near_new ? "tile" : "tile bad" },
          place >= 0 && h("div", { class: "frame" }, picture(`${here}/inputs/${job.inputs.length + place}`, `Image kept apart ${place + 1}`)),
          h("p", { class: "facts" }, image.near_new ? "a new image is like it" : "no new image is like it", image.near_given && "; one of yours is"));
      }))));
}

function story(job, manifest) {
  const { prompt = {}, invariances = {} } = manifest;
  const allowed = invariances.allowed?.map((name) => VIEWS[name] ?? name);
  const seconds = (new Date(job.ended_at) - new Date(job.started_at)) / 1000;
  const told = {
    "Text (prompt)": job.prompt && `“${job.prompt}”, ${prompt.decided_by === "request" ? "as you said" : "chosen by your images"}`,
    "Taken as": prompt.sense_reason,
    "May differ": allowed && `${allowed.join(", ") || "small movements and light only"} (${invariances.decided_by === "request" ? "as you said" : "by your images"})`,
    "Seed": String(job.seed),
    "Took": job.started_at && job.ended_at && duration(seconds),
    "Kept until": job.expires_at && when(job.expires_at),
  };
  return h("section", {}, h("h2", {}, "How they came about"),
    h("dl", { class: "facts wide" }, Object.entries(told).filter(([, value]) => value).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))),
    invariances.factors && invariances.decided_by !== "request" && beliefs(invariances));
}

const madeIn = (share) => share === 0 ? "No" : share === 1 ? "Yes" : `In ${Math.round(100 * share)} % of the images`;

function beliefs({ factors, allowed }) {
  return h("details", {}, h("summary", {}, "Why these may differ and others not"),
    h("ul", { class: "plain" }, Object.entries(factors).map(([name, { belief, reason, share = Number(allowed.includes(name)) }]) => h("li", {},
      h("strong", {}, `${madeIn(share)}: ${VIEWS[name] ?? name}. `), `${reason} Good, by your images: ${Math.round(100 * belief)} %`))));
}
