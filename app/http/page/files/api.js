// Calls to the service: with the key if there is one, errors as problems, events as they come.

const KEY = "goodmany-key";
const ROOT = new URL(".", document.baseURI);
let askKey = async () => null;
let asking = null;

/** What an answer says went wrong (RFC 9457), and in how many seconds to ask again (0: it does not say);
    status 0 when there was no answer. */
export class Problem extends Error {
  constructor({ status = 0, title, detail, errors = [], type = "" }, againInS = 0) {
    super(detail);
    Object.assign(this, { status, title, detail, errors, slug: type.split(":").pop(), againInS });
  }
}

export const address = (path) => new URL(path, ROOT).href;
export const jobPath = (id) => `v1/jobs/${id}`;
export const hasKey = () => sessionStorage.getItem(KEY) !== null;

export function forgetKey() {
  sessionStorage.removeItem(KEY);
}

/** Who asks the user for a key: gets whether one was refused; gives the key, or null. */
export function onKeyNeeded(ask) {
  askKey = ask;
}

/** The answer, if it is a good one; asks for a key when the service does. */
export async function call(path, { headers = {}, ...options } = {}) {
  for (;;) {
    const key = sessionStorage.getItem(KEY);
    const sent = key === null ? headers : { ...headers, Authorization: `Bearer ${key}` };
    let answer;
    try {
      answer = await fetch(address(path), { ...options, headers: sent });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Problem({ title: "No answer", detail: "The service cannot be reached. Is it running?" });
    }
    if (answer.ok) return answer;
    if (answer.status !== 401) throw await problemOf(answer);
    if (sessionStorage.getItem(KEY) !== key) continue;
    asking ??= askKey(key !== null).finally(() => (asking = null));
    const given = await asking;
    if (given === null) throw await problemOf(answer);
    sessionStorage.setItem(KEY, given);
  }
}

export const getJson = async (path, options) => (await call(path, options)).json();

async function problemOf(answer) {
  const fallback = { status: answer.status, title: "The service refused", detail: `It answered with ${answer.status}.` };
  const told = await answer.json().catch(() => ({}));
  return new Problem({ ...fallback, ...told }, Number(answer.headers.get("Retry-After")) || 0);
}

/** The job's news, from the first on, until it is over; goes on after a broken connection. */
export async function* follow(id, signal) {
  let last = "";
  for (;;) {
    try {
      const headers = last ? { "Last-Event-ID": last } : {};
      const answer = await call(`${jobPath(id)}/events`, { headers, signal });
      if (answer.status === 204) return;
      for await (const event of readEvents(answer.body)) {
        if (event.id) last = event.id;
        if (event.data) yield JSON.parse(event.data);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Problem && error.status && error.status < 500) throw error;
    }
    await pause(2000, signal);
  }
}

// An EventSource cannot send a key.
async function* readEvents(body) {
  let text = "";
  for await (const part of chunks(body.pipeThrough(new TextDecoderStream()))) {
    text += part;
    const blocks = text.split(/\r?\n\r?\n/);
    text = blocks.pop();
    for (const block of blocks) {
      const fields = block.split(/\r?\n/).map((line) => /^(\w+): ?(.*)$/.exec(line)).filter(Boolean);
      yield Object.fromEntries(fields.map(([, name, value]) => [name, value]));
    }
  }
}

// Not every browser can iterate over a stream.
async function* chunks(stream) {
  const reader = stream.getReader();
  try {
    for (let part; !(part = await reader.read()).done;) yield part.value;
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Waits; less when the signal comes. */
export function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}

/** Saves an answer's content as a file, under the name that the service gives it. */
export async function download(path) {
  if (!hasKey()) {
    // The browser writes it to the disk as it comes; what is wrong is said before.
    await call(path, { method: "HEAD" });
    return save(address(path), "");
  }
  const answer = await call(path);
  const told = answer.headers.get("Content-Disposition") ?? "";
  const encoded = /filename\*=UTF-8''([^;]+)/.exec(told)?.[1];
  const source = URL.createObjectURL(await answer.blob());
  save(source, encoded ? decodeURIComponent(encoded) : /filename="([^"]+)"/.exec(told)?.[1] ?? "");
  setTimeout(() => URL.revokeObjectURL(source), 60_000);
}

function save(source, name) {
  const link = document.createElement("a");
  link.href = source;
  link.download = name;
  link.click();
}
