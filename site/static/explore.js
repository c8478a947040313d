// Charts that can be zoomed and asked: Vega, loaded when a reader wants it, its expressions interpreted, never compiled.

let library;

export function offer(figure) {
  const button = figure.querySelector(".explore");
  button.hidden = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    button.textContent = "Loading…";
    await explore(figure);
    button.remove();
  }, { once: true });
}

function load(address) {
  library ??= new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = () => done(window.vegaEmbed);
    script.onerror = () => failed(new Error(`${address} did not load`));
    document.head.append(script);
  });
  return library;
}

async function explore(figure) {
  const [embed, spec] = await Promise.all([
    load(figure.dataset.bundle),
    fetch(figure.dataset.chart).then((answer) => answer.json()),
  ]);
  const drawing = figure.querySelector(".drawing");
  const reversed = Object.fromEntries(spec.scales.map((scale) => [scale.name, Boolean(scale.reverse)]));
  fit(spec, figure, drawing.clientWidth, computed(figure, reversed));
  const place = document.createElement("div");
  place.className = "vega";
  drawing.replaceChildren(place);
  const view = await embed(place, spec, {
    mode: "vega", ast: true, actions: false, defaultStyle: false, renderer: "svg", tooltip: tip, config: colours(),
  });
  figure.dataset.explored = "yes";
  return view;
}

// The page's points, ranges, order of colours and room, put into the chart's shared specification.
function fit(spec, figure, width, drawn) {
  const measured = JSON.parse(figure.querySelector("script.points").textContent);
  const points = unfold([...drawn, ...measured]);
  spec.data.find((data) => data.name === "points").values = points;
  const [lowX, highX, lowY, highY] = figure.dataset.ranges.split(" ").map(Number);
  const domains = { x: [lowX, highX], y: [lowY, highY], color: [...new Set(points.map((point) => point.series).filter(Boolean))] };
  for (const scale of spec.scales ?? []) {
    scale.domain = domains[scale.name] ?? scale.domain;
    delete scale.sort;
  }
  spec.autosize = { type: "fit", contains: "padding" };
  spec.width = width;
  spec.height = figure.classList.contains("square") ? width : Math.max(300, 0.62 * width);
}

// What was computed, not measured (tracks, reference objects), read off the drawing: its layers that the data lack.
function computed(figure, reversed) {
  const known = new Set(JSON.parse(figure.querySelector("script.points").textContent).map((group) => group.layer));
  const area = figure.querySelector("clipPath rect");
  const box = Object.fromEntries(["x", "y", "width", "height"].map((name) => [name, Number(area.getAttribute(name))]));
  const [lowX, highX, lowY, highY] = figure.dataset.ranges.split(" ").map(Number);
  const value = (part, low, high, backwards) => low + (backwards ? 1 - part : part) * (high - low);
  const point = ([x, y]) => [
    value((x - box.x) / box.width, lowX, highX, reversed.x),
    value(1 - (y - box.y) / box.height, lowY, highY, reversed.y),
  ];
  return [...figure.querySelectorAll("[data-layer]")].filter((layer) => !known.has(layer.dataset.layer)).flatMap((layer) =>
    [...layer.children].map((group) => {
      const series = group.querySelector(":scope > title")?.textContent ?? "";
      const circles = [...group.querySelectorAll("circle")];
      const path = group.querySelector(layer.classList.contains("star") || layer.classList.contains("line") ? "path" : "path:not(.bar)");
      const rows = circles.map((one) => [...point([one.cx.baseVal.value, one.cy.baseVal.value]), one.textContent]);
      if (layer.classList.contains("star")) rows.push([0, 0, ""]);
      else if (path && layer.classList.contains("dots")) rows.push(...dots(path.getAttribute("d")).map((place) => [...point(place), ""]));
      else if (path) rows.push(...along(path.getAttribute("d")).map((place) => [...point(place), ""]));
      return { layer: layer.dataset.layer, series, columns: ["x", "y", "label"], rows };
    }));
}

// Places of a path: one absolute move, then steps.
function along(data) {
  const [start, steps = ""] = data.split("l");
  const numbers = (text) => (text.match(/-?(?:\d+\.?\d*|\.\d+)/g) ?? []).map(Number);
  let [x, y] = numbers(start);
  const places = [[x, y]];
  const all = numbers(steps);
  for (let i = 0; i + 1 < all.length; i += 2) places.push([(x += all[i]), (y += all[i + 1])]);
  return places;
}

// Places of dots, each a step from the one before.
function dots(data) {
  let x = 0, y = 0;
  return data.split("h0").filter(Boolean).map((step) => {
    const [across, down] = step.match(/-?\d+/g).map(Number);
    return [(x += across), (y += down)];
  });
}

// Rows of each group as objects; `index` keeps a line's order, and what has no series has none.
function unfold(groups) {
  let index = 0;
  return groups.flatMap(({ layer, series, columns, rows }) =>
    rows.map((row) => ({
      ...Object.fromEntries(columns.map((name, place) => [name, row[place]])),
      layer, series: series || undefined, index: index++,
    })));
}

// The page's own colours, as the reader sees them now.
function colours() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(name).trim();
  const font = getComputedStyle(document.body).fontFamily;
  return {
    background: "transparent",
    range: { category: [0, 1, 2, 3, 4, 5, 6, 7].map((number) => of(`--c${number}`)) },
    axis: {
      labelColor: of("--soft"), titleColor: of("--ink"), gridColor: of("--line"), domainColor: of("--line"), tickColor: of("--line"),
      labelFont: font, titleFont: font, labelFontSize: 12, titleFontSize: 12.5, titleFontWeight: "normal",
    },
    style: { cell: { stroke: "transparent" } },
  };
}

let box;

function tip(handler, event, item, value) {
  box ??= document.body.appendChild(Object.assign(document.createElement("div"), { className: "tip", hidden: true }));
  box.hidden = value === null || value === undefined || value === "";
  if (box.hidden) return;
  const said = typeof value === "object" ? Object.entries(value).map(([name, one]) => `${name}: ${one}`) : [String(value)];
  box.replaceChildren(...said.flatMap((line, index) => (index ? [document.createElement("br"), line] : [line])));
  box.style.left = `${Math.min(event.clientX + 14, innerWidth - box.offsetWidth - 8)}px`;
  box.style.top = `${event.clientY + 14}px`;
}
