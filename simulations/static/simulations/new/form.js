// The form, its JSON and what follows from them, kept in step by the server, which knows every rule.
import { follow } from "./copy.js";
import { show } from "./verdict.js";

const PAUSE_MS = 350;
const form = document.getElementById("settings");
const json = document.getElementById("json");
// As a property it would be one of the buttons, which all have this name.
const address = form.getAttribute("action");
const text = document.getElementById("config_json");
let timer;
// While the JSON says what the form could not take over, the form must not write over it.
let isAhead = false;
let running = new AbortController();

document.documentElement.classList.add("scripted");
for (const hidden of document.querySelectorAll(".with-script")) hidden.hidden = false;
follow();

form.addEventListener("input", () => later(() => fromForm()));
form.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button || !("edit" in button.dataset)) return;
  event.preventDefault();
  fromForm(button);
});
text.addEventListener("input", () => {
  isAhead = true;
  later(fromJson);
});

function later(work) {
  running.abort();
  clearTimeout(timer);
  timer = setTimeout(work, PAUSE_MS);
}

async function fromForm(button = null) {
  clearTimeout(timer);
  const data = new FormData(form);
  data.set("action", button ? button.value : "update");
  const page = await ask(data);
  if (!page) return;
  const fresh = page.getElementById("settings");
  if (shape(fresh) === shape(form)) takeErrors(fresh);
  else takeFields(fresh, button);
  const config = page.getElementById("config_json").value;
  if (isAhead) tell("config_json", ["Not in the form, which was changed since. Mend it to take it over."]);
  else {
    text.value = config;
    tell("config_json", []);
  }
  takeDerived(page);
  await validate(config);
}

async function fromJson() {
  const data = new FormData(json);
  data.set("action", "update");
  const page = await ask(data);
  if (!page) return;
  const wrong = page.querySelector(".note.error li");
  tell("config_json", wrong ? [wrong.textContent] : []);
  if (wrong) return;
  isAhead = false;
  takeFields(page.getElementById("settings"));
  takeDerived(page);
  await validate(text.value);
}

// A newer change makes an answer that is still on its way worthless.
async function ask(data) {
  running.abort();
  running = new AbortController();
  const { signal } = running;
  try {
    const answer = await fetch(address, {
      method: "POST", body: new URLSearchParams(data), headers: { Accept: "text/html" }, signal,
    });
    if (![200, 422].includes(answer.status)) throw new Error(`the server answered ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return signal.aborted ? null : page;
  } catch (error) {
    if (error.name !== "AbortError") show(form, { problem: `Not checked: ${error.message}.` });
    return null;
  }
}

async function validate(config) {
  const { signal } = running;
  try {
    const answer = await fetch("/api/validate", {
      method: "POST", body: config, headers: { "Content-Type": "application/json" }, signal,
    });
    const verdict = await answer.json();
    if (!signal.aborted) show(form, answer.ok ? verdict : { problem: verdict.detail });
  } catch (error) {
    if (error.name !== "AbortError") show(form, { problem: `Not checked: ${error.message}.` });
  }
}

// Which fields there are, which of them are hidden, and what is remarked on them.
function shape(of) {
  return [...of.querySelectorAll(".setting, details, fieldset, legend, .remark")]
    .map((one) => {
      const named = one.querySelector(":scope > [name]");
      const is = one.classList.contains("unused");
      return `${named ? named.name : one.id}${is}${one.matches("legend, .remark") ? one.textContent : ""}`;
    })
    .join("\n");
}

function takeErrors(fresh) {
  for (const place of form.querySelectorAll(".errors")) {
    const other = fresh.querySelector(`#${CSS.escape(place.id)}`);
    place.replaceChildren(...(other ? other.children : []));
  }
  for (const field of form.querySelectorAll("[name]")) {
    const other = field.id && fresh.querySelector(`#${CSS.escape(field.id)}`);
    if (other && other.placeholder !== undefined) field.placeholder = other.placeholder;
  }
}

// Replace all fields, but leave the reader where they are: same groups open, same field in focus.
function takeFields(fresh, button = null) {
  const before = new Set([...form.querySelectorAll("fieldset, details")].map((one) => one.id));
  const opened = new Map([...form.querySelectorAll("details")].map((one) => [one.id, one.open]));
  const { id, selectionStart, selectionEnd } = document.activeElement ?? {};
  const verdict = document.getElementById("verdict");
  fresh.querySelector("#verdict").replaceWith(verdict);
  form.replaceChildren(...fresh.children);
  for (const one of form.querySelectorAll("details")) {
    if (opened.get(one.id)) one.open = true;
  }
  const added = button && [...form.querySelectorAll("fieldset")].find((one) => !before.has(one.id));
  const next = added ? added.querySelector("select, input") : id && document.getElementById(id);
  if (next && form.contains(next)) {
    next.focus({ preventScroll: !added });
    if (next.setSelectionRange && selectionStart != null && !added) {
      next.setSelectionRange(selectionStart, selectionEnd);
    }
  } else if (button) {
    form.querySelector("#verdict").focus();
  }
}

function takeDerived(page) {
  for (const fresh of page.querySelectorAll("[data-derived]")) {
    document.getElementById(fresh.id)?.replaceChildren(...fresh.childNodes);
  }
}

function tell(name, sentences) {
  const place = document.getElementById(`${name}-errors`);
  place.replaceChildren(...sentences.map((sentence) => {
    const line = document.createElement("p");
    line.textContent = sentence;
    return line;
  }));
  document.getElementById(name).toggleAttribute("aria-invalid", sentences.length > 0);
}
