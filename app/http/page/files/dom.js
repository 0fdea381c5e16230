// Elements, and what is said to those who do not see them change.

/** An element; children may be nodes, texts, or nothing. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  fill(element, ...children);
  return element;
}

/** Replaces what is in the element. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child || child === 0));
}

/** Tells a screen reader, politely. */
export function announce(text) {
  document.getElementById("live").textContent = text;
}

/** A heading that takes the focus when its view appears. */
export function title(text) {
  document.title = `${text} · goodmany`;
  return h("h1", { tabindex: "-1" }, text);
}

/** What went wrong, read out at once. */
export function problemBox(problem, ...more) {
  const places = (problem.errors ?? []).map((error) => h("li", {}, `${error.field}: ${error.detail}`));
  return h("div", { class: "problem", role: "alert" },
    h("strong", {}, problem.title ?? "That did not work"),
    h("p", {}, problem.detail ?? problem.message),
    places.length > 1 && h("ul", {}, places),
    more);
}

/** Asks before something that cannot be undone; true when the answer is yes. */
export function confirmed(question, yes) {
  return new Promise((resolve) => {
    const dialog = h("dialog", { class: "small", "aria-labelledby": "question" },
      h("form", { method: "dialog" },
        h("p", { id: "question" }, question),
        h("div", { class: "row" },
          h("button", { value: "yes", class: "danger" }, yes),
          h("button", { value: "no", class: "quiet", autofocus: true }, "Keep it"))));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

export const count = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;

/** "about 3 min", from seconds. */
export function duration(seconds) {
  if (seconds < 90) return count(Math.max(1, Math.round(seconds)), "second");
  if (seconds < 5400) return count(Math.round(seconds / 60), "minute");
  return count(Math.round(seconds / 3600), "hour");
}

export function when(text) {
  return h("time", { datetime: text }, new Date(text).toLocaleString([], { dateStyle: "medium", timeStyle: "short" }));
}
