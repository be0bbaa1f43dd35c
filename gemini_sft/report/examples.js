"use strict";
(() => {
  const AT_ONCE = 25;
  const PAUSE_MS = 120;
  const MARKS = 100;
  // As the static examples are folded.
  const [LONG, OPEN, LONG_PROMPT, PEEK] = [1200, 700, 320, 80];

  const byId = (id) => document.getElementById(id);
  const [tools, words, tag, order] = ["tools", "words", "tag", "order"].map(byId);
  const [found, changed, results, list, more] = ["found", "changed", "results", "list", "more"].map(byId);
  const columns = [...tools.querySelectorAll("[data-column]")];
  const number = (n) => n.toLocaleString("en");

  // Finding. A folded text has no case and none of the marks that Latin, Greek and Cyrillic letters can carry.
  const fold = (text) => {
    const bare = /^[\x00-\x7f]*$/.test(text) ? text : text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "");
    return bare.toLowerCase().replaceAll("ς", "σ");
  };

  const whole = (text) => (typeof text === "string" ? text : text[0]);

  const searched = (one) =>
    fold(
      [
        one.place,
        one.id,
        whole(one.prompt),
        whole(one.instruction ?? ""),
        ...one.references.map(whole),
        ...one.answers.map((said) => whole(said.text ?? said.missing)),
        ...Object.values(one.slices ?? {}),
      ].join("\n"),
    );

  // Read when somebody searches, so that opening the page does not wait for it.
  let read = null;
  const data = () => {
    if (!read) {
      read = JSON.parse(byId("examples").textContent);
      for (const one of read.examples) one.searched = searched(one);
    }
    return read;
  };

  const matching = (terms) => {
    const wanted = columns.filter((one) => one.value).map((one) => [one.dataset.column, one.value]);
    const some = data().examples.filter(
      (one) =>
        (!tag.value || one.tags.includes(tag.value)) &&
        wanted.every(([column, value]) => one.slices?.[column] === value) &&
        terms.every((term) => one.searched.includes(term)),
    );
    return order.value === "place" ? some.sort((a, b) => a.at - b.at) : some;
  };

  // Showing. Texts become nodes of text and nothing else, whatever stands in them.
  const make = (name, style, ...children) => {
    const made = document.createElement(name);
    if (style) made.className = style;
    made.append(...children);
    return made;
  };

  // Where the terms stand in a text: starts and ends, in order, none within another.
  const spans = (text, terms) => {
    // Folding changes lengths: of every folded letter is kept where it came from.
    let [folded, place] = ["", 0];
    const from = [];
    for (const letter of text) {
      const plain = letter < "\x80" ? letter.toLowerCase() : fold(letter);
      for (let n = 0; n < plain.length; n += 1) from.push(place);
      folded += plain;
      place += letter.length;
    }
    from.push(place);
    const all = [];
    for (const term of terms) {
      let at = folded.indexOf(term);
      for (let n = 0; at >= 0 && n < MARKS; n += 1) {
        const end = at + term.length;
        all.push([from[at], Math.max(from[end], from[end - 1] + 1)]);
        at = folded.indexOf(term, end);
      }
    }
    const joined = [];
    for (const [start, end] of all.sort((a, b) => a[0] - b[0])) {
      const last = joined.at(-1);
      if (last && start <= last[1]) last[1] = Math.max(last[1], end);
      else joined.push([start, end]);
    }
    return joined;
  };

  const block = (text, terms) => {
    const made = make("div", "text");
    made.dir = "auto";
    let done = 0;
    for (const [start, end] of spans(text, terms)) {
      made.append(text.slice(done, start), make("mark", "", text.slice(start, end)));
      done = end;
    }
    made.append(text.slice(done));
    return made;
  };

  // A text that is folded away opens where something was found in it.
  const details = (style, summary, ...children) => {
    const made = make("details", style, summary, ...children);
    made.open = children.some((one) => one.querySelector("mark"));
    return made;
  };

  const cut = (one) =>
    typeof one === "string" ? [] : [make("p", "note", `Cut here; it has ${number(one[1])} characters in all.`)];

  const passage = (one, terms) => {
    const text = whole(one);
    if (text.length <= LONG) return [block(text, terms), ...cut(one)];
    const space = text.lastIndexOf(" ", OPEN);
    const at = space > OPEN - 100 ? space : OPEN - /[\udc00-\udfff]/.test(text[OPEN]);
    const rest = block(text.slice(at).trimStart(), terms);
    return [block(text.slice(0, at), terms), details("rest", make("summary", "", "Read on"), rest, ...cut(one))];
  };

  const long = (name, one, terms) => {
    const text = whole(one);
    if (text.length <= LONG_PROMPT && text === one) {
      return make("figure", "prompt", make("figcaption", "", name), block(text, terms));
    }
    const peek = make("span", "peek", `${text.slice(0, PEEK)}…`);
    peek.dir = "auto";
    const length = number(text === one ? text.length : one[1]);
    const summary = make("summary", "", `${name} (${length} characters) `, peek);
    return details("prompt", summary, block(text, terms), ...cut(one));
  };

  const caption = (...parts) => make("figcaption", "", ...parts.map((one, n) => make("span", n ? "score" : "", one)));

  const answer = (said, terms) => {
    const made = make("figure", "answer", caption(said.model, `${data().metric} ${said.score}`));
    if (said.missing) made.append(make("p", "none", `No answer: ${said.missing}`));
    else made.append(...passage(said.text, terms));
    if (said.truncated) made.append(make("p", "note", "Cut at the length limit."));
    return made;
  };

  const header = (one) => {
    const sign = make("span", "", { worse: "▼ ", better: "▲ " }[one.tags[0]] ?? "");
    sign.setAttribute("aria-hidden", "true");
    const place = make("h4", "", make("code", "", one.place));
    return make("header", "", place, make("p", "delta", sign, one.change));
  };

  const card = (one, terms) => {
    const made = make("article", `change ${one.tags[0]}`, header(one));
    made.setAttribute("aria-label", `Example ${one.place}, ${one.change}`);
    made.tabIndex = -1;
    const slices = Object.entries(one.slices ?? {}).map((pair) => make("span", "", pair.join(": ")));
    if (slices.length) made.append(make("p", "slices", ...slices));
    if (one.instruction) made.append(long("Its own system instruction", one.instruction, terms));
    made.append(long("Prompt", one.prompt, terms));
    const several = one.references.length > 1 ? "References, each of them right" : "Reference";
    const references = one.references.flatMap((text) => passage(text, terms));
    const right = make("figure", "answer reference", caption(several), ...references);
    if (one.more) right.append(make("p", "note", `${number(one.more)} more are not shown.`));
    made.append(make("div", "answers", right, ...one.answers.map((said) => answer(said, terms))));
    return made;
  };

  let [left, terms] = [[], []];
  const show = () => {
    const next = left.splice(0, AT_ONCE).map((one) => card(one, terms));
    list.append(...next);
    more.hidden = left.length === 0;
    more.textContent = `Show ${Math.min(AT_ONCE, left.length)} more of ${number(left.length)}`;
    return next;
  };

  const search = () => {
    terms = [...new Set(fold(words.value).split(/\s+/).filter(Boolean))];
    left = matching(terms);
    found.textContent = `${number(left.length)} of ${number(data().examples.length)} example${data().examples.length === 1 ? "" : "s"}`;
    list.replaceChildren(...(left.length ? [] : [make("p", "empty", "No example matches.")]));
    show();
    [changed.hidden, results.hidden] = [true, false];
  };

  let waiting;
  words.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(search, PAUSE_MS);
  });
  for (const one of [tag, order, ...columns]) one.addEventListener("change", search);
  // Who pressed the button goes on reading where the new ones begin.
  more.addEventListener("click", () => show()[0].focus());
  tools.addEventListener("focusin", () => setTimeout(data), { once: true });
  tools.hidden = false;
})();
