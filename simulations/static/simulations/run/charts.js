// Exchange the server's charts for ones that answer to the pointer; without uPlot they stay.

import { Figure } from "./figure.js";

const LIBRARY = new URL("../../vendor/uPlot.iife.min.js", import.meta.url);
const STYLE = new URL("../../vendor/uPlot.min.css", import.meta.url);

export async function drawCharts() {
  const box = document.getElementById("charts");
  if (box === null) return;
  try {
    await loadLibrary();
  } catch {
    return;
  }
  box.removeAttribute("data-live");
  const figures = new Map();
  const draw = () => {
    for (const plot of readPlots()) {
      if (!figures.has(plot.name)) figures.set(plot.name, makeFigure(box, plot));
      figures.get(plot.name).show(plot);
    }
    box.querySelector(".empty")?.toggleAttribute("hidden", figures.size > 0);
  };
  draw();
  document.addEventListener("run:replaced", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const figure of figures.values()) figure.rebuild();
  });
}

function readPlots() {
  return JSON.parse(document.getElementById("charts-data").textContent);
}

function makeFigure(box, plot) {
  let host = box.querySelector(`[data-plot="${plot.name}"]`);
  if (host === null) {
    host = document.createElement("div");
    host.className = "plot";
    box.querySelector(".charts").append(host);
  }
  host.replaceChildren();
  const table = new URL(`${box.dataset.address}${plot.name}.csv`, location.href);
  table.search = box.dataset.query;
  return new Figure(host, table);
}

function loadLibrary() {
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = STYLE;
  const script = document.createElement("script");
  script.src = LIBRARY;
  const loaded = [style, script].map(
    (element) =>
      new Promise((resolve, reject) => {
        element.addEventListener("load", resolve);
        element.addEventListener("error", reject);
      }),
  );
  document.head.append(style, script);
  return Promise.all(loaded);
}
