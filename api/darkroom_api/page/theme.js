// Dark or light: as the system says until the reader chooses. A classic script, so that no wrong colour is ever painted.
"use strict";
{
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: light)");
  const chosen = () => {
    try { return localStorage.getItem("darkroom.theme"); } catch { return null; }
  };
  const isLight = () => (chosen() ?? (system.matches ? "light" : "dark")) === "light";

  function show() {
    const light = isLight();
    root.dataset.theme = light ? "light" : "dark";
    const button = document.getElementById("theme");
    button?.setAttribute("aria-pressed", String(light));
  }

  function toggle() {
    try { localStorage.setItem("darkroom.theme", isLight() ? "dark" : "light"); } catch { /* storage is off: not kept */ }
    show();
  }

  show();
  system.addEventListener("change", show);
  document.addEventListener("DOMContentLoaded", () => {
    show();
    document.getElementById("theme").addEventListener("click", toggle);
  });
}
