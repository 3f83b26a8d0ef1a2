// Saves the chart as a picture with a title, a legend and its source.

import { clockText } from "./figures.js";

const HEAD = 54;
const FOOT = 26;

export function savePicture(chart, colours, { symbol, candles, legend }) {
  const [left, right] = chart.seen;
  const day = (place) => clockText(candles.bars[place].at, candles.isIntraday);
  const canvas = draw(chart, colours, {
    title: `${symbol} ${candles.level}${candles.derivedFrom ? ` (derived from ${candles.derivedFrom})` : ""}`,
    range: `${day(left)} to ${day(right)}`,
    legend: [...legend.element.children].slice(1).map((part) => part.textContent.trim()).join("  "),
    source: `Candlewick, ${location.host}, ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC. Charts by TradingView Lightweight Charts.`,
  });
  give(canvas, `${symbol}_${candles.level}`.replace(/[^A-Za-z0-9._-]/g, "_") + ".png");
}

function draw(chart, colours, { title, range, legend, source }) {
  const plot = chart.picture();
  const ratio = plot.width / chart.element.clientWidth;
  const canvas = document.createElement("canvas");
  canvas.width = plot.width;
  canvas.height = plot.height + (HEAD + FOOT) * ratio;
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  context.fillStyle = colours.back;
  context.fillRect(0, 0, canvas.width, canvas.height);
  write(context, colours, title, 10, 20, `600 15px ${colours.font}`, colours.text);
  write(context, colours, `${range}   ${legend}`, 10, 42, `12px ${colours.font}`, colours.soft);
  write(context, colours, source, 10, HEAD + plot.height / ratio + 17, `12px ${colours.font}`, colours.soft);
  context.drawImage(plot, 0, HEAD, plot.width / ratio, plot.height / ratio);
  return canvas;
}

function write(context, colours, text, x, y, font, colour) {
  context.font = font;
  context.fillStyle = colour;
  context.fillText(text, x, y);
}

function give(canvas, name) {
  canvas.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  });
}
