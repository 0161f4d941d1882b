// Everything begins here. The theme follows the system until the reader chooses.
find("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  redrawAll();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
const PLAYER = startPlayer();
// A link may say what is shown first, as in report.html#problem=2&moment=14.
const ASKED = new URLSearchParams(location.hash.slice(1));
if (PLAYER && ASKED.has("problem")) PLAYER.open(Number(ASKED.get("problem")) || 0);
if (PLAYER && ASKED.has("moment")) PLAYER.step(Number(ASKED.get("moment")) || 0);
startTables(PLAYER);
startMap();
startCharts();
