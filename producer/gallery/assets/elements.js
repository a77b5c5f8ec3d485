// Makes elements. Text goes in as text and never as markup, whatever it says.

// Make an element: `text` or `word` is its text, `label` its accessible name, both filled with `values`; the rest are
// attributes.
function make(tag, given = {}, ...children) {
  const element = document.createElement(tag);
  const { text, word: name, values, label, ...attributes } = given;
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(attribute, value === true ? "" : value);
  }
  if (text !== undefined) element.textContent = text;
  if (name) Object.assign(element, { textContent: word(name, values) }).dataset.word = name;
  if (values) element.dataset.values = JSON.stringify(values);
  if (label) element.dataset.label = label;
  if (label) element.setAttribute("aria-label", word(label, values));
  element.append(...children.flat(Infinity).filter(Boolean));
  return element;
}

// Text from outside, whose direction of writing stays its own.
const isolated = (text) => make("bdi", { text });

// A category: its own name, and the English one beside it where it has one.
function categoryName(name) {
  const alias = CONTENT.categories.find((category) => category.name === name)?.alias;
  return make("span", {}, isolated(name), alias && make("span", { class: "alias", text: ` ${alias}` }));
}

// The letter of a run among several; nothing for the only one.
function runTag(run) {
  return SEVERAL && make("span", { class: `run-tag run-${run % 6}`, text: tagOf(run) });
}

const tagOf = (run) => (run < 26 ? String.fromCharCode(65 + run) : String(run + 1));

// A choice with a visible label.
function labelled(name, field) {
  return make("label", { class: "field" }, make("span", { word: name }), field);
}

const shortNumber = (value) => (value === undefined ? "–" : roundedOff(value).toFixed(2));

// A difference; one that is written as nothing has no direction.
const signed = (value) => `${"−±+"[Math.sign(roundedOff(value)) + 1]}${Math.abs(value).toFixed(2)}`;

const roundedOff = (value) => Number(value.toFixed(2));
