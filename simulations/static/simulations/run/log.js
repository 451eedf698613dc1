// The live end of the log: entries are added as they are written, unless paused.

import { plain, spans } from "./ansi.js";

const LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];
const NEAR_END = 40;
const MAX_MESSAGE = 8000;

export function tailLog() {
  const box = document.getElementById("log");
  if (box === null) return;
  box.scrollTop = box.scrollHeight;
  if (box.dataset.stream) new Tail(box);
}

class Tail {
  constructor(box) {
    this.box = box;
    this.held = [];
    this.isPaused = false;
    this.button = document.getElementById("log-pause");
    this.button.hidden = false;
    this.button.addEventListener("click", () => this.turn());
    const stream = new EventSource(box.dataset.stream);
    stream.addEventListener("log", (event) => this.take(JSON.parse(event.data)));
    stream.addEventListener("done", () => stream.close());
  }

  take(entry) {
    if (!this.matches(entry)) return;
    this.held.push(entry);
    if (this.held.length > this.box.dataset.most) this.held.shift();
    if (this.isPaused) this.name();
    else this.release();
  }

  turn() {
    this.isPaused = !this.isPaused;
    this.button.setAttribute("aria-pressed", this.isPaused);
    if (!this.isPaused) this.release();
    this.name();
  }

  name() {
    this.button.textContent = this.isPaused ? `Go on (${this.held.length} new)` : "Pause";
  }

  release() {
    const { box } = this;
    const isAtEnd = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END;
    box.append(...this.held.splice(0).map(line));
    while (box.childElementCount > box.dataset.most) box.firstElementChild.remove();
    document.getElementById("log-empty")?.remove();
    if (isAtEnd) box.scrollTop = box.scrollHeight;
  }

  matches({ level, message }) {
    const { search, level: least } = this.box.dataset;
    const rank = LEVELS.includes(level) ? LEVELS.indexOf(level) : LEVELS.indexOf("INFO");
    return rank >= LEVELS.indexOf(least) && plain(message).toLowerCase().includes(search.toLowerCase());
  }
}

function line({ timestamp, level, message }) {
  const entry = document.createElement("div");
  entry.className = `entry ${level.toLowerCase()}`;
  const when = (timestamp ?? "").split("+")[0].replace("T", " ");
  const text = part("message", "");
  const shown = message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE)} …` : message;
  text.append(...spans(shown));
  entry.append(part("when", when), " ", part("level", level), " ", text);
  return entry;
}

function part(name, text) {
  const span = document.createElement("span");
  span.className = name;
  span.textContent = text;
  return span;
}
