// One chart: hover values, lines that can be hidden, a logarithmic scale, attacks shaded, PNG, CSV.

import { savePicture } from "./picture.js";
import { color, strokeOf, swatch } from "./strokes.js";

const HEIGHT = 280;
const MANY = 4;
const WHOLE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

export class Figure {
  constructor(host, table) {
    this.table = table;
    this.hidden = new Set();
    this.isLogarithmic = false;
    this.chart = null;
    this.figure = element("figure", { className: "chart" });
    this.caption = element("figcaption");
    this.canvas = element("div", { className: "plot-canvas", tabIndex: 0 });
    this.canvas.setAttribute("role", "img");
    this.at = element("span", { className: "at" });
    this.toggles = element("ul", { className: "toggles" });
    this.figure.append(this.caption, this.canvas, this.makeBar(), this.toggles);
    host.replaceChildren(this.figure);
    this.canvas.addEventListener("keydown", (event) => this.step(event));
    new ResizeObserver(() => this.resize()).observe(this.canvas);
  }

  // Draw the plot; if only rounds were added, the chart goes on as it is.
  show(plot) {
    const isSame = this.chart !== null && names(plot) === names(this.plot);
    this.plot = plot;
    if (!isSame) this.rebuild();
    else {
      this.chart.setData(this.data());
      this.showValues();
    }
  }

  rebuild() {
    this.chart?.destroy();
    this.caption.textContent = this.plot.title;
    this.canvas.setAttribute("aria-label", `${this.plot.title} by round; arrow keys move along it`);
    this.makeToggles();
    this.chart = new uPlot(this.options(), this.data(), this.canvas);
    this.showValues();
  }

  options() {
    const axis = { stroke: color("quiet"), grid: { stroke: color("line"), width: 1 }, ticks: { show: false } };
    return {
      width: this.width(),
      height: HEIGHT,
      legend: { show: false },
      cursor: { sync: { key: "rounds" }, points: { size: 7 } },
      scales: { x: { time: false }, y: { distr: this.isLogarithmic ? 3 : 1 } },
      axes: [
        { ...axis, incrs: WHOLE, size: 30 },
        { ...axis, size: (chart, values) => 24 + 7 * Math.max(3, ...(values ?? []).map((one) => one?.length ?? 0)) },
      ],
      series: [{}, ...this.plot.series.map((one, place) => this.line(one, place))],
      hooks: { drawClear: [(chart) => this.shade(chart)], setCursor: [() => this.showValues()] },
    };
  }

  line(series, place) {
    const isShown = !this.hidden.has(series.name);
    const look = strokeOf(series.role, place);
    const points = { size: 4, fill: look.stroke };
    return { label: series.name, spanGaps: true, show: isShown, points, ...look };
  }

  data() {
    const drawn = (value) => (this.isLogarithmic && value <= 0 ? null : value);
    return [this.plot.rounds, ...this.plot.series.map((one) => one.values.map(drawn))];
  }

  shade(chart) {
    const { ctx, bbox } = chart;
    ctx.save();
    ctx.fillStyle = color("bad");
    ctx.globalAlpha = 0.09;
    for (const [, first, last] of this.plot.windows) {
      const [from, to] = [first - 0.5, last + 0.5].map((round) => {
        const place = chart.valToPos(round, "x", true);
        return Math.min(Math.max(place, bbox.left), bbox.left + bbox.width);
      });
      ctx.fillRect(from, bbox.top, to - from, bbox.height);
    }
    ctx.restore();
  }

  makeBar() {
    const bar = element("div", { className: "plot-bar" });
    const scale = button("Log scale", () => {
      this.isLogarithmic = !this.isLogarithmic;
      scale.setAttribute("aria-pressed", this.isLogarithmic);
      this.rebuild();
    });
    scale.setAttribute("aria-pressed", "false");
    const picture = button("PNG", () => savePicture(this));
    const table = element("a", { href: this.table, textContent: "CSV" });
    bar.append(scale, picture, table, this.at);
    return bar;
  }

  makeToggles() {
    const items = this.plot.series.map((series, place) => this.makeToggle(series, place));
    if (this.plot.series.length > MANY) {
      const all = element("li");
      all.append(button("All", () => this.showOnly(() => true)), " ", button("None", () => this.showOnly(() => false)));
      items.unshift(all);
    }
    this.toggles.replaceChildren(...items);
  }

  makeToggle(series, place) {
    const item = element("li");
    const toggle = button("", () => this.toggle(series.name, this.hidden.has(series.name)));
    toggle.dataset.name = series.name;
    toggle.setAttribute("aria-pressed", !this.hidden.has(series.name));
    const note = series.role === "attacker" ? " (attacks)" : "";
    toggle.append(swatch(series.role, place), `${series.name}${note}`, element("output"));
    item.append(toggle);
    return item;
  }

  showOnly(wanted) {
    for (const series of this.plot.series) this.toggle(series.name, wanted(series));
  }

  toggle(name, isShown) {
    this.hidden[isShown ? "delete" : "add"](name);
    const place = this.plot.series.findIndex((one) => one.name === name);
    this.chart.setSeries(place + 1, { show: isShown });
    for (const one of this.toggles.querySelectorAll("button[data-name]")) {
      if (one.dataset.name === name) one.setAttribute("aria-pressed", isShown);
    }
  }

  // Write the values under the pointer beside the names; without a pointer, the last ones.
  showValues() {
    const last = this.plot.rounds.length - 1;
    const place = this.chart?.cursor.idx ?? last;
    this.at.textContent = `round ${this.plot.rounds[place]}`;
    const outputs = this.toggles.querySelectorAll("output");
    this.plot.series.forEach((series, number) => {
      outputs[number].textContent = text(series.values[place]);
    });
  }

  step(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const last = this.plot.rounds.length - 1;
    const place = Math.min(Math.max((this.chart.cursor.idx ?? last + (by < 0 ? 1 : 0)) + by, 0), last);
    this.chart.setCursor({ left: this.chart.valToPos(this.plot.rounds[place], "x"), top: 10 });
  }

  resize() {
    if (this.chart !== null && this.chart.width !== this.width()) {
      this.chart.setSize({ width: this.width(), height: HEIGHT });
    }
  }

  width() {
    return Math.max(200, Math.floor(this.canvas.clientWidth));
  }
}

function names(plot) {
  return JSON.stringify(plot.series.map((one) => [one.name, one.role]));
}

function text(value) {
  return value === null || value === undefined ? "–" : Number(value.toPrecision(4)).toString();
}

function element(tag, properties = {}) {
  return Object.assign(document.createElement(tag), properties);
}

function button(label, action) {
  const made = element("button", { type: "button", textContent: label });
  made.addEventListener("click", action);
  return made;
}
