// Past jobs: found again, repeated, deleted.

import { call, getJson, jobPath } from "./api.js";
import { announce, confirmed, count, fill, h, problemBox, title, when } from "./dom.js";
import { picture } from "./pictures.js";

const STATES = { queued: "Waiting", running: "Running", succeeded: "Done", failed: "Failed", canceled: "Canceled", expired: "Removed" };
const USUAL = ["queued", "running", "succeeded", "failed", "canceled"];
const PAGE = 24;

export async function showHistory({ element, signal }) {
  let asked = new AbortController();
  const name = h("input", { id: "name", type: "search", autocomplete: "off" });
  const state = h("select", { id: "state", onchange: () => attempt(find) },
    h("option", { value: "" }, "All but removed"), Object.entries(STATES).map(([value, text]) => h("option", { value }, text)));
  const list = h("ul", { class: "tiles jobs" });
  const more = h("div");
  const faults = h("div");
  const none = h("p", { hidden: true }, "No job is like that. ", h("a", { href: "#/" }, "Make a new set"));
  fill(element, title("Past jobs"),
    h("form", { class: "fields", role: "search", onsubmit: (event) => (event.preventDefault(), attempt(find)) },
      h("div", {}, h("label", { for: "name" }, "Whole name"), name),
      h("div", {}, h("label", { for: "state" }, "State"), state),
      h("div", {}, h("button", { type: "submit", class: "quiet" }, "Find"))),
    faults, none, list, more);
  await find();

  async function attempt(act) {
    fill(faults);
    try {
      await act();
    } catch (problem) {
      if (problem.name !== "AbortError") fill(faults, problemBox(problem));
    }
  }

  async function find() {
    asked.abort();
    asked = new AbortController();
    fill(list);
    fill(more);
    const number = await page(null, AbortSignal.any([asked.signal, signal]));
    announce(`${count(number, "job")} found.`);
  }

  /** Adds the next jobs; a filtered page may be empty before the last. */
  async function page(cursor, mine) {
    let number = 0;
    while (number === 0) {
      const query = new URLSearchParams({ limit: PAGE });
      if (cursor) query.append("cursor", cursor);
      if (name.value.trim()) query.append("object_name", name.value.trim());
      for (const one of state.value ? [state.value] : USUAL) query.append("state", one);
      const found = await getJson(`v1/jobs?${query}`, { signal: mine });
      list.append(...found.items.map(tile));
      number = found.items.length;
      cursor = found.next_cursor;
      if (!cursor) break;
    }
    const next = cursor;
    fill(more, next && h("button", { type: "button", class: "quiet", onclick: () => attempt(async () => {
      const first = list.children.length;
      await page(next, mine);
      list.children[first]?.querySelector("a").focus();
    }) }, "Show more"));
    none.hidden = list.children.length > 0;
    return number;
  }

  function tile(job) {
    const isOver = !["queued", "running"].includes(job.state);
    const item = h("li", { class: "tile" },
      h("div", { class: "frame" }, job.state === "succeeded" && job.num_images > 0 ? picture(`${jobPath(job.id)}/evidence/new/0`, "", `${jobPath(job.id)}/images/0`) : h("span", { class: "note" }, STATES[job.state])),
      h("p", { class: "name" }, h("a", { href: `#/jobs/${job.id}` }, job.object_name)),
      h("p", { class: "facts" }, h("span", { class: `state ${job.state}` }, STATES[job.state]), job.state === "succeeded" && `, ${count(job.num_images, "image")}`, job.state === "running" && `, ${Math.floor(job.percent)} %`),
      h("p", { class: "facts" }, when(job.created_at)),
      h("div", { class: "row" },
        job.state !== "expired" && h("a", { href: `#/repeat/${job.id}`, "aria-label": `Repeat ${job.object_name} with changes` }, "Repeat"),
        isOver && job.state !== "expired" && h("button", { type: "button", class: "quiet", "aria-label": `Delete ${job.object_name}`, onclick: () => attempt(() => remove(job, item)) }, "Delete")));
    return item;
  }

  async function remove(job, item) {
    if (!(await confirmed(`Delete the images of “${job.object_name}” from the server? This cannot be undone.`, "Delete"))) return;
    await call(jobPath(job.id), { method: "DELETE" });
    const next = item.nextElementSibling ?? item.previousElementSibling;
    item.remove();
    announce(`${job.object_name} deleted.`);
    none.hidden = list.children.length > 0;
    (next?.querySelector("a") ?? element.querySelector("h1")).focus();
  }
}
