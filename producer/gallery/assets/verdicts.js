// What every scorer said of a sample: the score and each dimension of each run, the reasoning, the failures.

// One scorer's part of the sample's page, for one repeat.
function verdict(sample, scorer, repeat) {
  const { label, scale } = CONTENT.scorers[scorer];
  const [least, best] = scale;
  const edits = sample.runs.map((of) => of?.[repeat]);
  return make(
    "section",
    { class: "verdict" },
    make("h3", {}, isolated(label), make("span", { class: "muted small", word: "scale", values: { least, best } })),
    scoreTable(edits, scorer),
    edits.map((edit, run) => edit && allSaid(scoresOf([edit], scorer), run)),
  );
}

const allSaid = (scores, run) => scores.map((score) => saidOf(score, run, scores.length > 1));

// A row per dimension, a column per run, and the difference of the last run to the first.
function scoreTable(edits, scorer) {
  const scores = edits.map((edit) => (edit ? scoresOf([edit], scorer) : []));
  const names = new Set(scores.flat().flatMap((score) => Object.keys(score.criteria ?? {})));
  const overall = scores.map((given) => meanOf(given.flatMap(({ value }) => value ?? [])));
  const rows = [scoreRow(make("span", { word: "overall" }), overall, scorer)];
  for (const name of names) {
    const values = scores.map((given) => meanOf(given.flatMap(({ criteria }) => ownNumber(criteria, name))));
    rows.push(scoreRow(isolated(name), values, scorer));
  }
  const table = make("table", { class: "scores" }, SEVERAL && scoreHead(), make("tbody", {}, rows));
  const name = CONTENT.scorers[scorer].label;
  return make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": name }, table);
}

// A criterion may bear any name, `constructor` too.
const ownNumber = (criteria, name) => (criteria && Object.hasOwn(criteria, name) ? criteria[name] : []);

function scoreHead() {
  const runs = CONTENT.runs.map((_, run) => make("th", { scope: "col" }, runTag(run)));
  const [first, last] = ["dimension", "difference"].map((name) => make("th", { scope: "col", word: name }));
  return make("thead", {}, make("tr", {}, first, runs, last));
}

function scoreRow(name, values, scorer) {
  const cells = values.map((value, run) => {
    const cell = make("td", {}, make("span", { class: `bar-cell run-${run % 6}`, text: shortNumber(value) }));
    cell.firstChild.style.setProperty("--share", value === undefined ? 0 : shareOfScale(value, scorer));
    return cell;
  });
  const [first, last] = [values[0], values.at(-1)];
  const gain = first === undefined || last === undefined ? undefined : last - first;
  return make("tr", {}, make("th", { scope: "row" }, name), cells, SEVERAL && make("td", {}, gainMark(gain) ?? "–"));
}

// What one score came with: reasoning or failure; `several` where the judge was asked more than once.
function saidOf(score, run, several) {
  const says = score.reasoning || score.failure || score.retried || several || score.value === undefined;
  if (!says) return undefined;
  const seconds = score.seconds?.toFixed(1);
  const marks = [
    !score.failure && runTag(run), // a failure bears its own
    several && score.value !== undefined && make("b", { text: shortNumber(score.value) }),
    seconds && make("span", { class: "muted small", word: "took", values: { seconds } }),
    score.retried && make("span", { class: "retried", word: "retried" }),
    ["queued", "running", "cancelled"].includes(score.state) && make("span", { class: "muted", word: "pending" }),
  ].filter(Boolean);
  return make(
    "div",
    { class: "said" },
    marks.length > 0 && make("p", { class: "said-head" }, marks),
    score.reasoning && make("blockquote", { class: "reasoning", dir: "auto", text: score.reasoning }),
    score.failure && fullFailure({ ...score.failure, run, scorer: score.scorer }),
  );
}

// A failure with all that the judge had replied.
function fullFailure(failure) {
  const note = failureNote(failure);
  if (failure.reply) {
    const reply = make("pre", { dir: "auto", text: failure.reply, tabindex: 0, role: "region", label: "reply" });
    note.append(make("details", {}, make("summary", { word: "reply" }), reply));
  }
  return note;
}
