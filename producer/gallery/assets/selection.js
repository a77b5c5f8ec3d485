// Which samples are shown, in which order: pure functions of what is chosen.

const WORST_SHOWN = 20;

const EVERYTHING = {
  view: "all", // or `worst`: the lowest values only; or `failures`
  category: "",
  scorer: 0,
  least: "",
  best: "",
  outcome: "", // or `none`: no failure; or a kind of failure
  order: "benchmark",
  search: "",
  difference: "",
};

const inRange = (value, { least, best }) =>
  (least === "" || value >= Number(least)) && (best === "" || value <= Number(best));

function isWanted(sample, chosen) {
  const { category, scorer, outcome, search, difference, least, best } = chosen;
  return (
    (category === "" || sample.category === category) &&
    (search === "" || sample.searched.includes(search.toLowerCase())) &&
    (outcome === "" || endedSo(sample, outcome)) &&
    ((least === "" && best === "") || valuesOf(sample, scorer).some((value) => inRange(value, chosen))) &&
    (difference === "" || differenceOf(sample, scorer) >= Number(difference))
  );
}

function endedSo(sample, outcome) {
  return outcome === "none" ? !sample.failures.length : sample.failures.some(({ kind }) => kind === outcome);
}

const ORDERS = {
  benchmark: () => 0,
  worst: (sample, scorer) => meanOf(valuesOf(sample, scorer)),
  best: (sample, scorer) => negative(meanOf(valuesOf(sample, scorer))),
  disagreement: (sample) => negative(sample.disagreement),
  difference: (sample, scorer) => negative(differenceOf(sample, scorer)),
  gain: (sample, scorer) => negative(gainOf(sample, scorer)),
  loss: (sample, scorer) => gainOf(sample, scorer),
};

const negative = (value) => (value === undefined ? undefined : -value);

// Sort by a number, the smallest first and what has none last; alike, the benchmark's order decides.
function sorted(samples, numberOf) {
  const numbers = new Map(samples.map((sample) => [sample, numberOf(sample) ?? Infinity]));
  const compare = (one, other) => (numbers.get(one) === numbers.get(other) ? 0 : numbers.get(one) - numbers.get(other));
  return [...samples].sort((one, other) => compare(one, other) || one.position - other.position);
}

// Return the samples to show, in their order.
function selectSamples(samples, chosen) {
  const wanted = samples.filter((sample) => isWanted(sample, chosen));
  if (chosen.view === "worst") {
    const scored = wanted.filter((sample) => valuesOf(sample, chosen.scorer).length);
    return sorted(scored, (sample) => ORDERS.worst(sample, chosen.scorer)).slice(0, WORST_SHOWN);
  }
  const inView = chosen.view === "failures" ? wanted.filter((sample) => sample.failures.length) : wanted;
  return sorted(inView, (sample) => ORDERS[chosen.order](sample, chosen.scorer));
}
