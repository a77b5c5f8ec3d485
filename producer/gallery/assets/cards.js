// The cards: one per sample, a page of them at a time.

const PAGE = 48;

const linkTo = (sample) => `#sample-${sample.id}`;

// A sample in small: its pictures, instruction and scores; one with a failure says why.
function card(sample, scorer) {
  const failed = sample.failures.length > 0;
  return make(
    "li",
    { class: failed ? "card failed" : "card", "data-sample": sample.id },
    cardPictures(sample),
    make(
      "div",
      { class: "card-text" },
      make("p", { class: "eyebrow" }, categoryName(sample.category)),
      make("h3", {}, make("a", { href: linkTo(sample), dir: "auto" }, isolated(sample.key))),
      make("p", { class: "instruction", dir: "auto", text: sample.instruction }),
      cardScores(sample, scorer),
      sample.failures.slice(0, 2).map(failureNote),
      sample.failures.length > 2 && make("p", { class: "muted small", text: `+${sample.failures.length - 2}` }),
    ),
  );
}

// The first source, with how many more there are, and what became of it in each run.
function cardPictures(sample) {
  const [first] = sourcesOf(sample);
  const edited = picturesOf(sample, 0).filter(({ name }) => name === "edited");
  return make(
    "div",
    { class: "card-pictures" },
    make("div", { class: "card-picture" }, thumbnail(first), moreSources(sample)),
    edited.map((one) => make("div", { class: "card-picture" }, thumbnail(one), runTag(one.run))),
  );
}

function moreSources({ more_sources: more }) {
  if (!more) return undefined;
  const n = more.length;
  return make("span", { class: "more-sources", role: "img", label: "more_sources", values: { n }, text: `+${n}` });
}

// Each scorer's values, the chosen one first; a mark where a person had something done again.
function cardScores(sample, chosen) {
  const order = [chosen, ...CONTENT.scorers.keys()].filter((scorer, place, all) => all.indexOf(scorer) === place);
  const chips = order.filter((scorer) => CONTENT.scorers[scorer]).map((scorer) => scoreChip(sample, scorer));
  const outcomes = sample.runs.flatMap((edits) => edits ?? []).flatMap((edit) => [edit, ...edit.scores]);
  const retried = outcomes.some((outcome) => outcome.retried);
  return make("ul", { class: "chips" }, chips, retried && make("li", { class: "retried", word: "retried" }));
}

function scoreChip(sample, scorer) {
  const values = sample.byScorer[scorer];
  const gain = gainOf(sample, scorer);
  const number = (value) => make("b", { text: shortNumber(value) });
  const shown = values.map((value, run) => make("span", { class: "number" }, runTag(run), number(value)));
  const share = shareOfScale(meanOf(valuesOf(sample, scorer)) ?? CONTENT.scorers[scorer].scale[0], scorer);
  const name = isolated(CONTENT.scorers[scorer].label);
  const chip = make("li", { class: "chip" }, name, shown, SEVERAL && gainMark(gain));
  chip.style.setProperty("--share", share);
  return chip;
}

function gainMark(gain) {
  if (gain === undefined) return undefined;
  const direction = ["loss", "even", "gain"][Math.sign(roundedOff(gain)) + 1];
  return make("span", { class: `difference ${direction}`, text: signed(gain) });
}

// One failure: what failed, why, and what was said.
function failureNote({ kind, reason, run, scorer }) {
  const what = scorer === undefined ? "edit_failed" : "score_failed";
  const known = `kind_${kind}` in WORDS;
  return make(
    "div",
    { class: "failure" },
    make(
      "p",
      { class: "failure-head" },
      runTag(run),
      make("b", { word: what }),
      scorer !== undefined && isolated(CONTENT.scorers[scorer].label),
      known ? make("span", { class: "kind", word: `kind_${kind}` }) : make("span", { class: "kind" }, isolated(kind)),
    ),
    make("p", { class: "reason", dir: "auto", text: reason }),
  );
}

// A list of cards that grows when its end comes near.
class CardList {
  constructor(list, more) {
    Object.assign(this, { list, more, samples: [], shown: 0, scorer: 0 });
    more.addEventListener("click", () => this.grow());
    new IntersectionObserver((seen) => seen[0].isIntersecting && this.grow(), { rootMargin: "800px" }).observe(more);
  }

  show(samples, scorer) {
    Object.assign(this, { samples, scorer, shown: 0 });
    this.list.replaceChildren();
    if (!samples.length) this.list.append(make("li", { class: "nothing muted", word: "nothing_found" }));
    this.grow();
  }

  grow() {
    const next = this.samples.slice(this.shown, this.shown + PAGE);
    this.list.append(...next.map((sample) => card(sample, this.scorer)));
    this.shown += next.length;
    this.more.hidden = this.shown >= this.samples.length;
  }
}
