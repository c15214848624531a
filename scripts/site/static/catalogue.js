// Convenience only: the catalogue says everything without this script.
"use strict";

const FORMULA = /^[=+\-@]+/;

function quoted(value) {
  return /[",]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

// Return the row of curation.csv for a sample, or an error.
function rowOf(item, form) {
  const sample = item.querySelector("span").textContent;
  const list = item.parentElement;
  const label = item.dataset.label ?? ("unknown" in list.dataset ? "" : item.querySelector("b").textContent);
  const action = form.elements.action.value;
  const newLabel = form.elements.new_label.value.trim() || (item.dataset.suggested ?? "");
  const reason = (form.elements.reason.value.trim() || (item.dataset.reason ?? "")).replace(FORMULA, "");
  if (sample.startsWith("x")) {
    return { error: `${sample} is an addition: move or remove its file below additions/.` };
  }
  if (action === "relabel" && !newLabel) {
    return { error: "Give the new label first." };
  }
  const values = [sample, action, label, action === "relabel" ? newLabel : "", reason];
  return { row: values.map(quoted).join(",") };
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

async function onClick(button, form) {
  const output = form.querySelector("output");
  const { row, error } = rowOf(button.parentElement, form);
  if (error) {
    output.textContent = error;
    return;
  }
  output.textContent = (await copy(row)) ? `Copied: ${row}` : `Copy this: ${row}`;
  button.classList.add("copied");
}

// One image of a list can be reached with Tab; the arrow keys lead to the others.
function onKey(event, list) {
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columnsOf(list), ArrowUp: -columnsOf(list) };
  const buttons = [...list.querySelectorAll("li:not([hidden]) > button")];
  const here = buttons.indexOf(event.target);
  const next = buttons[here + steps[event.key]];
  if (here < 0 || !next) {
    return;
  }
  event.preventDefault();
  event.target.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}

function columnsOf(list) {
  return getComputedStyle(list).gridTemplateColumns.split(" ").length;
}

function makeClickable(list, form) {
  for (const item of list.children) {
    const button = document.createElement("button");
    button.type = "button";
    button.tabIndex = item === list.firstElementChild ? 0 : -1;
    // A table stays beside the button, so that its text can be selected.
    button.append(...[...item.childNodes].filter((node) => node.nodeName !== "TABLE"));
    item.prepend(button);
  }
  list.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) {
      onClick(button, form);
    }
  });
  list.addEventListener("keydown", (event) => onKey(event, list));
}

function prepareCopying() {
  const form = document.querySelector("form.copying");
  if (!form) {
    return;
  }
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const list of document.querySelectorAll("[data-copies]")) {
    makeClickable(list, form);
  }
}

function filter(list, form) {
  const chosen = [...form.querySelectorAll("select")].map((select) => select.value);
  for (const item of list.children) {
    const values = item.dataset.values.split(" ");
    item.hidden = chosen.some((value, number) => value && value !== values[number]);
  }
  const shown = [...list.children].filter((item) => !item.hidden);
  form.querySelector("output").textContent = `${shown.length} of ${list.children.length} images of this page`;
  // One that is shown can be reached with Tab.
  const buttons = shown.map((item) => item.querySelector("button"));
  const first = buttons.find((button) => button.tabIndex === 0) ?? buttons[0];
  for (const button of list.querySelectorAll("button")) {
    button.tabIndex = button === first ? 0 : -1;
  }
}

function prepareFilter() {
  const form = document.querySelector("form.filter");
  if (!form) {
    return;
  }
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", () => filter(document.querySelector(".grid"), form));
}

// The newest releases are at the end of the chart.
for (const chart of document.querySelectorAll(".chart.wide")) {
  chart.parentElement.scrollLeft = chart.parentElement.scrollWidth;
}
prepareCopying();
prepareFilter();
