// The samples as `content.py` wrote them, and what is worked out of them once: values, disagreement, failures.

const CONTENT = readBlock("content");
const EMBEDDED = readBlock("embedded");
const SEVERAL = CONTENT.runs.length > 1;

const meanOf = (values) => (values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : undefined);

const scoresOf = (edits, scorer) => edits.flatMap((edit) => edit.scores).filter((score) => score.scorer === scorer);

// The mean of what a scorer gave a run's edits of a sample, over repeats and judge repeats; undefined for nothing.
function valueOf(edits, scorer) {
  const given = scoresOf(edits ?? [], scorer).filter((score) => score.value !== undefined);
  return meanOf(given.map((score) => score.value));
}

// How far the scorers of one run lie apart on a scale of 0 to 1; undefined for fewer than two.
function disagreementOf(values) {
  const shares = values.flatMap((value, scorer) => (value === undefined ? [] : [shareOfScale(value, scorer)]));
  return shares.length > 1 ? Math.max(...shares) - Math.min(...shares) : undefined;
}

function shareOfScale(value, scorer) {
  const [least, best] = CONTENT.scorers[scorer].scale;
  return (value - least) / (best - least);
}

// Every failure of a sample, with the run and, for a score, the scorer it belongs to.
function failuresOf(sample) {
  return sample.runs.flatMap((edits, run) =>
    (edits ?? []).flatMap((edit, repeat) => [
      ...(edit.failure ? [{ ...edit.failure, run, repeat }] : []),
      ...edit.scores.flatMap(({ failure, scorer }) => (failure ? [{ ...failure, run, repeat, scorer }] : [])),
    ]),
  );
}

const largest = (values) => values.reduce((most, value) => (value > (most ?? -Infinity) ? value : most), undefined);

const SAMPLES = CONTENT.samples.map((sample, position) => {
  const byScorer = CONTENT.scorers.map((_, scorer) => sample.runs.map((edits) => valueOf(edits, scorer)));
  return {
    ...sample,
    position,
    byScorer, // [scorer][run]
    disagreement: largest(sample.runs.map((_, run) => disagreementOf(byScorer.map((values) => values[run])))),
    failures: failuresOf(sample),
    searched: `${sample.key}\n${sample.instruction}`.toLowerCase(),
  };
});

const BY_ID = new Map(SAMPLES.map((sample) => [sample.id, sample]));

// The values that the runs have of a scorer.
const valuesOf = (sample, scorer) => (sample.byScorer[scorer] ?? []).filter((value) => value !== undefined);

// The last run's value less the first one's, of those that have one.
function gainOf(sample, scorer) {
  const values = valuesOf(sample, scorer);
  return values.length > 1 ? values.at(-1) - values[0] : undefined;
}

// How far apart the runs lie.
function differenceOf(sample, scorer) {
  const values = valuesOf(sample, scorer);
  return values.length > 1 ? Math.max(...values) - Math.min(...values) : undefined;
}
