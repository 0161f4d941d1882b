// Bars beside the frames: what each step told, and what is expected of each action.
function buildGain(lane, player) {
  const life = lane.life, marks = player.marks;
  const gains = marks.map(({ place, step }) => {
    const episode = life.episodes[place], at = episode.start + step;
    if (episode.phase !== "exploration" || step >= episode.moments || step === 0) return null;
    return life.known[at] === null ? null : life.known[at] - life.known[at - 1];
  });
  const told = gains.some((gain) => gain !== null);
  lane.gain.hidden = lane.gainTitle.hidden = !told;
  if (!told) return;
  const up = Math.max(0.05, ...gains.filter((gain) => gain > 0)), down = Math.min(0, ...gains);
  const zero = -down / (up - down);
  lane.gain.replaceChildren(...gains.map((gain, moment) => {
    const kind = gain === null ? "empty" : gain < 0 ? "loss" : "";
    const size = Math.abs(gain ?? 0) / (up - down);
    const said = gain === null ? "no exploration step" : `gained ${signed(100 * gain, 0)} points`;
    const bar = element("button", { type: "button", tabindex: "-1", class: kind, "aria-label": `moment ${moment}: ${said}`, title: said });
    bar.style.setProperty("--size", `${100 * size}%`);
    bar.style.setProperty("--from", `${100 * (gain < 0 ? zero - size : zero)}%`);
    bar.addEventListener("click", () => player.step(moment - player.moment));
    return bar;
  }));
}

function markGain(lane, moment) {
  [...lane.gain.children].forEach((bar, i) => {
    bar.classList.toggle("current", i === moment);
    bar.classList.toggle("later", i > moment);
  });
}

function showValues(lane, values, taken) {
  const some = lane.life.values.some((one) => one !== null);
  lane.values.hidden = lane.valuesTitle.hidden = !some;
  if (!some) return;
  if (values === null) {
    lane.values.replaceChildren(element("span", {}, "the episode is over"));
    return;
  }
  const known = values.map((value, action) => ({ value, action })).filter(({ value }) => value !== null);
  const low = Math.min(...known.map(({ value }) => value)), high = Math.max(...known.map(({ value }) => value));
  known.sort((a, b) => b.value - a.value);
  lane.values.replaceChildren(...known.slice(0, 9).flatMap(({ value, action }) => {
    const bar = element("span", { class: "bar" });
    bar.style.width = `${high > low ? (100 * (value - low)) / (high - low) : 100}%`;
    const name = element("span", { class: action === taken ? "taken" : "" },
      actionName(action) + (action === taken ? " ✓" : ""));
    return [name, bar, element("span", {}, number(value, high - low < 0.2 ? 3 : 2))];
  }));
}
