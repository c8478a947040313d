// What the pages do when scripts may run: sort tables, search targets, explore charts. Without it everything still reads.

import { makeSortable } from "./sort.js";

for (const table of document.querySelectorAll("table.sortable")) makeSortable(table);

const finder = document.getElementById("finder");
if (finder) import("./search.js").then((search) => search.start(finder));

const figures = document.querySelectorAll("figure[data-chart]");
if (figures.length) import("./explore.js").then((explore) => figures.forEach(explore.offer));
