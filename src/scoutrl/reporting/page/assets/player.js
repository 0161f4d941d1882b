// A trial, moment by moment: one lane for each agent that is watched, all at the same moment of the same problem.
class Lane {
  constructor(label, only) {
    this.frame = element("canvas", { class: "frame", role: "img" });
    this.seen = element("canvas", { class: "seen", role: "img", "aria-label": "what the agent sees" });
    this.beside = element("img", { class: "beside", alt: "" });
    this.now = element("p", { class: "now", "aria-live": "polite" });
    this.gain = element("div", { class: "gain" });
    this.gainTitle = element("p", { class: "chart-title" }, "Information gained at each step");
    this.values = element("div", { class: "values" });
    this.valuesTitle = element("p", { class: "chart-title" }, "What it expects of each action");
    const views = element("div", { class: "views" }, this.frame);
    const told = element("div", {}, this.now, element("div", { class: "views" }, this.seen, this.beside), this.gainTitle, this.gain, this.valuesTitle, this.values);
    this.node = element("div", { class: only ? "lane only" : "lane" },
      ...(only ? [] : [element("h4", {}, label)]), views, told);
    this.label = label;
    this.only = only;
  }

  open(life, problem, redraw) {
    this.life = life;
    this.sheet = load(life.sheet.source, redraw);
    this.sight = life.seen && load(life.seen.source, redraw);
    this.seen.hidden = !life.seen;
    this.beside.hidden = !problem.beside;
    if (problem.beside) {
      this.beside.src = problem.beside;
      this.beside.alt = problem.problem;
    }
  }

  // The place in the arrays of moment `step` of episode `place`; an episode that is over stays at its end.
  at(place, step) {
    const episode = this.life.episodes[place];
    return episode.start + Math.min(step, episode.moments - 1);
  }

  show(place, step) {
    const life = this.life, episode = life.episodes[place], at = this.at(place, step);
    drawFrame(this.frame, life.sheet, this.sheet, at, 2);
    drawPath(this.frame, life, episode.start, at);
    if (life.seen) drawFrame(this.seen, life.seen, this.sight, at, 4);
    const said = this.tell(episode, at);
    this.now.className = `now ${episode.phase}`;
    this.now.replaceChildren(element("b", {}, said[0]), ` · ${said.slice(1).join(" · ")}`);
    this.frame.setAttribute("aria-label", `${this.label}: ${said.join(", ")}`);
    showValues(this, life.values[at], life.actions[at]);
  }

  tell(episode, at) {
    const life = this.life, step = at - episode.start, last = step === episode.moments - 1;
    const said = [episode.phase];
    if (episode.goal !== null) said.push(`goal ${episode.goal}`);
    said.push(`step ${step} of ${episode.moments - 1}`);
    if (step) said.push(`reward ${signed(life.rewards[at])}`);
    if (life.known[at] !== null && episode.phase === "exploration") {
      const gained = step ? ` (${signed(100 * (life.known[at] - life.known[at - 1]), 0)})` : "";
      said.push(`knows ${percent(life.known[at])}${gained}`);
    }
    said.push(last ? `over, return ${number(episode.score)}` : `next: ${actionName(life.actions[at])}`);
    return said;
  }
}

function actionName(action) {
  if (action === null) return "nothing";
  if (Array.isArray(action)) return action.join(", ");
  return DATA.actions[action] ?? `action ${action}`;
}

const PICTURES = new Map();
const FRAME = document.createElement("canvas");
function load(source, redraw) {
  if (!PICTURES.has(source)) {
    const picture = new Image();
    picture.src = source;
    PICTURES.set(source, picture);
  }
  const picture = PICTURES.get(source);
  if (!picture.complete) picture.addEventListener("load", redraw, { once: true });
  return picture;
}

function drawFrame(canvas, sheet, picture, at, scale) {
  const { width, height, columns } = sheet;
  if (canvas.width !== width * scale || canvas.height !== height * scale) {
    canvas.width = width * scale;
    canvas.height = height * scale;
  }
  if (!picture.complete || !picture.naturalWidth) return;
  // By itself first: enlarged out of the sheet, a frame would blend with its neighbours at the edges.
  FRAME.width = width;
  FRAME.height = height;
  FRAME.getContext("2d").drawImage(picture, -(at % columns) * width, -Math.floor(at / columns) * height);
  const pen = canvas.getContext("2d");
  pen.imageSmoothingEnabled = scale < 3;
  pen.drawImage(FRAME, 0, 0, canvas.width, canvas.height);
}

function drawPath(canvas, life, start, at) {
  const spots = life.spots.slice(start, at + 1);
  if (spots.some((spot) => spot[0] === null)) return;
  const pen = canvas.getContext("2d"), scale = canvas.width / life.sheet.width;
  pen.strokeStyle = "#d64545";
  pen.lineWidth = 2.5 * scale;
  pen.lineJoin = pen.lineCap = "round";
  pen.beginPath();
  for (const [x, y] of spots) pen.lineTo(x * scale, y * scale);
  pen.stroke();
}

class Player {
  constructor() {
    this.lanes = DATA.lanes.map((label) => new Lane(label, DATA.lanes.length === 1));
    find("lanes").append(...this.lanes.map((lane) => lane.node));
    this.moment = 0;
    this.timer = null;
    this.open(0);
  }

  open(which) {
    this.stop();
    this.which = Math.max(0, Math.min(which, DATA.cases.length - 1));
    const problem = DATA.cases[this.which], lives = DATA.lives[this.which];
    this.lanes.forEach((lane, i) => lane.open(lives[i], problem, () => this.show(this.moment)));
    // The timeline has room for the longest of each episode.
    this.marks = lives[0].episodes.flatMap((_, place) => {
      const longest = Math.max(...lives.map((life) => life.episodes[place].moments));
      return Array.from({ length: longest }, (_, step) => ({ place, step }));
    });
    find("case-title").textContent = problem.problem + (problem.goal && ` · goal of the exploitation: ${problem.goal}`);
    find("scrubber").max = this.marks.length - 1;
    showPhases(lives[0].episodes, this.marks);
    for (const lane of this.lanes) buildGain(lane, this);
    markCase(this.which);
    this.show(0);
  }

  show(moment) {
    this.moment = Math.max(0, Math.min(moment, this.marks.length - 1));
    const { place, step } = this.marks[this.moment];
    for (const lane of this.lanes) {
      lane.show(place, step);
      markGain(lane, this.moment);
    }
    const scrubber = find("scrubber");
    scrubber.value = this.moment;
    scrubber.setAttribute("aria-valuetext", this.lanes[0].frame.getAttribute("aria-label"));
  }

  play() {
    if (this.timer) return this.stop();
    if (this.moment === this.marks.length - 1) this.show(0);
    this.timer = setInterval(() => {
      this.show(this.moment + 1);
      if (this.moment === this.marks.length - 1) this.stop();
    }, 450);
    this.say();
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.say();
  }

  say() {
    find("play").textContent = this.timer ? "Pause" : "Play";
    find("play").setAttribute("aria-pressed", this.timer !== null);
  }

  step(by) {
    this.stop();
    this.show(this.moment + by);
  }
}

function showPhases(episodes, marks) {
  find("phases").replaceChildren(...episodes.map((episode, place) => {
    const part = element("span", { class: episode.phase }, episode.phase);
    part.style.flex = marks.filter((mark) => mark.place === place).length;
    return part;
  }));
}

function thumbnails(player) {
  find("cases").append(...DATA.cases.map((problem, which) => {
    const canvas = element("canvas", { "aria-hidden": "true" });
    const sheet = DATA.lives[which][0].sheet;
    const draw = () => drawFrame(canvas, sheet, picture, 0, 1);
    const picture = load(sheet.source, draw);
    draw();
    const goal = problem.goal ? `, ${problem.goal}` : "";
    const made = element("button", { type: "button", "aria-pressed": "false" }, canvas,
      element("b", {}, `return ${problem.score}`), problem.problem + goal);
    made.addEventListener("click", () => player.open(which));
    return made;
  }));
}

function markCase(which) {
  [...find("cases").children].forEach((button, i) => button.setAttribute("aria-pressed", i === which));
  const chosen = find("cases").children[which];
  if (chosen) find("cases").scrollLeft = chosen.offsetLeft - find("cases").offsetLeft - 60;
  for (const row of document.querySelectorAll("tr[data-case]")) {
    row.classList.toggle("current", Number(row.dataset.case) === which);
  }
}

function legend() {
  find("legend").append(...DATA.legend.map(({ meaning, source }) =>
    element("li", {}, element("img", { src: source, alt: "" }), element("span", {}, meaning))));
  if (!DATA.legend.length) find("legend").closest("details").hidden = true;
}

// Keys work wherever the focus is, but for what has keys of its own.
function keys(player) {
  const commands = {
    ArrowLeft: () => player.step(-1),
    ArrowRight: () => player.step(1),
    Home: () => player.step(-player.marks.length),
    End: () => player.step(player.marks.length),
    ArrowUp: () => player.open(player.which - 1),
    ArrowDown: () => player.open(player.which + 1),
    " ": () => player.play(),
  };
  document.addEventListener("keydown", (event) => {
    const command = commands[event.key], inside = find("player").contains(event.target);
    if (!command || event.ctrlKey || event.altKey || event.metaKey || event.target.closest("select, summary")) return;
    if (event.key === " " && event.target.closest("button")) return;
    if (!event.key.startsWith("ArrowL") && !event.key.startsWith("ArrowR") && !inside) return;
    event.preventDefault();
    command();
  });
}

function startPlayer() {
  if (!DATA.cases.length) return null;
  const player = new Player();
  thumbnails(player);
  markCase(0);
  legend();
  keys(player);
  find("first").addEventListener("click", () => player.step(-player.marks.length));
  find("back").addEventListener("click", () => player.step(-1));
  find("next").addEventListener("click", () => player.step(1));
  find("play").addEventListener("click", () => player.play());
  find("scrubber").addEventListener("input", (event) => player.step(Number(event.target.value) - player.moment));
  return player;
}
