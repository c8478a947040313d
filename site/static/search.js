// Search among the targets: by any name, with a typo, at every keystroke; what is asked for stands in the address.

const GREEK = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon phi chi psi omega".split(" ");
const LETTERS = "αβγδεζηθικλμνξοπρστυφχψω";

export function plain(text) {
  return text
    .toLowerCase()
    .replace(/[α-ω]/g, (letter) => GREEK[LETTERS.indexOf(letter)] ?? letter)
    .normalize("NFKD")
    .replace(/[^a-z0-9+]/g, "");
}

// Fewest edits that turn `query` into some part of `text` (Sellers 1980).
export function edits(query, text) {
  let row = new Array(text.length + 1).fill(0);
  for (let i = 1; i <= query.length; i++) {
    const next = [i];
    for (let j = 1; j <= text.length; j++) {
      const same = query[i - 1] === text[j - 1] ? 0 : 1;
      next[j] = Math.min(row[j - 1] + same, row[j] + 1, next[j - 1] + 1);
    }
    row = next;
  }
  return Math.min(...row);
}

// 0 for a name that begins with the query, 1 for one that holds it, 2 and more for typos, Infinity for no match.
export function score(query, names) {
  if (!query) return 0;
  if (names.some((name) => name.startsWith(query))) return 0;
  if (names.some((name) => name.includes(query))) return 1;
  const allowed = query.length >= 8 ? 2 : query.length >= 4 ? 1 : 0;
  const fewest = allowed ? Math.min(...names.map((name) => edits(query, name))) : Infinity;
  return fewest <= allowed ? 1 + fewest : Infinity;
}

export async function start(form) {
  const answer = await fetch(form.dataset.index);
  if (!answer.ok) return;
  const index = new Map((await answer.json()).map((row) => [row.slug, [row.name, ...row.aliases].map(plain)]));
  const body = document.querySelector("#targets tbody");
  if (!body) return;
  const rows = [...body.rows];
  const asked = new URLSearchParams(location.search);
  for (const name of ["q", "status", "state"]) form.elements[name].value = asked.get(name) ?? "";

  const show = () => {
    const query = plain(form.elements.q.value);
    const { status, state } = Object.fromEntries(new FormData(form));
    const scored = rows.map((row) => {
      const fits = (!status || row.dataset.status.split(" ").includes(status)) && (!state || row.dataset.state === state);
      return [fits ? score(query, index.get(row.dataset.slug) ?? []) : Infinity, row];
    });
    const best = Math.min(...scored.map(([value]) => value));
    let seen = 0;
    for (const [value, row] of scored) {
      // typos are offered only where no name fits as it was typed
      row.hidden = value === Infinity || (best <= 1 && value > 1);
      seen += !row.hidden;
    }
    form.elements.found.value = `${seen} of ${rows.length}`;
    if (query) body.append(...scored.toSorted((a, b) => a[0] - b[0]).map(([, row]) => row));
    remember(form);
  };
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const first = [...body.rows].find((row) => !row.hidden);
    if (first) location.assign(first.querySelector("a").href);
  });
  form.hidden = false;
  show();
}

function remember(form) {
  const said = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
  history.replaceState(null, "", said.size ? `?${said}` : location.pathname);
}
