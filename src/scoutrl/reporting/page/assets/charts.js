// Learning curves, by uPlot: return with bounds as dashed lines, and what else was noted.
let ALONG = "steps";
let DRAWN = [];

function startCharts() {
  for (const button of document.querySelectorAll("[data-along]")) {
    button.addEventListener("click", () => {
      ALONG = button.dataset.along;
      for (const other of document.querySelectorAll("[data-along]")) {
        other.setAttribute("aria-pressed", other === button);
      }
      drawCharts();
    });
  }
  onColours(drawCharts);
  drawCharts();
  new ResizeObserver(() => DRAWN.forEach(({ plot, box }) => {
    if (box.clientWidth && box.clientWidth !== plot.width) plot.setSize({ width: box.clientWidth, height: plot.height });
  })).observe(find("charts"));
}

function drawCharts() {
  DRAWN.forEach(({ plot }) => plot.destroy());
  find("charts").replaceChildren();
  DRAWN = DATA.charts.map((chart) => {
    const box = element("div", {}, element("h3", {}, chart.title));
    find("charts").append(box);
    return { plot: new uPlot(optionsOf(chart, box.clientWidth), seriesOf(chart), box), box };
  });
}

// Lines that were noted at moments of their own, on one axis: uPlot joins them.
function seriesOf(chart) {
  return uPlot.join(chart.lines.map((line) => {
    const { x, y, low, high } = line[ALONG];
    return low ? [x, y, low, high] : [x, y];
  }));
}

function optionsOf(chart, width) {
  const ink = style("--soft"), grid = style("--rule");
  const series = [{ label: ALONG === "steps" ? "steps" : "seconds", value: (_, x) => (x === null ? "–" : large(x)) }];
  const bands = [];
  chart.lines.forEach((line) => {
    const stroke = DATA.lanes.length < 2 && chart.lines.length === 1 ? style("--own") : COLOURS[line.colour % COLOURS.length];
    const few = line[ALONG].y.length < 3;
    series.push({ label: line.label, stroke, width: 2, dash: DASHES[line.colour % DASHES.length], spanGaps: true, points: { show: few }, value: (_, y) => number(y ?? null, 3) });
    if (line[ALONG].low) {
      const hidden = { class: "interval", stroke: "transparent", spanGaps: true, points: { show: false }, label: `${line.label}, interval`, value: (_, y) => number(y ?? null, 3) };
      series.push(hidden, { ...hidden });
      bands.push({ series: [series.length - 1, series.length - 2], fill: `${stroke}33` });
    }
  });
  const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 } };
  return {
    width, height: 240, series, bands,
    scales: { x: { time: false }, y: { range: (_, low, high) => rangeOf(chart, low, high) } },
    axes: [
      { ...axis, values: (_, ticks) => ticks.map(large) },
      { ...axis, size: 56, values: (_, ticks) => ticks.map((y) => String(Number(y.toPrecision(4))).replace("-", "−")) },
    ],
    legend: { live: true },
    hooks: { draw: [(plot) => drawBounds(plot, chart.bounds)] },
  };
}

const DASHES = [[], [10, 4], [3, 3], [10, 4, 3, 4]];

// All of the lines, and those of the bounds that are not far below.
function rangeOf(chart, low, high) {
  const reach = high - low || 1;
  const near = Object.values(chart.bounds).filter((bound) => bound >= low - reach / 2);
  const [bottom, top] = [Math.min(low, ...near), Math.max(high, ...near)];
  const room = 0.06 * (top - bottom || 1);
  return [bottom - room, top + room];
}

function drawBounds(plot, bounds) {
  const pen = plot.ctx, { left, top, width, height } = plot.bbox, ratio = devicePixelRatio;
  pen.save();
  pen.font = `${11 * ratio}px system-ui, sans-serif`;
  pen.textAlign = "right";
  let last = Infinity;
  for (const [name, value] of Object.entries(bounds).sort((a, b) => b[1] - a[1])) {
    const y = plot.valToPos(value, "y", true);
    if (y < top || y > top + height) continue;
    pen.strokeStyle = pen.fillStyle = style("--soft");
    pen.lineWidth = ratio;
    pen.setLineDash([4 * ratio, 3 * ratio]);
    pen.beginPath();
    pen.moveTo(left, y);
    pen.lineTo(left + width, y);
    pen.stroke();
    if (Math.abs(y - last) < 13 * ratio) continue;  // its name would lie on another
    last = y;
    pen.fillText(`${name.replaceAll("_", " ")} ${number(value)}`, left + width - 4 * ratio, y + 13 * ratio);
  }
  pen.restore();
}

function large(x) {
  if (Math.abs(x) >= 1e6) return `${Number((x / 1e6).toPrecision(3))}M`;
  return Math.abs(x) >= 1e3 ? `${Number((x / 1e3).toPrecision(3))}k` : String(Math.round(x));
}
