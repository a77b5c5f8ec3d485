// Puts the page together: views, toolbar, cards, the sample's view, and what the address asks for.

const $ = (id) => document.getElementById(id);

const begins = SAMPLES.length > WORST_SHOWN && CONTENT.scorers.length ? { view: "worst", order: "worst" } : {};
const chosen = { ...EVERYTHING, ...begins };

let listed = [];
const cards = new CardList($("cards"), $("more"));
const view = new SampleView($("sample"), new FullSize($("fullsize")), () => listed);

function refresh() {
  listed = selectSamples(SAMPLES, chosen);
  cards.show(listed, chosen.scorer);
  const values = { shown: listed.length.toLocaleString(), all: SAMPLES.length.toLocaleString() };
  $("count").replaceChildren(make("span", { word: "count", values }));
  for (const button of $("views").children) {
    button.setAttribute("aria-pressed", String(button.dataset.view === chosen.view));
  }
  $("toolbar").querySelector("[data-field=order]").value = chosen.order;
}

// -- views: the worst, all, the failures -------------------------------------------------------------------------------

function viewButton(name, count) {
  const values = { n: count.toLocaleString() };
  const button = make("button", { type: "button", "data-view": name, word: `view_${name}`, values });
  button.addEventListener("click", () => {
    Object.assign(chosen, { view: name, order: name === "worst" ? "worst" : "benchmark" });
    refresh();
  });
  return button;
}

function drawViews() {
  const failures = SAMPLES.filter((sample) => sample.failures.length).length;
  if (CONTENT.scorers.length) $("views").append(viewButton("worst", Math.min(WORST_SHOWN, SAMPLES.length)));
  $("views").append(viewButton("all", SAMPLES.length), viewButton("failures", failures));
}

// -- toolbar: search, filters, order -----------------------------------------------------------------------------------

const KEEPS_THE_WORST = ["category", "scorer"]; // what else is chosen goes on to all samples

// Let a field of the toolbar choose.
function choosing(field, name) {
  field.dataset.field = name;
  field.addEventListener("input", () => {
    chosen[name] = name === "scorer" ? Number(field.value) : field.value;
    if (chosen.view === "worst" && !KEEPS_THE_WORST.includes(name)) chosen.view = "all";
    refresh();
  });
  return field;
}

const option = (value, name) => make("option", { value, word: name });

const named = (value, text) => make("option", { value, text }); // as the benchmark or the run calls it

function categoryField() {
  const options = CONTENT.categories.map(({ name }) => named(name, name));
  return choosing(make("select", {}, option("", "all_categories"), options), "category");
}

function outcomeField() {
  const kinds = [...new Set(SAMPLES.flatMap((sample) => sample.failures.map(({ kind }) => kind)))].sort();
  const known = (kind) => `kind_${kind}` in WORDS;
  const options = kinds.map((kind) => (known(kind) ? option(kind, `kind_${kind}`) : named(kind, kind)));
  return choosing(make("select", {}, option("", "any_outcome"), option("none", "no_failure"), options), "outcome");
}

function orderField() {
  const names = ["benchmark", "worst", "best", ...(CONTENT.scorers.length > 1 ? ["disagreement"] : [])];
  if (SEVERAL) names.push("difference", "gain", "loss");
  return choosing(make("select", {}, names.map((name) => option(name, `order_${name}`))), "order");
}

function scorerField() {
  const options = CONTENT.scorers.map(({ label }, number) => named(number, label));
  return choosing(make("select", {}, options), "scorer");
}

const numberField = (name) => choosing(make("input", { type: "number", step: "any", inputmode: "decimal" }), name);

function drawToolbar() {
  const search = make("input", { type: "search", "data-hint": "search", placeholder: word("search"), label: "search" });
  $("toolbar").append(
    choosing(search, "search"),
    labelled("category", categoryField()),
    ...(CONTENT.scorers.length ? [labelled("scorer", scorerField())] : []),
    labelled("at_least", numberField("least")),
    labelled("at_most", numberField("best")),
    ...(SEVERAL ? [labelled("difference_at_least", numberField("difference"))] : []),
    labelled("outcome", outcomeField()),
    labelled("order", orderField()),
  );
}

// -- the page ----------------------------------------------------------------------------------------------------------

$("language").addEventListener("click", switchLanguage);
$("theme").addEventListener("click", switchTheme);
drawViews();
drawToolbar();
translate(document);
refresh();
view.follow();
