// The chart as a picture that says what it shows.

const HEAD = 54;
const FOOT = 26;

export function drawPicture(chart, colours, { title, range, legend, source }) {
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

export function give(canvas, name) {
  canvas.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  });
}
