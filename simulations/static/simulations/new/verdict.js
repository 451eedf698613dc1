// What the API says about the configuration: beside the fields it is about, and summed up.
const SHARED = "shared_settings.";
const COLUMN = /^(simulation_strategies\.\d+\.)(.+)$/;

/** Show `{valid, errors, warnings}`, or a `problem` that kept the API from telling. */
export function show(form, { valid = false, errors = [], warnings = [], problem = null }) {
  mark(form);
  const general = errors.filter((sentence) => !put(form, sentence));
  mark(form);
  const count = form.querySelectorAll(".errors > p").length + general.length;
  const lines = [];
  if (problem) lines.push(paragraph(problem, "failed"));
  else if (valid && count === 0) lines.push(paragraph("It can run.", "completed"));
  else lines.push(sum(form, count));
  lines.push(...general.map((sentence) => paragraph(sentence, "failed")));
  lines.push(...warnings.map((sentence) => paragraph(sentence, "stopped")));
  document.getElementById("verdict").replaceChildren(...lines);
}

/** Put a sentence with the field it is about; return whether there is one. */
function put(form, sentence) {
  const [, path, message] = /^([^\s:]+): ([^]*)$/.exec(sentence) ?? [];
  if (!path) return false;
  const inner = path.startsWith(SHARED) ? path.slice(SHARED.length) : path;
  const place = nearest(inner);
  if (!place || !form.contains(place)) return false;
  const line = paragraph(place.id === `${inner}-errors` ? message : sentence);
  place.append(line);
  return true;
}

/** Return the place of the path, of what it is part of, or of the shared setting behind it. */
function nearest(path) {
  const [, column = "", inner = path] = COLUMN.exec(path) ?? [];
  for (const start of new Set([column, ""])) {
    for (let keys = inner.split("."); keys.length; keys.pop()) {
      const place = document.getElementById(`${start}${keys.join(".")}-errors`);
      if (place) return place;
    }
  }
  return document.getElementById(`${path}-errors`);
}

/** Mark the fields that have errors, and no others; unhide them. */
function mark(form) {
  for (const setting of form.querySelectorAll(".setting")) {
    const is = setting.querySelector(".errors")?.childElementCount > 0;
    setting.classList.toggle("wrong", is);
    const field = setting.querySelector("[name]");
    if (is) {
      field.setAttribute("aria-invalid", "true");
      setting.classList.remove("unused");
    } else field.removeAttribute("aria-invalid");
  }
}

/** Tell how many things are wrong, and lead to the first that has a place. */
function sum(form, count) {
  const line = paragraph(`${count} thing${count === 1 ? "" : "s"} to mend. `, "failed");
  const first = form.querySelector(".errors > p");
  if (first) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Show";
    button.addEventListener("click", () => lead(first));
    line.append(button);
  }
  return line;
}

function lead(to) {
  for (let one = to.closest("details"); one; one = one.parentElement.closest("details")) {
    one.open = true;
  }
  const field = to.closest(".setting")?.querySelector("[name]");
  if (field) field.focus();
  else to.scrollIntoView({ block: "center" });
}

function paragraph(words, kind = "") {
  const line = document.createElement("p");
  line.textContent = words;
  if (kind) line.className = kind;
  return line;
}
