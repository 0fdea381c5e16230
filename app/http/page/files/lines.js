// The lines that do the same job from a shell or a program.

import { address, hasKey } from "./api.js";
import { announce, fill, h } from "./dom.js";

/** A section with the lines for curl, Python and the command line. */
export function programLines(request, numInputs, numApart) {
  const names = named("image", numInputs);
  const apart = named("apart", numApart);
  const texts = { curl: curlLines(request, names, apart), Python: pythonLines(request, names, apart), "Command line": cliLines(request, names, apart) };
  return h("section", {}, h("h2", {}, "The same job from a program"),
    h("p", { class: "note" }, "Put your own files' names in."),
    Object.entries(texts).map(([name, text]) => h("details", {}, h("summary", {}, name),
      h("pre", { tabindex: "0" }, h("code", {}, text)), copyButton(name, text))));
}

const named = (word, length) => Array.from({ length }, (_, number) => `${word}-${number + 1}.png`);

function copyButton(name, text) {
  if (!navigator.clipboard) return null;
  const button = h("button", { type: "button", class: "quiet", "aria-label": `Copy the lines for ${name}`, onclick: async () => {
    await navigator.clipboard.writeText(text);
    fill(button, "Copied");
    announce("Copied.");
  } }, "Copy");
  return button;
}

/** The form's fields that differ from what the service takes by itself. */
function fields(request) {
  const usual = { num_images: 16, seed: 0, effort: "standard", preset: "goodmany", strict: false, priority: "interactive" };
  const chosen = Object.entries(request).filter(([name, value]) => value !== null && value !== usual[name] && name !== "invariances" && name !== "callback_url");
  if (request.invariances) chosen.push(["invariances", request.invariances.join(",") || "none"]);
  return chosen.map(([name, value]) => [name, String(value)]);
}

const shell = (text) => (/^[\w.,:/@=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

function curlLines(request, names, apart) {
  const key = hasKey() ? [`-H "Authorization: Bearer $GOODMANY_API_KEY"`] : [];
  const parts = [...names.map((name) => `-F images=@${name}`), ...apart.map((name) => `-F held_out_images=@${name}`), ...fields(request).map(([name, value]) => `-F ${shell(`${name}=${value}`)}`)];
  return [`curl -sf ${address("v1/jobs")}`, ...key, ...parts].join(" \\\n  ");
}

/** A value as Python writes it. */
const python = (value) => (value === true ? "True" : JSON.stringify(value));

function pythonLines(request, names, apart) {
  const { object_name: name, invariances, ...others } = request;
  const chosen = fields({ ...others, invariances: null }).map(([field]) => [field, others[field]]);
  if (invariances) chosen.push(["invariances", invariances]);
  const options = chosen.map(([field, value]) => `        ${field}=${python(value)},\n`).join("");
  const key = hasKey() ? "# GOODMANY_API_KEY holds the key\n" : "";
  const judges = apart.length ? `        held_out=${JSON.stringify(apart)},\n` : "";
  return `${key}from goodmany import Client

with Client("${address("").replace(/\/$/, "")}") as client:
    result = client.generate(
        ${JSON.stringify(names)},
        ${JSON.stringify(name)},
${judges}${options}    )
result.save("images")`;
}

function cliLines(request, names, apart) {
  const flags = fields(request).flatMap(([name, value]) => {
    if (name === "invariances" && value === "none") return [];
    if (name === "invariances") return value.split(",").map((one) => `--invariance ${one}`);
    if (name === "strict") return ["--strict"];
    return name === "expires_in_s" ? [] : [`--${name.replaceAll("_", "-")} ${shell(value)}`];
  });
  const key = hasKey() ? ["# GOODMANY_API_KEY holds the key"] : [];
  if (request.invariances?.length === 0) key.push("# No option says that nothing may differ: here the images decide.");
  return [...key, [["goodmany submit", ...names].join(" "), ...apart.map((name) => `--held-out ${name}`), ...flags, `--server ${address("").replace(/\/$/, "")}`, "--out images.zip"].join(" \\\n  ")].join("\n");
}
