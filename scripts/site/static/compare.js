// Compares any two releases, from a file of each. Without this script, the page of each release
// shows its changes. The rules are those of changes.py, sections.py and table.py.
"use strict";

const releases = new Map();

// Called by the file of a release.
function addRelease(release) {
  releases.set(release.tag, release);
}

// Return the data of a release. It is a script, because a page on the disk may load no other data.
async function load(tag) {
  if (!releases.has(tag)) {
    await new Promise((resolve, reject) => {
      const script = element("script", { src: `../${tag}/release.js`, onload: resolve });
      script.onerror = () => reject(new Error(`The file of ${tag} cannot be read.`));
      document.head.append(script);
    });
  }
  return releases.get(tag);
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function shown(number) {
  return number.toLocaleString("en-US");
}

// Return the samples on sheets of a release that the other one does not have, by the MD5 of their
// file. Most sheets are equal, and are skipped.
function onlyIn(release, other) {
  const place = (sheet) => `${sheet.split}/${sheet.label} ${sheet.key}`;
  const there = new Set(other.sheets.map(place));
  const found = new Map();
  for (const sheet of release.sheets) {
    if (there.has(place(sheet))) {
      continue;
    }
    const bytes = atob(sheet.md5);
    sheet.samples.split(" ").forEach((sample, number) => {
      const md5 = bytes.slice(16 * number, 16 * (number + 1));
      found.set(md5, { sample, split: sheet.split, label: sheet.label, sheet, number });
    });
  }
  return found;
}

function taken(map, key) {
  const value = map.get(key);
  map.delete(key);
  return value;
}

// Return the changed samples of two releases, null if one of them could not be read.
function changeOf(before, after) {
  const change = { relabeled: [], moved: [], added: [], removed: [] };
  if (!before.isReadable || !after.isReadable) {
    return null;
  }
  const sameRows = before.source === after.source;
  if (sameRows && before.names === after.names) {
    return change;
  }
  const gone = onlyIn(before, after);
  const come = onlyIn(after, before);
  // Resized images have another file and the same identifier.
  const named = new Map();
  for (const [md5, one] of gone) {
    if (!come.has(md5) && (sameRows || !/^[0-9]+$/.test(one.sample))) {
      named.set(one.sample, md5);
    }
  }
  for (const [md5, now] of come) {
    const was = taken(gone, md5) ?? taken(gone, taken(named, now.sample));
    if (!was) {
      change.added.push(now);
    } else if (was.split !== now.split) {
      change.moved.push([was, now]);
    } else if (was.label !== now.label) {
      change.relabeled.push([was, now]);
    }
  }
  change.removed.push(...gone.values());
  return change;
}

function inWords(change) {
  const counts = {
    added: change.added,
    removed: change.removed,
    relabeled: change.relabeled,
    "moved between splits": change.moved,
  };
  return Object.entries(counts).map(([words, found]) => `${shown(found.length)} ${words}`).join(", ");
}

// Return the order of two texts by their characters, as Python has it.
function inOrder(one, other) {
  const [left, right] = [[...one], [...other]].map((text) => text.map((part) => part.codePointAt(0)));
  const at = left.findIndex((code, number) => code !== right[number]);
  return at < 0 ? left.length - right.length : left[at] - (right[at] ?? -1);
}

function comparePlaces(one, other, splits) {
  return (
    splits.indexOf(one.split) - splits.indexOf(other.split) ||
    inOrder(one.label, other.label) ||
    inOrder(one.sample, other.sample)
  );
}

// Return some of the pictures, from a few sheets that have most of them: the page loads each whole.
function few(pictures, { splits, mostShown, mostSheets }) {
  const bySheet = new Map();
  for (const one of pictures) {
    const { key } = one.placed.sheet;
    bySheet.set(key, [...(bySheet.get(key) ?? []), one]);
  }
  const largest = [...bySheet.values()].sort((one, other) => other.length - one.length);
  const found = [];
  const used = largest.slice(0, Number(mostSheets));
  for (let turn = 0; found.length < Number(mostShown) && used.some((list) => turn < list.length); turn += 1) {
    found.push(...used.filter((list) => turn < list.length).map((list) => list[turn]));
  }
  const order = splits.split(" ");
  return found
    .slice(0, Number(mostShown))
    .sort((one, other) => comparePlaces(one.placed, other.placed, order));
}

function picture({ placed, words }) {
  const { sheet, number, sample } = placed;
  const small = sheet.isSmall ? "small " : "";
  const item = element(
    "li",
    {},
    element("i", { className: `${small}a-${sheet.key} x${number % 20} y${Math.floor(number / 20)}` }),
    element("span", {}, sample),
    element("b", {}, words),
  );
  item.dataset.label = sheet.sourceLabels[sheet.numbers[number] ?? 0];
  return item;
}

function sectionOf(title, pictures, limits) {
  const some = few(pictures, limits);
  const list = element("ol", { className: "cells" }, ...some.map(picture));
  const section = element(
    "section",
    { className: title.split(" ")[0].toLowerCase() },
    element("h3", {}, `${title}: ${shown(pictures.length)}`),
    list,
  );
  list.dataset.copies = "";
  if (pictures.length > some.length) {
    const more = `${shown(pictures.length - some.length)} more are not shown.`;
    section.append(element("p", {}, element("small", {}, more)));
  }
  return section;
}

function sectionsOf(change, limits) {
  const place = ({ split, label }) => `${split}/${label}`;
  const single = (placed) => ({ placed, words: place(placed) });
  const move = ([was, now]) => ({ placed: now, words: `${place(was)} → ${place(now)}` });
  const found = {
    Relabeled: change.relabeled.map(move),
    "Moved between splits": change.moved.map(move),
    Added: change.added.map(single),
    Removed: change.removed.map(single),
  };
  return Object.entries(found)
    .filter(([, pictures]) => pictures.length)
    .map(([title, pictures]) => sectionOf(title, pictures, limits));
}

function cell([before, after]) {
  const difference = after - before;
  const made = element("td", {}, shown(after));
  if (difference) {
    made.append(" ", element("small", {}, `(${difference > 0 ? "+" : ""}${shown(difference)})`));
  }
  return made;
}

// Return the table of counts: changed classes, then others, then the total.
function tableOf(before, after, allSplits) {
  const there = (split) => [after, before].flatMap((one) => one.counts[split] ?? []);
  const splits = allSplits.filter((split) => ["train", "test"].includes(split) || there(split).length);
  const labels = new Set(splits.flatMap((split) => there(split).map(([label]) => label)));
  const total = (pairs) => pairs.reduce((sum, [, count]) => sum + count, 0);
  // The cells of a row are the counts of the labels that it is about, before and after.
  const row = (name, isOf) => {
    const cells = splits.map((split) =>
      [before, after].map((one) => total((one.counts[split] ?? []).filter(([label]) => isOf(label)))),
    );
    const sums = [0, 1].map((side) => cells.reduce((sum, one) => sum + one[side], 0));
    return { name, cells: [...cells, sums] };
  };
  const rows = [...labels].map((label) => row(label, (other) => other === label));
  const isChanged = ({ cells }) => cells.some(([one, other]) => one !== other);
  const unchanged = rows.filter((one) => !isChanged(one));
  const ordered = [...rows.filter(isChanged), ...unchanged, row("total", () => true)];
  const heads = ["class", ...splits, "total"].map((name) => element("th", { scope: "col" }, name));
  const body = ordered.map(({ name, cells }) =>
    element("tr", {}, element("th", { scope: "row" }, name), ...cells.map(cell)),
  );
  const made = element(
    "table",
    { className: "counts" },
    element("thead", {}, element("tr", {}, ...heads)),
    element("tbody", {}, ...body),
  );
  return element("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: "Counts by class" }, made);
}

function verdict(before, after) {
  const number = Number(before.tag.slice(1));
  if (after.comparable.some(([from, to]) => Number(from.slice(1)) <= number && number <= Number(to.slice(1)))) {
    return ["The two are comparable: no test or validation image of one is in the train set of the other."];
  }
  const strong = element("strong", {}, "The two are not comparable:");
  return [strong, ` ${after.tag} is comparable ${after.comparableInWords}.`];
}

function link(tag) {
  return element("a", { href: `../${tag}/index.html` }, tag);
}

// Show what differs; return it in words.
function show(before, after, area) {
  const change = changeOf(before, after);
  const part = (name) => area.querySelector(name);
  const form = part(".copying");
  const made = change ? sectionsOf(change, area.dataset) : [];
  part("h2").replaceChildren(link(before.tag), " and ", link(after.tag));
  part(".comparable").replaceChildren(...verdict(before, after));
  part(".table").replaceChildren(tableOf(before, after, area.dataset.splits.split(" ")));
  part(".sections").replaceChildren(...made);
  part("datalist").replaceChildren(...after.labels.map((value) => element("option", { value })));
  part(".command code").replaceChildren(`python -m scripts diff ${before.tag} ${after.tag}`);
  form.querySelector("output").textContent = "";
  form.hidden = !made.length;
  for (const list of area.querySelectorAll("[data-copies]")) {
    makeClickable(list, form);
  }
  area.hidden = false;
  if (!change) {
    return "The images of one of the two releases cannot be read, so only the counts are known.";
  }
  return made.length ? inWords(change) : "The images, their classes and their splits are the same.";
}

async function onChoice(form, area) {
  const output = form.querySelector("output");
  const number = (name) => Number(form.elements[name].value.slice(1));
  const [one, other] = [number("before"), number("after")].sort((a, b) => a - b);
  area.hidden = true;
  if (one === other) {
    output.textContent = "Choose two different releases.";
    return;
  }
  const address = `#v${one}-v${other}`;
  history.replaceState(null, "", address);
  try {
    const [before, after] = await Promise.all([load(`v${one}`), load(`v${other}`)]);
    // Unless two others were chosen meanwhile.
    if (location.hash === address) {
      output.textContent = show(before, after, area);
    }
  } catch (error) {
    output.textContent = error.message;
  }
}

// Compare the releases that the address names, such as #v0-v3.
function onAddress(form, area) {
  const [, before, after] = /^#(v[0-9]+)-(v[0-9]+)$/.exec(location.hash) ?? [];
  const has = (name, tag) => [...form.elements[name].options].some((option) => option.value === tag);
  if (has("before", before) && has("after", after)) {
    form.elements.before.value = before;
    form.elements.after.value = after;
    onChoice(form, area);
  }
}

function prepareChoice() {
  const form = document.querySelector("form.choose");
  if (!form) {
    return;
  }
  const area = document.querySelector(".comparison");
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    onChoice(form, area);
  });
  addEventListener("hashchange", () => onAddress(form, area));
  onAddress(form, area);
}

prepareChoice();
