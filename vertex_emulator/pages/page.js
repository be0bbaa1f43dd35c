// Renews what changes while something runs, every two seconds, and leaves alone what the reader has done to the page.
"use strict";

const SECONDS = 2;
const parts = (page) => [...page.querySelectorAll("[data-live]")];
const sent = new Map(parts(document).map((part) => [part.id, part.outerHTML]));

// By what an element stays the same when its label changes with the state that it tells.
const known = (one) => one.getAttribute("href") || one.id || `${one.name} ${one.value} ${one.getAttribute("aria-label")}`;

function replace(old, part) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const scrolled = [old, ...old.querySelectorAll("*")].map((one) => [one.scrollLeft, one.scrollTop]);
  for (const one of old.querySelectorAll("details[id]")) {
    const same = part.querySelector(`#${CSS.escape(one.id)}`);
    if (same) same.open = one.open;
  }
  for (const one of part.querySelectorAll("input[type=radio]")) {
    const same = old.querySelector(`[name="${one.name}"][value="${CSS.escape(one.value)}"]`);
    one.checked = same ? same.checked : false;
  }
  old.replaceWith(part);
  [part, ...part.querySelectorAll("*")].forEach((one, place) => {
    const [left, top] = scrolled[place] || [0, 0];
    if (left || top) one.scrollTo({ left, top, behavior: "instant" });
  });
  if (focused) [part, ...part.querySelectorAll(focused.tagName)].find((one) => known(one) === known(focused))?.focus({ preventScroll: true });
}

async function renew() {
  let fresh = null;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.ok) fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    // Told below.
  }
  document.getElementById("gone").hidden = fresh !== null;
  if (fresh !== null) {
    document.title = fresh.title;
    for (const part of parts(fresh)) {
      const old = document.getElementById(part.id);
      if (old === null || sent.get(part.id) === part.outerHTML) continue;
      sent.set(part.id, part.outerHTML);
      replace(old, document.adoptNode(part));
    }
    if (!("refresh" in fresh.body.dataset)) return;
  }
  setTimeout(renew, SECONDS * 1000);
}

// A graph that is wider than the screen begins at the task that is open, or else where the run begins.
const graph = document.getElementById("graph");
if (graph) {
  const height = (node) => node.getBoundingClientRect().top;
  const nodes = [...graph.querySelectorAll(".node")].sort((one, other) => height(one) - height(other));
  const box = (graph.querySelector(".chosen") || nodes[0] || graph).getBoundingClientRect();
  graph.scrollLeft += box.left + box.width / 2 - (graph.getBoundingClientRect().left + graph.clientWidth / 2);
}
if ("refresh" in document.body.dataset) setTimeout(renew, SECONDS * 1000);
