// What all parts of the page share. Texts of the data become text nodes only: nothing in them is ever read as HTML.
const DATA = JSON.parse(document.getElementById("data").textContent);
const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8a8f9c"];
const SCALE = ["#00224e", "#35456c", "#666970", "#948e77", "#c8b866"];  // cividis, without what is too pale on paper

function find(id) {
  return document.getElementById(id);
}

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function drawing(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function number(value, digits = 2) {
  return value === null || value === undefined ? "–" : value.toFixed(digits).replace("-", "−");
}

function signed(value, digits = 2) {
  return (value > 0 ? "+" : "") + number(value, digits);
}

function percent(value) {
  return `${Math.round(100 * value)}%`.replace("-", "−");
}

// The colour of value number `place` of `count`: few are told apart by hue, many by lightness.
function colourOf(place, count) {
  if (count <= COLOURS.length) return COLOURS[place];
  const at = (place / (count - 1)) * (SCALE.length - 1);
  const low = Math.min(Math.floor(at), SCALE.length - 2);
  const part = (code, start) => parseInt(code.slice(start, start + 2), 16);
  const mixed = [1, 3, 5].map((start) =>
    Math.round(part(SCALE[low], start) * (1 - at + low) + part(SCALE[low + 1], start) * (at - low)));
  return `rgb(${mixed.join(",")})`;
}

function style(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// Whoever draws on a canvas draws again when the colours of the page change.
const REDRAWN = [];
function onColours(redraw) {
  REDRAWN.push(redraw);
}
function redrawAll() {
  for (const redraw of REDRAWN) redraw();
}
