// A chart as a PNG file: title, chart, and the names of the lines that are shown.

import { color, strokeOf } from "./strokes.js";

const FONT = "13px system-ui, sans-serif";
const TITLE = "600 15px system-ui, sans-serif";
const MARGIN = 12;
const TITLE_HEIGHT = 30;
const LINE_HEIGHT = 22;
const SWATCH = 28;

export function savePicture({ plot, chart, hidden }) {
  const source = chart.ctx.canvas;
  const ratio = source.width / chart.width;
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = FONT;
  const names = placed(pen, plot, hidden, chart.width);
  const rows = Math.max(0, ...names.map((one) => one.row + 1));
  const height = TITLE_HEIGHT + chart.height + rows * LINE_HEIGHT + MARGIN;
  pen.canvas.width = source.width;
  pen.canvas.height = height * ratio;
  pen.scale(ratio, ratio);
  pen.fillStyle = color("surface");
  pen.fillRect(0, 0, chart.width, height);
  pen.fillStyle = color("text");
  pen.font = TITLE;
  pen.fillText(plot.title, MARGIN, 20);
  pen.drawImage(source, 0, TITLE_HEIGHT, chart.width, chart.height);
  for (const one of names) write(pen, one, TITLE_HEIGHT + chart.height);
  pen.canvas.toBlob((blob) => save(blob, `${document.getElementById("run").dataset.id}_${plot.name}.png`));
}

function placed(pen, plot, hidden, width) {
  let [left, row] = [MARGIN, 0];
  const found = [];
  plot.series.forEach((series, place) => {
    if (hidden.has(series.name)) return;
    const wide = SWATCH + pen.measureText(series.name).width + 2 * MARGIN;
    if (left + wide > width && left > MARGIN) [left, row] = [MARGIN, row + 1];
    found.push({ series, place, left, row });
    left += wide;
  });
  return found;
}

function write(pen, { series, place, left, row }, top) {
  const { stroke, dash, width } = strokeOf(series.role, place);
  const middle = top + row * LINE_HEIGHT + LINE_HEIGHT / 2;
  pen.strokeStyle = stroke;
  pen.lineWidth = width;
  pen.setLineDash(dash);
  pen.beginPath();
  pen.moveTo(left, middle);
  pen.lineTo(left + SWATCH - 6, middle);
  pen.stroke();
  pen.font = FONT;
  pen.fillStyle = color("text");
  pen.fillText(series.name, left + SWATCH, middle + 4);
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
