// Tables that sort by a column, and rows that open the player.
function startTables(player) {
  for (const table of document.querySelectorAll("table.sortable")) {
    table.querySelectorAll("thead th").forEach((head, column) => {
      head.querySelector("button").addEventListener("click", () => sortBy(table, head, column));
    });
  }
  for (const row of document.querySelectorAll("tr[data-case]")) {
    row.addEventListener("click", () => {
      player.open(Number(row.dataset.case));
      find("player").scrollIntoView();
      find("play").focus({ preventScroll: true });
    });
  }
}

function sortBy(table, head, column) {
  const rising = head.getAttribute("aria-sort") !== "ascending";
  for (const other of table.querySelectorAll("thead th")) other.setAttribute("aria-sort", "none");
  head.setAttribute("aria-sort", rising ? "ascending" : "descending");
  const rows = [...table.tBodies[0].rows].map((row) => [valueOf(row.cells[column]), row]);
  rows.sort(([a], [b]) => (rising ? 1 : -1) * compare(a, b));
  table.tBodies[0].append(...rows.map(([, row]) => row));
}

function valueOf(cell) {
  return cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value);
}

function compare(a, b) {
  return typeof a === "number" ? a - b : a.localeCompare(b, undefined, { numeric: true });
}
