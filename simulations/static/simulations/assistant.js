// The assistant's panel over every page, and its own page without reloads.
//
// The server keeps the conversation and renders it; without this script the same forms work.

const panel = document.getElementById("assistant");
const launcher = document.getElementById("assistant-launcher");
const terminal = document.getElementById("terminal");

function enhance(conversation) {
  const log = conversation.querySelector(".assistant-log");
  const form = conversation.querySelector(".assistant-form");
  const question = form.elements.message;
  const state = form.querySelector(".assistant-state");

  async function send(submitter) {
    const isToForget = submitter?.name === "forget";
    if (!isToForget && !question.value.trim()) return question.focus();
    const body = new FormData(form);
    body.append("piece", "1");
    if (isToForget) body.append("forget", "1");
    await busy(async () => {
      const response = await fetch(form.action, { method: "POST", body });
      if (response.redirected) return location.assign(response.url);
      if (!response.ok) throw new Error(`The server answered with status ${response.status}.`);
      if (isToForget) log.querySelectorAll("article").forEach((article) => article.remove());
      else append(await response.text());
      question.value = "";
    });
    question.focus();
  }

  async function busy(work) {
    const buttons = [...form.querySelectorAll("button")];
    buttons.forEach((button) => (button.disabled = true));
    question.readOnly = true;
    state.textContent = "Looking …";
    try {
      await work();
      state.textContent = "";
    } catch (error) {
      state.textContent = error instanceof TypeError ? "The server cannot be reached." : error.message;
    } finally {
      question.readOnly = false;
      buttons.forEach((button) => (button.disabled = false));
    }
  }

  function append(html) {
    const made = document.createElement("template");
    made.innerHTML = html;
    const article = made.content.querySelector("article");
    log.append(article);
    offerCopies(article);
    article.scrollIntoView({ block: "start" });
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(event.submitter);
  });
  question.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (!question.readOnly) send(null);
  });
  offerCopies(log);
  log.querySelector("article:last-of-type")?.scrollIntoView({ block: "start" });
}

function offerCopies(part) {
  for (const button of part.querySelectorAll(".assistant-copy")) {
    button.hidden = !navigator.clipboard;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.form.elements.config_json.value);
      button.textContent = "Copied";
    });
  }
}

// --- the panel ---

async function show(isAsked) {
  panel.hidden = false;
  launcher.setAttribute("aria-expanded", "true");
  sessionStorage.setItem("assistant.open", "yes");
  const content = document.getElementById("assistant-content");
  if (!content.querySelector(".assistant-conversation")) {
    const response = await fetch(panel.dataset.content).catch(() => null);
    if (!response?.ok || response.redirected) return location.assign(launcher.href);
    content.innerHTML = await response.text();
    enhance(content.querySelector(".assistant-conversation"));
  }
  if (isAsked) document.getElementById("assistant-message").focus();
}

function hide() {
  const hadFocus = panel.contains(document.activeElement);
  panel.hidden = true;
  launcher.setAttribute("aria-expanded", "false");
  sessionStorage.removeItem("assistant.open");
  if (hadFocus) launcher.focus();
}

if (panel) {
  launcher.setAttribute("role", "button");
  launcher.setAttribute("aria-controls", "assistant");
  launcher.setAttribute("aria-expanded", "false");
  launcher.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(true);
  });
  launcher.addEventListener("keydown", (event) => {
    if (event.key !== " ") return;
    event.preventDefault();
    show(true);
  });
  document.getElementById("assistant-hide").addEventListener("click", hide);
  panel.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  if (terminal) {
    // The terminal lies at the bottom; the assistant above it.
    const below = () => document.documentElement.style.setProperty("--below", `${terminal.offsetHeight}px`);
    new ResizeObserver(below).observe(terminal);
  }
  if (sessionStorage.getItem("assistant.open")) show(false);
} else {
  document.querySelectorAll(".assistant-conversation").forEach(enhance);
}
