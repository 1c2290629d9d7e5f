"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector) => Array.from(document.querySelectorAll(selector));

  // How long ago
  const units = [["day", 86400], ["hour", 3600], ["minute", 60]];
  const ago = (seconds) => {
    for (const [unit, size] of units) {
      const number = Math.floor(seconds / size);
      if (number >= 2) return number + " " + unit + "s ago";
    }
    return "just now";
  };
  const tell = () => {
    const now = Date.now();
    for (const time of all("time.ago")) {
      const at = Date.parse(time.dateTime);
      if (!Number.isFinite(at)) continue;
      if (!time.title) time.title = time.textContent + " UTC";
      time.textContent = ago(Math.max(0, (now - at) / 1000));
    }
  };
  tell();
  setInterval(tell, 60000);

  // Light, dark, or as the system says
  const themes = ["auto", "light", "dark"];
  const button = document.getElementById("theme");
  const kept = () => { try { return localStorage.getItem("headgate-theme") || "auto"; } catch { return "auto"; } };
  const dress = (theme) => {
    if (theme === "auto") root.removeAttribute("data-theme"); else root.setAttribute("data-theme", theme);
    button.textContent = { auto: "Auto", light: "Light", dark: "Dark" }[theme];
    button.setAttribute("aria-label", "Colours: " + button.textContent + ". Change them.");
  };
  let theme = themes.includes(kept()) ? kept() : "auto";
  dress(theme);
  button.hidden = false;
  button.addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    dress(theme);
    try { localStorage.setItem("headgate-theme", theme); } catch { /* it is not kept, then */ }
  });

  // A link to a table, or to a column of it, opens it
  const open = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    const entry = target && target.closest("details");
    if (entry) { entry.open = true; target.scrollIntoView(); }
  };
  addEventListener("hashchange", open);
  open();

  // The drawing of a table begins with the table itself, where not all of it fits
  for (const entry of all("details.entry")) {
    const own = entry.querySelector(".ways .own .box");
    if (!own) continue;
    entry.addEventListener("toggle", () => {
      const view = own.closest(".scroll");
      const middle = own.x.baseVal.value + own.width.baseVal.value / 2;
      view.scrollLeft = Math.max(0, middle - view.clientWidth / 2);
    });
  }

  // Find
  const find = document.getElementById("find");
  if (find) {
    find.hidden = false;
    const rows = all("[data-find]");
    find.addEventListener("input", () => {
      const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
      for (const row of rows) row.hidden = !words.every((word) => row.dataset.find.includes(word));
      for (const layer of all(".layer")) layer.hidden = !layer.querySelector("tr[data-find]:not([hidden])");
    });
    addEventListener("keydown", (event) => {
      const typing = event.target instanceof HTMLInputElement;
      if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) { event.preventDefault(); find.focus(); }
      if (event.key === "Escape" && typing) { find.value = ""; find.dispatchEvent(new Event("input")); find.blur(); }
    });
  }

  // What a table or a column is made of, and what is made of it: each drawing by itself
  const wire = (drawing) => {
    const edges = Array.from(drawing.querySelectorAll(".edges path"));
    const nodes = Array.from(drawing.querySelectorAll(".node"));
    const columns = drawing.classList.contains("ways");
    const reach = (start, from, to) => {
      const seen = new Set([start]);
      const todo = [start];
      while (todo.length) {
        const node = todo.pop();
        for (const edge of edges) {
          const next = edge.dataset[to];
          if (edge.dataset[from] === node && !seen.has(next)) { seen.add(next); todo.push(next); }
        }
      }
      return seen;
    };
    const trace = (start) => {
      const up = reach(start, "to", "from");
      const down = reach(start, "from", "to");
      for (const node of nodes) {
        const on = up.has(node.dataset.node) || down.has(node.dataset.node);
        node.classList.toggle(columns ? "lit" : "faint", columns === on);
      }
      for (const edge of edges) {
        const on = (up.has(edge.dataset.from) && up.has(edge.dataset.to)) || (down.has(edge.dataset.from) && down.has(edge.dataset.to));
        edge.classList.toggle("lit", on);
        edge.classList.toggle("faint", !on);
      }
    };
    const untrace = () => { for (const part of nodes.concat(edges)) part.classList.remove("faint", "lit"); };
    for (const node of nodes) {
      for (const begin of ["mouseenter", "focus"]) node.addEventListener(begin, () => trace(node.dataset.node));
      for (const end of ["mouseleave", "blur"]) node.addEventListener(end, untrace);
    }
  };
  all(".graph").forEach(wire);

  // Where in the page
  const links = all("nav a");
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const link = links.find((one) => one.hash === "#" + entry.target.id);
      if (!link) continue;
      if (entry.isIntersecting) { for (const one of links) one.removeAttribute("aria-current"); link.setAttribute("aria-current", "true"); }
    }
  }, { rootMargin: "-15% 0px -75% 0px" });
  for (const section of all("main > section")) seen.observe(section);

  // On paper everything is open
  let closed = [];
  addEventListener("beforeprint", () => { closed = all("details:not([open])"); for (const one of closed) one.open = true; });
  addEventListener("afterprint", () => { for (const one of closed) one.open = false; });
})();
