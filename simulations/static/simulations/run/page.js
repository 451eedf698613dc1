// The page of one simulation: what scripts add to what the server has rendered.

import { drawCharts } from "./charts.js";
import { enlargePictures } from "./gallery.js";
import { follow } from "./live.js";
import { tailLog } from "./log.js";

const run = document.getElementById("run");
if (run.dataset.stream) follow(run.dataset.stream);
drawCharts();
tailLog();
enlargePictures();
