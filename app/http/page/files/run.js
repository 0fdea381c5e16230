// "Run": how far a job is.

import { announce, count, duration, fill, h } from "./dom.js";

const STAGES = {
  prompt: "Finding the words",
  adapt: "Learning from your images",
  rounds: "Trying",
  fill: "Making images",
  archive: "Packing",
};
// Before that the time tells too little.
const LEAST_PERCENT = 4;

/** The panel; `show(job)` brings it up to date. */
export function runPanel(onCancel) {
  const bar = h("progress", { max: 100, "aria-label": "Progress" });
  const percent = h("strong", { class: "percent" });
  const state = h("p", { class: "lead" });
  const left = h("p", { class: "note" });
  const stages = h("ol", { class: "stages" }, Object.entries(STAGES).map(([name, text]) => h("li", { "data-stage": name }, text)));
  const button = h("button", { type: "button", class: "quiet", onclick: async () => {
    button.disabled = true;
    await onCancel();
    button.disabled = false;
  } }, "Cancel");
  let told = "";

  function show(job) {
    const isQueued = job.state === "queued";
    const number = Math.floor(job.percent);
    bar.value = job.percent;
    fill(percent, `${number} %`);
    document.title = `${number} % · ${job.object_name}`;
    fill(state, isQueued ? waiting(job) : `${STAGES[job.stage] ?? "Starting"}. ${job.num_images} of ${count(job.num_images_requested, "image")} so far.`);
    fill(left, isQueued ? "You may close this page and come back: the job goes on." : timeLeft(job));
    for (const item of stages.children) {
      const names = Object.keys(STAGES);
      const place = names.indexOf(item.dataset.stage) - names.indexOf(job.stage);
      item.className = job.stage && place < 0 ? "done" : "";
      if (place === 0) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
    }
    // Not each percent: that would be all one hears.
    const news = isQueued ? waiting(job) : `${STAGES[job.stage] ?? "Starting"}, ${25 * Math.floor(number / 25)} percent`;
    if (news !== told) announce((told = news));
  }

  return {
    element: h("section", { class: "run", "aria-label": "Progress" }, state, h("div", { class: "row bar" }, bar, percent), left, stages, button),
    show,
  };
}

function waiting(job) {
  if (!job.queue_position) return "Waiting for a worker.";
  return job.queue_position === 1 ? "Next in the queue." : `Number ${job.queue_position} in the queue.`;
}

function timeLeft(job) {
  if (!job.started_at || job.percent < LEAST_PERCENT) return "How long it takes is known in a moment.";
  const spent_s = Math.max(0, (Date.now() - new Date(job.started_at)) / 1000);
  return `About ${duration(spent_s * (100 - job.percent) / job.percent)} left. You may close this page and come back.`;
}
