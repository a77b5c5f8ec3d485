// A sample as a page of its own, over the gallery: its pictures under a slider, and all that was said of it.

class SampleView {
  constructor(dialog, fullSize, listed) {
    Object.assign(this, { dialog, fullSize, listed, sample: null, repeat: 0 }); // `listed` returns the samples shown
    dialog.addEventListener("close", () => this.closed());
    dialog.addEventListener("keydown", (event) => this.key(event));
    window.addEventListener("hashchange", () => this.follow());
  }

  // Show the sample that the address names, if it names one.
  follow() {
    const sample = BY_ID.get(location.hash.replace(/^#sample-/, ""));
    if (sample) this.show(sample);
    else if (this.dialog.open) this.dialog.close();
  }

  show(sample, { repeat = 0, focus = "h2" } = {}) {
    Object.assign(this, { sample, repeat });
    this.draw();
    if (!this.dialog.open) this.dialog.showModal();
    this.dialog.querySelector(focus)?.focus();
    this.dialog.scrollTop = 0;
  }

  // The samples that left and right go through: those listed, or all where this one is not among them.
  neighbours() {
    const listed = this.listed();
    return listed.includes(this.sample) ? listed : SAMPLES;
  }

  turn(step, focus = "h2") {
    const samples = this.neighbours();
    const next = samples[samples.indexOf(this.sample) + step];
    if (!next) return;
    history.replaceState(null, "", linkTo(next));
    this.show(next, { focus });
  }

  key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const moves = event.target.closest("input, select, pre"); // arrows are theirs
    if (step && !moves && !event.altKey && !event.ctrlKey && !event.metaKey) this.turn(step);
  }

  closed() {
    history.replaceState(null, "", location.pathname + location.search);
    document.querySelector(`[data-sample="${this.sample.id}"] a`)?.focus();
  }

  draw() {
    const said = make("div", { class: "sample-said" }, this.instruction(), this.editFailures(), this.verdicts());
    const seen = make("div", { class: "sample-seen" }, this.repeats(), this.comparison(), this.strip());
    this.dialog.replaceChildren(this.bar(), make("div", { class: "sample-body" }, seen, said));
  }

  bar() {
    const samples = this.neighbours();
    const place = samples.indexOf(this.sample);
    const turner = (name, sign, step) => {
      const at = { type: "button", class: `quiet ${name}`, label: name, text: sign, disabled: !samples[place + step] };
      const button = make("button", at);
      button.addEventListener("click", () => this.turn(step, `button.${name}:enabled, h2`));
      return button;
    };
    const close = make("button", { type: "button", word: "close" });
    close.addEventListener("click", () => this.dialog.close());
    return make(
      "div",
      { class: "dialog-bar" },
      make(
        "div",
        { class: "sample-name" },
        make("p", { class: "eyebrow" }, categoryName(this.sample.category)),
        make("h2", { id: "sample-title", tabindex: -1 }, isolated(this.sample.key)),
      ),
      make("a", { class: "quiet link", href: linkTo(this.sample), label: "link", text: "#" }),
      make("span", { class: "muted small place", word: "place", values: { place: place + 1, all: samples.length } }),
      turner("previous", "←", -1),
      turner("next", "→", 1),
      close,
    );
  }

  instruction() {
    const { instruction, description } = this.sample;
    return make(
      "section",
      { class: "asked" },
      make("h3", { word: "instruction" }),
      make("p", { class: "instruction", dir: "auto", text: instruction }),
      description && make("h3", { word: "description" }),
      description && make("p", { class: "description", dir: "auto", text: description }),
    );
  }

  // What ended an edit without an image, or made it be done again.
  editFailures() {
    return this.sample.runs.flatMap((edits, run) => {
      const edit = edits?.[this.repeat];
      return [
        edit?.failure && fullFailure({ ...edit.failure, run }),
        edit?.retried && make("p", {}, runTag(run), make("span", { class: "retried", word: "retried" })),
        isOpen(edit) && make("p", { class: "said-head muted" }, runTag(run), make("span", { word: "pending" })),
      ];
    });
  }

  verdicts() {
    return CONTENT.scorers.map((_, scorer) => verdict(this.sample, scorer, this.repeat));
  }

  // A choice of the repeats, where there are several.
  repeats() {
    const count = Math.max(...this.sample.runs.map((edits) => edits?.length ?? 0));
    if (count < 2) return undefined;
    const buttons = [...Array(count).keys()].map((repeat) => {
      const pressed = String(repeat === this.repeat);
      const at = { type: "button", class: `repeat-${repeat}`, "aria-pressed": pressed, text: repeat + 1 };
      const button = make("button", at);
      button.addEventListener("click", () => this.show(this.sample, { repeat, focus: `.repeat-${repeat}` }));
      return button;
    });
    const name = make("span", { word: "repeat" });
    return make("div", { class: "views", role: "group", label: "repeat" }, name, buttons);
  }

  // The slider, with what lies left and right to choose where there are more than two pictures.
  comparison() {
    const pictures = picturesOf(this.sample, this.repeat);
    const sides = { left: 0, right: pictures.findIndex(({ name }) => name === "edited") };
    const place = make("div", {}, slider(pictures[sides.left], pictures[sides.right]));
    const redraw = () => place.replaceChildren(slider(pictures[sides.left], pictures[sides.right]));
    if (pictures.length < 3) return place;
    const choice = (side) => {
      const field = make("select", { class: side });
      field.append(...pictures.map((picture, number) => pictureOption(picture, number, number === sides[side])));
      field.addEventListener("change", () => redraw((sides[side] = Number(field.value))));
      return labelled(side, field);
    };
    return make("div", {}, place, make("div", { class: "sides" }, choice("left"), choice("right")));
  }

  // Every picture in small; each opens at full size.
  strip() {
    const pictures = picturesOf(this.sample, this.repeat);
    const there = pictures.filter(({ place }) => thumbnailUrl(place));
    const figures = pictures.map((picture) => {
      const open = make("button", { type: "button", class: "picture", word: "full_size" });
      open.addEventListener("click", () => this.fullSize.open(there, there.indexOf(picture)));
      const caption = make("figcaption", {}, pictureName(picture), there.includes(picture) && open);
      return make("figure", {}, thumbnail(picture), caption);
    });
    return make("div", { class: "strip" }, figures);
  }
}

const isOpen = (edit) => edit && !edit.failure && edit.image === undefined;

function pictureOption({ name, values, run }, number, selected) {
  const text = `${SEVERAL && run !== undefined ? `${tagOf(run)} ` : ""}${word(name, values)}`;
  return make("option", { value: number, selected, text });
}
