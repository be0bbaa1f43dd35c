"use strict";
(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const config = { displayModeBar: false, responsive: true, showTips: false };

  // The figures name colours as the style sheet does, so that there is one place where they are chosen.
  const coloured = (value, style) => {
    if (typeof value === "string") {
      const name = /^var\((--[a-z]+)\)$/.exec(value);
      return name ? style.getPropertyValue(name[1]).trim() : value;
    }
    if (Array.isArray(value)) return value.map((one) => coloured(one, style));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, coloured(one, style)]));
  };

  const draw = () => {
    const style = getComputedStyle(document.documentElement);
    // Paper is narrower than most windows, and nobody asks a figure to follow when the page is printed.
    const paper = matchMedia("print").matches;
    for (const { id, data, layout } of figures) {
      const height = parseInt(document.getElementById(id).style.height) || 280;
      const size = paper ? { autosize: false, width: 640, height } : { autosize: true };
      Plotly.react(id, coloured(data, style), { ...coloured(layout, style), ...size }, config);
      if (!paper) Plotly.Plots.resize(id);
    }
  };

  draw();
  for (const query of ["(prefers-color-scheme: dark)", "print"]) {
    matchMedia(query).addEventListener("change", draw);
  }
})();
