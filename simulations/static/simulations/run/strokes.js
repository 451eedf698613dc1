// How lines are drawn: the colours of the style sheet, which follow the theme, and its dashes.

const DASHES = [[], [6, 3], [2, 3], [8, 3, 2, 3], [12, 3], [1, 2], [10, 2, 1, 2, 1, 2], [4, 4]];

export function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

export function strokeOf(role, place) {
  const style = place % DASHES.length;
  if (role === "threshold") return { stroke: color("text"), dash: [7, 4], width: 2 };
  return { stroke: color(`s${style}`), dash: DASHES[style], width: role === "attacker" ? 3 : 2 };
}

// The little line beside a name, in the classes that the server's charts have.
export function swatch(role, place) {
  const namespace = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(namespace, "svg");
  picture.setAttribute("viewBox", "0 0 24 8");
  picture.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(namespace, "path");
  line.setAttribute("class", `line s${place % DASHES.length} ${role}`);
  line.setAttribute("d", "M0,4L24,4");
  picture.append(line);
  return picture;
}
