// Search among the targets: by any name, with a typo, at every keystroke, over the index that is loaded when it is
// first needed. What is asked for stands in the address, so that it can be linked.

const GREEK = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon phi chi psi omega".split(" ");
const LETTERS = "αβγδεζηθικλμνξοπρστυφχψω";
const STATES = ["images", "published", "observed", "listed"];
const STATE_WORDS = ["Reduced images are released", "Published measurements, no image here", "Observed, nothing reduced yet", "Listed, no observation here"];
const STATUS_WORDS = { COMPANION: "Companion", AMBIGUOUS: "Ambiguous", CANDIDATE: "Candidate", BACKGROUND: "Background star", UNDEFINED: "Undefined" };
const WORDS = { status: "statuses", survey: "surveys", instrument: "instruments", setup: "setups", strategy: "strategies" };
const RANGES = ["distance", "magnitude", "age", "mass", "observations", "detections"];
const SHOWN = 200; // rows drawn at once; more on request
// What can stand in the table: name, heading, whether it is a number, whether it is shown unasked.
const COLUMNS = [
  ["state", "State", false, true], ["name", "Target", false, true], ["ra", "RA (°)", true, false], ["dec", "Dec (°)", true, false],
  ["distance", "Distance (pc)", true, true], ["magnitude", "H (mag)", true, true], ["age", "Age (Myr)", true, false],
  ["mass", "Mass (M☉)", true, false], ["observations", "#Obs", true, true], ["detections", "#Dets", true, true],
  ["first", "First", true, false], ["last", "Last", true, false], ["instruments", "Instruments", false, true],
  ["setups", "Set-ups", false, true], ["strategies", "Strategies", false, false], ["surveys", "Surveys", false, true],
  ["statuses", "Status", false, true], ["aliases", "Aliases", false, false],
];

export function plain(text) {
  return text.toLowerCase().replace(/[α-ω]/g, (letter) => GREEK[LETTERS.indexOf(letter)] ?? letter)
    .normalize("NFKD").replace(/[^\p{L}\p{N}+]/gu, "");
}

// Fewest edits that turn `query` (at most 31 letters) into some part of `text`: bits of a word stand for the rows of the
// usual table (Myers 1999).
export function edits(query, text) {
  return fewest(letters(query), Math.min(query.length, 31), text);
}

const TABLE = new Int32Array(65536); // for each letter, the places of the query that hold it

function letters(query) {
  TABLE.fill(0);
  for (let i = 0; i < Math.min(query.length, 31); i++) TABLE[query.charCodeAt(i)] |= 1 << i;
  return TABLE;
}

function fewest(where, length, text) {
  const last = 1 << (length - 1);
  let plus = -1, minus = 0, score = length, best = length;
  for (let j = 0; j < text.length; j++) {
    const equal = where[text.charCodeAt(j)];
    const vertical = equal | minus;
    const diagonal = (((equal & plus) + plus) ^ plus) | equal;
    let up = minus | ~(diagonal | plus);
    let down = plus & diagonal;
    if (up & last) score++;
    else if (down & last && --score < best) best = score;
    up <<= 1;
    down <<= 1;
    plus = down | ~(vertical | up);
    minus = up & vertical;
  }
  return best;
}

export class Index {
  constructor(data) {
    this.data = data;
    this.count = data.slug.length;
    // each name after a line feed: a name that begins with the query is found by one search of the whole
    this.text = data.name.map((name, row) => "\n" + [name, ...(data.aliases[row] ? data.aliases[row].split("\n") : [])].map(plain).join("\n"));
    this.orders = new Map();
    this.simulated = new Set(data.simulated);
    this.placed = Object.fromEntries(Object.entries(data.of).map(([name, rows]) => [name, rows.map((places) => places.reduce((bits, place) => (place < 31 ? bits | (1 << place) : bits), 0))]));
  }

  // Rows in the order of a column, made once; what has no value comes last.
  order(column, down) {
    const key = `${column} ${down}`;
    if (!this.orders.has(key)) {
      const rows = Uint32Array.from({ length: this.count }, (_, row) => row);
      if (column !== "name" || down) {
        const values = this.data.numbers[column] ?? Array.from(rows, (row) => this.value(row, column) || null);
        const sign = down ? -1 : 1;
        rows.sort((a, b) => {
          const [x, y] = [values[a], values[b]];
          if (x === null || y === null) return (x === null) - (y === null) || a - b;
          return x < y ? -sign : x > y ? sign : a - b;
        });
      }
      this.orders.set(key, rows);
    }
    return this.orders.get(key);
  }

  // A word as people read it.
  title(word) {
    return this.data.titles[word] ?? word;
  }

  value(row, column) {
    const { data } = this;
    if (column === "state") return data.state[row];
    if (column === "name") return data.name[row].toLowerCase();
    if (column === "aliases") return data.aliases[row];
    if (column in data.words) return data.of[column][row].map((place) => data.words[column][place]).join(", ");
    const number = data.numbers[column][row];
    return number;
  }

  // Rows that fit, best names first; typos are offered only where no name fits as it was typed.
  find(asked, column = "name", down = false) {
    const query = plain(asked.q ?? "");
    const fits = this.filter(asked);
    const order = this.order(column, down);
    if (!query) return Array.from(order).filter(fits);
    const begins = [], holds = [];
    for (const row of order) {
      const text = this.text[row];
      const at = text.indexOf(query);
      if (at < 0 || !fits(row)) continue;
      (text[at - 1] === "\n" || text.includes("\n" + query) ? begins : holds).push(row);
    }
    if (begins.length || holds.length) return begins.concat(holds);
    const allowed = query.length >= 8 ? 2 : query.length >= 4 ? 1 : 0;
    if (!allowed) return [];
    const length = Math.min(query.length, 31), where = letters(query);
    const close = [[], [], []];
    // with so few edits, one of one part more than that is there unchanged: a search that costs much less
    const parts = Array.from({ length: allowed + 1 }, (_, part) =>
      query.slice(Math.floor((part * length) / (allowed + 1)), Math.floor(((part + 1) * length) / (allowed + 1))));
    for (const row of order) {
      if (!parts.some((part) => this.text[row].includes(part))) continue;
      const distance = fewest(where, length, this.text[row]);
      if (distance <= allowed && fits(row)) close[distance].push(row);
    }
    return close.flat();
  }

  // Whether a row fits what is asked of its values, as one function of few tests.
  filter(asked) {
    const tests = [];
    const { data } = this;
    for (const [name, column] of Object.entries(WORDS)) {
      if (!asked[name]) continue;
      const place = data.words[column].indexOf(asked[name]);
      const bits = this.placed[column], rows = data.of[column];
      tests.push(place < 31 && place >= 0 ? (row) => bits[row] & (1 << place) : (row) => rows[row].includes(place));
    }
    if (asked.state) tests.push((row) => STATES[data.state[row]] === asked.state);
    for (const name of RANGES) {
      const values = data.numbers[name];
      const [least, most] = [asked[`${name}_min`], asked[`${name}_max`]];
      if (least) tests.push((row) => values[row] !== null && values[row] >= Number(least));
      if (most) tests.push((row) => values[row] !== null && values[row] <= Number(most));
    }
    const day = (text) => Number(text.replaceAll("-", ""));
    if (asked.after) tests.push((row) => data.numbers.last[row] >= day(asked.after) && data.numbers.last[row] !== null);
    if (asked.before) tests.push((row) => data.numbers.first[row] !== null && data.numbers.first[row] <= day(asked.before));
    if (asked.ra && asked.dec && asked.radius) tests.push(this.cone(Number(asked.ra), Number(asked.dec), Number(asked.radius)));
    return (row) => tests.every((test) => test(row));
  }

  // Stars within `radius` of a direction, degrees; exact for small angles too (haversine).
  cone(ra, dec, radius) {
    const { ra: ras, dec: decs } = this.data.numbers;
    const turn = Math.PI / 180, limit = Math.sin((radius * turn) / 2) ** 2, level = Math.cos(dec * turn);
    return (row) => {
      if (ras[row] === null || decs[row] === null || Math.abs(decs[row] - dec) > radius) return false;
      const up = Math.sin(((decs[row] - dec) * turn) / 2), across = Math.sin(((ras[row] - ra) * turn) / 2);
      return up * up + level * Math.cos(decs[row] * turn) * across * across <= limit;
    };
  }
}

export async function start(form) {
  const table = document.getElementById("targets");
  if (!table) return;
  const asked = new URLSearchParams(location.search);
  const boxes = columnBoxes(form, asked.get("columns"));
  form.hidden = false;
  for (const [name, value] of asked) if (form.elements[name] && "value" in form.elements[name]) form.elements[name].value = value;
  form.querySelector("#more").open = [...new FormData(form)].some(([name, value]) => value && !["q", "status", "state", "column"].includes(name));
  let index, loading, sort = [asked.get("sort") ?? "name", asked.has("down")], shown = SHOWN, waiting;
  const load = () => (loading ??= fetch(form.dataset.index).then((answer) => answer.json()).then((data) => {
    index = new Index(data);
    fillWords(form, index, asked);
  }));
  const show = async () => {
    await load();
    const said = Object.fromEntries([...new FormData(form)].filter(([name, value]) => value && name !== "column"));
    const rows = index.find(said, ...sort);
    const columns = COLUMNS.filter(([name]) => boxes.find((box) => box.value === name).checked);
    draw(table, index, rows, columns, sort, shown, form.dataset.root);
    form.elements.found.value = `${rows.length.toLocaleString("en")} of ${index.count.toLocaleString("en")}`;
    form.found_rows = rows;
    document.getElementById("pager").hidden = true;
    remember(said, sort, boxes);
    clearTimeout(waiting);
    waiting = setTimeout(() => drawSky(index, rows), 200);
  };
  const again = () => { shown = SHOWN; return show(); };
  form.addEventListener("input", again);
  form.addEventListener("reset", () => setTimeout(again));
  form.addEventListener("focusin", load, { once: true });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    await show();
    if (form.found_rows.length) location.assign(`${form.dataset.root}targets/${index.data.slug[form.found_rows[0]]}/`);
  });
  table.tHead.addEventListener("click", (event) => {
    const name = event.target.closest("button")?.value;
    if (!name) return;
    sort = [name, sort[0] === name && !sort[1]];
    again();
  });
  table.addEventListener("click", (event) => {
    if (event.target.closest("button.all")) { shown = Infinity; show(); }
  });
  document.getElementById("csv").addEventListener("click", async () => { await show(); save("targets.csv", asCsv(index, form.found_rows)); });
  document.getElementById("link").addEventListener("click", async (event) => {
    await show();
    await navigator.clipboard?.writeText(location.href).catch(() => {});
    event.target.textContent = "The address says it all";
  });
  headings(table, COLUMNS.filter(([, , , usual]) => usual), sort);
  if ([...asked].length) show();
}

function columnBoxes(form, chosen) {
  const wanted = chosen?.split(",");
  return COLUMNS.map(([name, heading, , usual]) => {
    const label = document.createElement("label"), box = document.createElement("input");
    Object.assign(box, { type: "checkbox", name: "column", value: name, checked: name === "name" || (wanted ? wanted.includes(name) : usual), disabled: name === "name" });
    label.append(box, " " + heading);
    form.querySelector("#columns").append(label);
    return box;
  });
}

function fillWords(form, index, asked) {
  for (const [name, column] of Object.entries(WORDS)) {
    if (name === "status") continue;
    form.elements[name].append(...index.data.words[column].map((word) => new Option(index.title(word), word)));
    form.elements[name].value = asked.get(name) ?? "";
  }
}

function headings(table, columns, [sorted, down]) {
  table.tHead.rows[0].replaceChildren(...columns.map(([name, heading, number]) => {
    const head = Object.assign(document.createElement("th"), { scope: "col", className: number ? "n" : "" });
    head.append(Object.assign(document.createElement("button"), { type: "button", value: name, textContent: heading }));
    if (name === sorted) head.setAttribute("aria-sort", down ? "descending" : "ascending");
    return head;
  }));
}

function draw(table, index, rows, columns, sort, shown, root) {
  const focused = document.activeElement?.closest?.("thead button")?.value;
  headings(table, columns, sort);
  if (focused) table.tHead.querySelector(`button[value="${focused}"]`)?.focus();
  const body = document.createElement("tbody");
  for (const row of rows.slice(0, shown)) {
    const line = body.insertRow();
    for (const column of columns) line.append(cell(index, row, column, root));
  }
  if (rows.length > shown) {
    const all = body.insertRow().insertCell();
    all.colSpan = columns.length;
    all.append(Object.assign(document.createElement("button"), { type: "button", className: "all quiet", textContent: `Show all ${rows.length.toLocaleString("en")}` }));
  }
  table.tBodies[0].replaceWith(body);
}

function cell(index, row, [name, , number], root) {
  const made = document.createElement(name === "name" ? "th" : "td");
  if (name === "name") {
    made.scope = "row";
    made.append(Object.assign(document.createElement("a"), { href: `${root}targets/${index.data.slug[row]}/`, textContent: index.data.name[row] }));
    if (index.simulated.has(row)) made.append(" ", Object.assign(document.createElement("span"), { className: "badge simulated", textContent: "Simulated" }));
    const companions = index.data.companions[row] ?? [];
    if (companions.length) made.append(Object.assign(document.createElement("small"), { textContent: "with " }));
    for (const [place, [name, folder]] of companions.entries()) {
      made.lastChild.append(place ? ", " : "", Object.assign(document.createElement("a"), { href: `${root}companions/${folder}/`, textContent: name }));
    }
  } else if (name === "state") {
    const state = index.data.state[row];
    const mark = Object.assign(document.createElement("span"), { className: `state ${STATES[state]}`, title: STATE_WORDS[state] });
    mark.append(Object.assign(document.createElement("span"), { className: "unseen", textContent: STATE_WORDS[state] }));
    made.append(mark);
  } else if (name === "statuses") {
    for (const place of index.data.of.statuses[row]) {
      const status = index.data.words.statuses[place];
      made.append(Object.assign(document.createElement("span"), { className: `status ${status.toLowerCase()}`, textContent: STATUS_WORDS[status] ?? status }), " ");
    }
  } else if (number) {
    made.className = "n";
    made.textContent = written(name, index.data.numbers[name][row]);
  } else if (name === "aliases") made.textContent = index.data.aliases[row].replaceAll("\n", ", ");
  else made.textContent = index.data.of[name][row].map((place) => index.title(index.data.words[name][place])).join(", ");
  return made;
}

function written(name, value) {
  if (value === null) return "";
  if (name === "first" || name === "last") return String(value).replace(/(\d{4})(\d\d)(\d\d)/, "$1-$2-$3");
  return (Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(name === "ra" || name === "dec" ? 8 : 4)))).replace("-", "\u2212");
}

function remember(said, [column, down], boxes) {
  const usual = COLUMNS.filter(([, , , shown]) => shown).map(([name]) => name).join();
  const chosen = boxes.filter((box) => box.checked).map((box) => box.value).join();
  const kept = new URLSearchParams(said);
  if (column !== "name" || down) kept.set("sort", column);
  if (down) kept.set("down", "1");
  if (chosen !== usual) kept.set("columns", chosen);
  history.replaceState(null, "", kept.size ? `?${kept}` : location.pathname);
}

function asCsv(index, rows) {
  const names = ["slug", ...COLUMNS.map(([name]) => name), "simulated"];
  const quote = (value) => (/[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const text = (row, name) => {
    if (name === "slug") return index.data.slug[row];
    if (name === "name") return index.data.name[row];
    if (name === "state") return STATES[index.data.state[row]];
    if (name === "simulated") return index.simulated.has(row) ? "1" : "0";
    if (name === "first" || name === "last") return written(name, index.data.numbers[name][row]);
    return String(index.value(row, name) ?? "");
  };
  return [names.join(), ...rows.map((row) => names.map((name) => quote(text(row, name))).join())].join("\r\n") + "\r\n";
}

export function save(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  const link = Object.assign(document.createElement("a"), { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

// The selection on the map of the sky: Hammer's projection, RA 0 in the middle and growing to the left.
function drawSky(index, rows) {
  const stars = document.querySelector("svg.sky .stars");
  if (!stars) return;
  const { ra, dec } = index.data.numbers;
  const step = rows.length <= 2000 ? 10 : 1, seen = new Set();
  for (const row of rows) {
    if (ra[row] === null || dec[row] === null) continue;
    const half = ((((ra[row] + 180) % 360) - 180) * Math.PI) / 360, up = (dec[row] * Math.PI) / 180;
    const depth = Math.sqrt(1 + Math.cos(up) * Math.cos(half));
    const x = 360 * (1 - (Math.cos(up) * Math.sin(half)) / depth), y = 180 * (1 - Math.sin(up) / depth);
    seen.add(`M${Math.round(x * step) / step} ${Math.round(y * step) / step}h0`);
  }
  stars.setAttribute("d", [...seen].join(""));
}
