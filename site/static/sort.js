// Tables whose columns sort on a click; empty cells always come last.

const COLLATOR = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

export function makeSortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      sort(table.tBodies[0], column, down ? -1 : 1);
    });
  });
}

function sort(body, column, sign) {
  const numbers = body.parentElement.classList.contains(`n${column + 1}`);
  const rows = [...body.rows].map((row) => [key(row.cells[column], numbers), row]);
  rows.sort(([a], [b]) => compare(a, b, sign));
  body.append(...rows.map(([, row]) => row));
}

// The text of a cell; a number when it begins with one, so that "452 ± 10" sorts by 452.
function key(cell, number) {
  const text = cell.textContent.trim().replace("\u2212", "-");
  const value = number || cell.classList.contains("n") ? parseFloat(text.replace(/[\u202f\s]/g, "")) : NaN;
  return Number.isNaN(value) ? text : value;
}

function compare(a, b, sign) {
  if (a === "" || b === "") return (a === "") - (b === "");
  if (typeof a === "number" && typeof b === "number") return sign * (a - b);
  return sign * COLLATOR.compare(String(a), String(b));
}
