// What the pages do when scripts may run: sort tables, search, explore charts, gather files. Without it all still reads.

import { makeSortable } from "./sort.js";

for (const table of document.querySelectorAll("table.sortable")) makeSortable(table);

const finder = document.getElementById("finder");
if (finder) import("./search.js").then((search) => search.start(finder));

const figures = document.querySelectorAll("figure[data-chart]");
if (figures.length) import("./explore.js").then((explore) => figures.forEach(explore.offer));

if (document.querySelector("button.cart, #cart")) import("./cart.js").then((cart) => cart.start());

const manual = document.getElementById("manual-search");
if (manual) import("./manual.js").then((search) => search.start(manual));

const sql = document.getElementById("sql-form");
if (sql) import("./sql.js").then((page) => page.start(sql));
