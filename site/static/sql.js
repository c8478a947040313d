// SQLite in the browser: the engine and the released database are loaded when the first question is asked.

import { save } from "./search.js";

const MOST = 1000; // rows shown; the CSV has them all

export function start(form) {
  form.hidden = false;
  const { query, example, answer } = form.elements;
  const said = document.getElementById("says");
  let database, result;
  const values = () => {
    const names = [...new Set([...query.value.matchAll(/(?<![:\w']):([a-z_]\w*)/g)].map(([, name]) => name))];
    const fields = document.getElementById("values");
    const before = Object.fromEntries([...fields.querySelectorAll("input")].map((input) => [input.name, input.value]));
    fields.replaceChildren(...names.map((name) => {
      const label = Object.assign(document.createElement("label"), { textContent: `:${name} ` });
      label.append(Object.assign(document.createElement("input"), { name: `:${name}`, value: before[`:${name}`] ?? "" }));
      return label;
    }));
  };
  example.addEventListener("change", () => {
    const chosen = example.selectedOptions[0];
    if (chosen.dataset.sql) query.value = chosen.dataset.sql;
    said.textContent = "";
    values();
  });
  query.addEventListener("input", values);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    answer.value = "Loading…";
    try {
      database ??= await open(form.dataset);
      const began = performance.now();
      const bind = Object.fromEntries([...document.querySelectorAll("#values input")].map((input) => [input.name, input.value]));
      result = ask(database, query.value, bind);
      answer.value = `${result.rows.length.toLocaleString("en")} rows in ${Math.round(performance.now() - began)} ms`;
      show(result);
      document.getElementById("save").disabled = false;
    } catch (error) {
      answer.value = error.message;
    }
  });
  document.getElementById("save").addEventListener("click", () => save("lyot.csv", asCsv(result)));
  const asked = new URLSearchParams(location.search).get("sql");
  if (asked) query.value = asked;
  values();
}

async function open({ engine, database }) {
  globalThis.sqlite3ApiConfig = { warn() {} }; // that it cannot keep files here is no news: it shall not
  const { default: load } = await import(new URL(`${engine}index.mjs`, document.baseURI));
  const [sqlite, bytes] = await Promise.all([
    load({ print: () => {}, printErr: () => {}, locateFile: (name) => new URL(`${engine}${name}`, document.baseURI).href }),
    fetch(database).then((answer) => answer.arrayBuffer()),
  ]);
  const opened = new sqlite.oo1.DB();
  const place = sqlite.wasm.allocFromTypedArray(bytes);
  const flags = sqlite.capi.SQLITE_DESERIALIZE_FREEONCLOSE | sqlite.capi.SQLITE_DESERIALIZE_READONLY;
  opened.checkRc(sqlite.capi.sqlite3_deserialize(opened.pointer, "main", place, bytes.byteLength, bytes.byteLength, flags));
  return opened;
}

function ask(database, sql, bind) {
  const statement = database.prepare(sql);
  try {
    for (const [name, value] of Object.entries(bind)) {
      if (statement.getParamIndex(name)) statement.bind(name, value);
    }
    const rows = [];
    while (statement.step()) rows.push(statement.get([]));
    return { names: statement.getColumnNames([]), rows };
  } finally {
    statement.finalize();
  }
}

function show({ names, rows }) {
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
  head.append(...names.map((name) => Object.assign(document.createElement("th"), { scope: "col", textContent: name })));
  const body = table.createTBody();
  for (const row of rows.slice(0, MOST)) {
    const line = body.insertRow();
    for (const value of row) {
      const cell = line.insertCell();
      cell.textContent = value ?? "";
      if (typeof value === "number") cell.className = "n";
    }
  }
  const place = document.getElementById("result");
  place.hidden = false;
  place.replaceChildren(table);
}

function asCsv({ names, rows }) {
  const quote = (value) => (/[",\n\r]/.test(String(value ?? "")) ? `"${String(value).replaceAll('"', '""')}"` : String(value ?? ""));
  return [names, ...rows].map((row) => row.map(quote).join()).join("\r\n") + "\r\n";
}
