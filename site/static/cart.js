// Files put aside on the pages of targets, kept in this browser, and the script that downloads them.

import { save } from "./search.js";

const KEY = "lyot-cart";

const read = () => { try { return JSON.parse(localStorage.getItem(KEY)) ?? []; } catch { return []; } };
const write = (files) => { try { localStorage.setItem(KEY, JSON.stringify(files)); } catch { /* the browser keeps nothing */ } };

export function start() {
  for (const button of document.querySelectorAll("button.cart")) {
    button.hidden = false;
    button.addEventListener("click", () => add(button));
  }
  const cart = document.getElementById("cart");
  if (cart) show(cart);
}

// Addresses relative to the root of the site, so that the script works wherever it stands.
function add(button) {
  const links = [...button.closest("section").querySelectorAll("a[download][data-size]")];
  const root = new URL(document.querySelector("a.brand").href);
  const found = links.map((link) => ({
    path: link.href.slice(root.href.length), size: Number(link.dataset.size), sha256: link.closest("tr").querySelector(".sum").textContent,
  }));
  const files = new Map([...read(), ...found].map((file) => [file.path, file]));
  write([...files.values()]);
  button.textContent = `${files.size} files are put aside`;
}

function show(cart) {
  cart.hidden = false;
  const root = document.querySelector("a.brand").href;
  const fill = () => {
    const files = read();
    const size = files.reduce((sum, file) => sum + file.size, 0);
    cart.querySelector("output").value = files.length ? `${files.length} files, ${(size / 1e6).toFixed(1)} MB` : "Nothing is put aside yet.";
    cart.querySelector("#cart-files").replaceChildren(...files.map((file) => Object.assign(document.createElement("li"), { textContent: file.path })));
    cart.querySelector("#cart-script").hidden = !files.length;
    cart.querySelector("#cart-script").textContent = script(files, root);
  };
  cart.querySelector("#cart-save").addEventListener("click", () => save("lyot-download.sh", script(read(), root)));
  cart.querySelector("#cart-empty").addEventListener("click", () => { write([]); fill(); });
  fill();
}

// A shell script that goes on where it stopped, and says which file is not what it should be.
export function script(files, root) {
  const quote = (text) => `'${String(text).replaceAll("'", "'\\''")}'`;
  const lines = files.map((file) => `fetch ${quote(file.path)} ${quote(file.sha256)}`);
  return `#!/bin/sh
# Files of Lyot: run it again to go on where it stopped. Needs curl and sha256sum.
root=${quote(root)}
fetch() {
  name=\${1#data/}
  mkdir -p "$(dirname "$name")"
  if ! echo "$2  $name" | sha256sum --check --status 2>/dev/null; then
    curl --fail --location --retry 3 --continue-at - --output "$name" "$root$1" || { rm -f "$name"; curl --fail --location --retry 3 --output "$name" "$root$1"; }
    echo "$2  $name" | sha256sum --check || failed=1
  fi
}
${lines.join("\n")}
exit \${failed:-0}
`;
}
