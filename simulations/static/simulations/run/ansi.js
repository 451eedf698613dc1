// Text with terminal escapes as spans; the same as `simulations/pages/run/ansi.py` does.

const STYLE = /\x1b\[([0-9;:]*)m/g;
const ESCAPE =
  /\x1b(?:\[[0-?]*[ -/]*(?:[@-~]|$)|\][^\x07\x1b]*(?:\x07|\x1b\\|$)|[PX^_][^\x1b]*(?:\x1b\\|$)|[ -/]+[0-~]?|[^]|$)/g;
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;
const OVERWRITTEN = /[^\n]*\r(?!\n)(?=[^\n])/g;
const COLORS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
const SWITCHES = { 1: "bold", 2: "dim", 3: "italic", 4: "underline", 9: "strike" };
const OFF = { 22: ["bold", "dim"], 23: ["italic"], 24: ["underline"], 29: ["strike"] };

export function plain(text) {
  return text.replace(OVERWRITTEN, "").replace(ESCAPE, "").replace(CONTROL, "");
}

export function spans(text) {
  const found = [];
  let pen = blank();
  let at = 0;
  const whole = text.replace(OVERWRITTEN, "");
  for (const match of whole.matchAll(STYLE)) {
    add(found, pen, whole.slice(at, match.index));
    pen = moved(pen, match[1]);
    at = match.index + match[0].length;
  }
  add(found, pen, whole.slice(at));
  return found;
}

function blank() {
  return { switches: new Set(), color: "", ground: "" };
}

function add(found, pen, text) {
  const shown = plain(text);
  if (!shown) return;
  const span = document.createElement("span");
  span.className = [
    ...[...pen.switches].sort().map((name) => `ansi-${name}`),
    pen.color && `ansi-${pen.color}`,
    pen.ground && `ansi-on-${pen.ground}`,
  ].filter(Boolean).join(" ");
  span.textContent = shown;
  found.push(span);
}

function moved(pen, codes) {
  let next = { ...pen, switches: new Set(pen.switches) };
  const rest = codes.split(/[;:]/).map((part) => (part.length < 5 ? Number(part) : 0));
  while (rest.length) {
    const code = rest.shift();
    if (code === 0) next = blank();
    else if (code in SWITCHES) next.switches.add(SWITCHES[code]);
    else if (code in OFF) OFF[code].forEach((name) => next.switches.delete(name));
    else if (code === 38) next.color = extended(rest);
    else if (code === 48) next.ground = extended(rest);
    else if ((code >= 30 && code <= 39) || (code >= 90 && code <= 97)) next.color = named(code % 10, code >= 90);
    else if ((code >= 40 && code <= 49) || (code >= 100 && code <= 107)) next.ground = named(code % 10, code >= 100);
  }
  return next;
}

function extended(rest) {
  if (rest[0] === 2) rest.splice(0, 4);
  if (rest[0] !== 5) return "";
  const [, number = 16] = rest.splice(0, 2);
  return number < 16 ? named(number % 8, number > 7) : "";
}

function named(number, isBright) {
  if (number > 7) return "";
  return isBright ? `bright-${COLORS[number]}` : COLORS[number];
}
