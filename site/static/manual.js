// Search in the documentation: sections that hold every word.

export function start(form) {
  form.hidden = false;
  const list = form.querySelector("ul");
  let sections;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", async () => {
    sections ??= await fetch(form.dataset.index).then((answer) => answer.json());
    const words = form.elements.q.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = words.length ? sections.filter(({ title, text }) => words.every((word) => `${title} ${text}`.toLowerCase().includes(word))) : [];
    found.sort((a, b) => words.some((w) => b.title.toLowerCase().includes(w)) - words.some((w) => a.title.toLowerCase().includes(w)));
    list.replaceChildren(...found.slice(0, 20).map(({ title, page, address }) => {
      const item = document.createElement("li");
      item.append(Object.assign(document.createElement("a"), { href: form.dataset.root + address, textContent: title }), ` ${page}`);
      return item;
    }));
    form.elements.found.value = words.length ? `${found.length} sections` : "";
  });
}
