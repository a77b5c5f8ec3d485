// The page's own words in the chosen language. An element names its word; changing the language goes over all of them.

const readBlock = (id) => JSON.parse(document.getElementById(id)?.textContent ?? "null");

const WORDS = readBlock("words");

const language = () => (document.documentElement.lang === "en" ? "en" : "zh");

// Fill a word's {name}s with values.
function word(name, values = {}) {
  return WORDS[name][language()].replace(/\{(\w+)\}/g, (_, value) => values[value]);
}

// The word that an element names as its text, its label or its alt, with the values that it holds.
const filled = ({ dataset }, as) => word(dataset[as], JSON.parse(dataset.values ?? "{}"));

// Write every word within an element in the chosen language.
function translate(within) {
  for (const element of within.querySelectorAll("[data-word]")) element.textContent = filled(element, "word");
  for (const element of within.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", filled(element, "label"));
  }
  for (const image of within.querySelectorAll("img[data-alt]")) image.alt = filled(image, "alt");
  for (const field of within.querySelectorAll("[data-hint]")) field.placeholder = word(field.dataset.hint);
}

function keep(name, value) {
  try {
    localStorage.setItem(`editfarm-${name}`, value);
  } catch {
    // it holds until the page is closed
  }
}

function switchLanguage() {
  const next = language() === "en" ? "zh" : "en";
  document.documentElement.lang = next === "zh" ? "zh-Hans" : "en";
  keep("language", next);
  translate(document);
}

function switchTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  keep("theme", root.dataset.theme);
}
