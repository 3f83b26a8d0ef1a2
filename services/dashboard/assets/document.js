// Writes a dashboard as its TOML document.

// JSON's strings are TOML's, except for one control character.
const quoted = (text) => JSON.stringify(text).replaceAll("\u007f", "\\u007f");

function tileOf({ kind, title, variables, width, range, scale, rows }) {
  const lines = ["[[tiles]]", `kind = ${quoted(kind)}`];
  if (title) lines.push(`title = ${quoted(title)}`);
  if (variables.length > 0) lines.push(`variables = [${variables.map(quoted).join(", ")}]`);
  if (width) lines.push(`width = ${width}`);
  if (range) lines.push(`range = ${quoted(range)}`);
  if (scale) lines.push(`scale = ${quoted(scale)}`);
  if (rows) lines.push(`rows = ${rows}`);
  return lines.join("\n");
}

export function documentOf(title, tiles) {
  return `${[`title = ${quoted(title)}`, ...tiles.map(tileOf)].join("\n\n")}\n`;
}
