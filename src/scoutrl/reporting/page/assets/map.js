// The space of z: a ring for what the encoder makes of each problem, a dot for what was decoded after exploring.
function startMap() {
  if (!DATA.latent) return;
  const select = find("map-colour");
  DATA.latent.names.forEach((name, place) => select.append(element("option", { value: place }, name)));
  select.addEventListener("change", drawMap);
  drawMap();
}

function drawMap() {
  const { ids, f, decoded_ids: decoded, g, names } = DATA.latent;
  const component = Number(find("map-colour").value);
  const values = [...new Set(ids.map((id) => id[component]))].sort((a, b) => a - b);
  const colour = (id) => colourOf(Math.max(0, values.indexOf(id[component])), values.length);
  const all = [...f, ...g].map((point) => [point[0], point[1] ?? 0]);
  const [xs, ys] = [0, 1].map((axis) => all.map((point) => point[axis]));
  const size = 400, room = 24;
  const span = Math.max(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys), 1e-6);
  const place = ([x, y = 0]) => [
    room + ((x - Math.min(...xs)) / span) * (size - 2 * room),
    size - room - ((y - Math.min(...ys)) / span) * (size - 2 * room),
  ];
  const title = (id) => {
    const made = drawing("title", {});
    made.textContent = names.map((name, j) => `${name} ${id[j]}`).join(", ");
    return made;
  };
  const dots = g.map((point, i) => {
    const [cx, cy] = place(point);
    return drawing("circle", { cx, cy, r: 3, fill: colour(decoded[i]), "fill-opacity": 0.85 }, title(decoded[i]));
  });
  const rings = f.map((point, i) => {
    const [cx, cy] = place(point);
    return drawing("circle", { cx, cy, r: 6, fill: "none", stroke: colour(ids[i]), "stroke-width": 1.3 }, title(ids[i]));
  });
  const label = `${f.length} rings and ${g.length} dots in the plane of the principal components of z`;
  const height = Math.max(...all.map((point) => size - place(point)[1])) + room;
  const picture = drawing("svg", { viewBox: `0 ${size - height} ${size} ${height}`, role: "img", "aria-label": label }, ...rings, ...dots);
  find("map").replaceChildren(picture, key(values, names[component]));
}

function key(values, name) {
  const few = values.length <= COLOURS.length ? values : [values[0], values[Math.floor(values.length / 2)], values.at(-1)];
  return element("p", { class: "key" }, ...few.map((value) => {
    const mark = element("i");
    mark.style.background = colourOf(values.indexOf(value), values.length);
    return element("span", {}, mark, `${name} ${value}`);
  }));
}
