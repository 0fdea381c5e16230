// One job: while it runs, when it is done, or why there is nothing.

import { call, follow, getJson, jobPath, pause } from "./api.js";
import { announce, fill, h, problemBox, title, when } from "./dom.js";
import { facts, warnText } from "./inputs.js";
import { picture } from "./pictures.js";
import { showResults } from "./results.js";
import { runPanel } from "./run.js";

const OVER = ["succeeded", "failed", "canceled", "expired"];
const LOOK_EVERY_MS = 3000;
// Larger files are not fetched back only to be looked at.
const SHOWN_PX = 4_000_000;

export async function showJob({ element, signal }, id) {
  let job = await getJson(jobPath(id), { signal });
  if (!OVER.includes(job.state)) job = await watch({ element, signal }, job);
  if (signal.aborted) return;
  if (job.state === "succeeded") await showResults({ element, signal }, job);
  else showEnd(element, job);
  element.querySelector("h1")?.focus({ preventScroll: true });
}

/** Shows how the job goes on; the job when it is over. */
async function watch({ element, signal }, first) {
  let job = first;
  const panel = runPanel(() => cancel());
  const faults = h("div");
  fill(element, title(job.object_name), panel.element, faults, understood(job));
  element.querySelector("h1").focus({ preventScroll: true });
  panel.show(job);

  async function cancel() {
    try {
      await call(`${jobPath(job.id)}/cancel`, { method: "POST" });
      announce("Canceled.");
    } catch (problem) {
      fill(faults, problemBox(problem));
    }
  }

  // The events do not tell the place in the queue.
  const refresh = async () => {
    while (!signal.aborted && !OVER.includes(job.state)) {
      await pause(LOOK_EVERY_MS, signal);
      if (signal.aborted || OVER.includes(job.state)) return;
      const found = await getJson(jobPath(job.id), { signal }).catch(() => null);
      if (found && !OVER.includes(job.state)) panel.show((job = found));
    }
  };
  refresh();
  for await (const event of follow(job.id, signal)) {
    const isStart = job.state === "queued" && event.state === "running";
    job = { ...job, ...event, started_at: isStart ? new Date().toISOString() : job.started_at };
    if (event.state !== "queued") job.queue_position = null;
    if (OVER.includes(event.state)) break;
    panel.show(job);
  }
  if (signal.aborted) return job;
  const ended = await getJson(jobPath(job.id), { signal });
  announce(`${ended.object_name}: ${ended.state}.`);
  return ended;
}

function understood(job) {
  return job.inputs.length > 0 && h("section", {}, h("h2", {}, "Your images, as they were understood"),
    h("ul", { class: "tiles" }, job.inputs.map((input, number) => h("li", { class: "tile" },
      input.width * input.height <= SHOWN_PX && h("div", { class: "frame" }, picture(`${jobPath(job.id)}/inputs/${number}`, `Real image ${number + 1}`)),
      h("p", { class: "facts" }, facts(input)),
      input.warnings.map((warning) => h("p", { class: "warning" }, `Look: ${warnText(warning)}`))))));
}

function showEnd(element, job) {
  const said = {
    failed: "It did not work",
    canceled: "Canceled",
    expired: "Removed",
  }[job.state];
  fill(element, title(job.object_name), h("p", { class: "lead" }, said, job.ended_at && [": ", when(job.ended_at)]),
    job.problem && problemBox(job.problem),
    job.state === "expired" && h("p", {}, "The files of this job are gone. Its images must be chosen anew."),
    h("p", { class: "row" },
      job.state !== "expired" && h("a", { class: "button", href: `#/repeat/${job.id}` }, "Try again with changes"),
      h("a", { href: "#/jobs" }, "Past jobs")),
    job.state !== "expired" && understood(job));
}
