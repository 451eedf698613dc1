// The terminal panel: docked at the bottom of every page, for those who may have a shell.
//
// The server keeps the shell while pages change; this tab's storage remembers which one it is.
// `terminal/messages.py` has the messages.

import { openWithoutInlineStyles } from "./styles.js";

const ACK_BYTES = 32 * 1024;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10_000;
const MIN_HEIGHT = 120;
const STEP = 24;
const OVER = {
  1000: "The shell has ended.",
  1009: "The connection was closed: what was sent is too large.",
  4001: "The terminal was opened in another tab.",
  4002: "The terminal was closed: nothing happened for long.",
  4003: "The shell was ended: it had too many processes.",
  4008: "The terminal was closed: you are not signed in any more.",
  4009: "The connection was closed: what was sent is too large.",
  4010: "The connection was closed: too much of what was sent made no sense.",
  4013: "No further terminal can be opened.",
};

const panel = document.getElementById("terminal");
const launcher = document.getElementById("terminal-launcher");
const edge = panel.querySelector(".terminal-edge");
const screen = document.getElementById("terminal-screen");
const state = document.getElementById("terminal-state");
const reader = document.getElementById("terminal-reader");
const encoder = new TextEncoder();

let widget = null;
let fitter = null;
let socket = null;
let unacknowledged = 0;
let isReplaying = false;
let retryMs = FIRST_RETRY_MS;
let retry = 0;

// --- the panel ---

async function show(isAsked) {
  panel.hidden = false;
  launcher.setAttribute("aria-expanded", "true");
  sessionStorage.setItem("terminal.open", "yes");
  setHeight(Number(localStorage.getItem("terminal.height")) || panel.offsetHeight);
  if (widget === null && !(await makeWidget())) return;
  fitter.fit();
  if (socket === null && !retry) connect();
  if (isAsked) widget.focus();
}

function hide() {
  const hadFocus = panel.contains(document.activeElement);
  panel.hidden = true;
  launcher.setAttribute("aria-expanded", "false");
  sessionStorage.removeItem("terminal.open");
  document.body.style.removeProperty("padding-bottom");
  if (hadFocus) launcher.focus();
}

function toggle() {
  if (panel.hidden) show(true);
  else hide();
}

function setHeight(wanted) {
  const highest = Math.round(window.innerHeight * 0.9);
  const height = Math.round(Math.max(MIN_HEIGHT, Math.min(wanted, highest)));
  panel.style.height = `${height}px`;
  // The end of the page can be scrolled above the panel.
  document.body.style.paddingBottom = `${height}px`;
  edge.setAttribute("aria-valuemin", MIN_HEIGHT);
  edge.setAttribute("aria-valuemax", highest);
  edge.setAttribute("aria-valuenow", height);
  return height;
}

function chooseHeight(wanted) {
  localStorage.setItem("terminal.height", setHeight(wanted));
}

function tell(text) {
  state.textContent = text;
}

// --- the widget ---

async function makeWidget() {
  let modules;
  try {
    modules = await Promise.all([import(panel.dataset.widget), import(panel.dataset.fit)]);
  } catch {
    tell("The terminal's files are missing on the server: run “make assets” there and restart it.");
    return false;
  }
  await loadStyle();
  const [{ Terminal }, { FitAddon }] = modules;
  widget = new Terminal({
    allowProposedApi: false,
    cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    fontFamily: "ui-monospace, Menlo, Consolas, monospace",
    fontSize: 14,
    minimumContrastRatio: 4.5,
    screenReaderMode: reader.checked,
    scrollback: 5000,
    theme: theme(),
  });
  fitter = new FitAddon();
  widget.loadAddon(fitter);
  openWithoutInlineStyles(widget, screen);
  widget.attachCustomKeyEventHandler((event) => !isShortcut(event));
  widget.onData((keys) => isReplaying || send(encoder.encode(keys)));
  widget.onBinary((keys) => isReplaying || send(Uint8Array.from(keys, (key) => key.charCodeAt(0))));
  widget.onResize(sendSize);
  new ResizeObserver(() => panel.hidden || fitter.fit()).observe(screen);
  return true;
}

function loadStyle() {
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = panel.dataset.style;
  return new Promise((resolve) => {
    style.onload = style.onerror = resolve;
    document.head.append(style);
  });
}

function theme() {
  const color = (name) => getComputedStyle(panel).getPropertyValue(`--terminal-${name}`).trim();
  return {
    background: color("ground"),
    foreground: color("text"),
    cursor: color("text"),
    cursorAccent: color("ground"),
    selectionBackground: color("selection"),
  };
}

// --- the connection ---

function connect() {
  retry = 0;
  tell("Connecting …");
  const address = new URL(panel.dataset.address, location.href);
  address.protocol = address.protocol.replace("http", "ws");
  const former = sessionStorage.getItem("terminal.id");
  if (former) address.searchParams.set("terminal", former);
  socket = new WebSocket(address, panel.dataset.subprotocol);
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => (typeof data === "string" ? follow(JSON.parse(data)) : print(data));
  socket.onclose = ({ code }) => closed(code);
}

function send(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(message);
}

function say(message) {
  send(JSON.stringify(message));
}

function sendSize() {
  say({ type: "resize", cols: widget.cols, rows: widget.rows });
}

function follow(message) {
  if (message.type === "attached") attached(message);
  else if (message.type === "error") tell(message.detail);
}

function attached(message) {
  const former = sessionStorage.getItem("terminal.id");
  sessionStorage.setItem("terminal.id", message.terminal);
  retryMs = FIRST_RETRY_MS;
  unacknowledged = 0;
  widget.reset();
  // What was asked of the terminal then must not be answered, as if typed, now.
  isReplaying = message.replay > 0;
  tell(former && !message.resumed ? "The former shell has ended; this is a new one." : "Connected.");
  sendSize();
}

function print(data) {
  const size = data.byteLength;
  widget.write(new Uint8Array(data), () => {
    isReplaying = false;
    unacknowledged += size;
    if (unacknowledged < ACK_BYTES) return;
    say({ type: "ack", bytes: unacknowledged });
    unacknowledged = 0;
  });
}

function closed(code) {
  const told = state.textContent;
  socket = null;
  if (code in OVER) {
    if (code !== 4001) sessionStorage.removeItem("terminal.id");
    tell(code === 4013 && told !== "Connecting …" ? told : OVER[code]);
    return;
  }
  tell("The connection is lost; trying again …");
  retry = setTimeout(connect, retryMs * (0.75 + Math.random() / 2));
  retryMs = Math.min(2 * retryMs, LAST_RETRY_MS);
}

function restart() {
  clearTimeout(retry);
  sessionStorage.removeItem("terminal.id");
  tell("Starting a new shell …");
  widget?.reset();
  if (socket) {
    socket.onclose = connect;
    say({ type: "close" });
    if (socket.readyState !== WebSocket.OPEN) socket.close();
  } else if (widget) connect();
  widget?.focus();
}

// --- what people do ---

function isShortcut(event) {
  return event.ctrlKey && !event.altKey && event.code === "Backquote";
}

function startDragging(event) {
  edge.setPointerCapture(event.pointerId);
  edge.onpointermove = (moved) => chooseHeight(window.innerHeight - moved.clientY);
  edge.onpointerup = edge.onpointercancel = () => (edge.onpointermove = null);
}

function adjust(event) {
  const change = { ArrowUp: STEP, ArrowDown: -STEP }[event.key];
  if (!change) return;
  event.preventDefault();
  chooseHeight(panel.offsetHeight + change);
}

launcher.addEventListener("click", () => show(true));
document.getElementById("terminal-hide").addEventListener("click", hide);
document.getElementById("terminal-restart").addEventListener("click", restart);
edge.addEventListener("pointerdown", startDragging);
edge.addEventListener("keydown", adjust);
document.addEventListener("keydown", (event) => {
  if (!isShortcut(event)) return;
  event.preventDefault();
  toggle();
});
reader.checked = localStorage.getItem("terminal.reader") === "yes";
reader.addEventListener("change", () => {
  localStorage.setItem("terminal.reader", reader.checked ? "yes" : "no");
  if (widget) widget.options.screenReaderMode = reader.checked;
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  if (widget) widget.options.theme = theme();
});
window.addEventListener("resize", () => panel.hidden || setHeight(panel.offsetHeight));

// A page that loads itself again must not take the keys away; later events come without focus.
window.addEventListener("beforeunload", () => {
  const hadFocus = screen.contains(document.activeElement);
  sessionStorage.setItem("terminal.focus", hadFocus ? "yes" : "");
});

launcher.hidden = false;
if (sessionStorage.getItem("terminal.open")) show(sessionStorage.getItem("terminal.focus") === "yes");
