// One picture as large as the window, or pixel by pixel; arrow keys go through the sample's pictures.

class FullSize {
  constructor(dialog) {
    this.dialog = dialog;
    dialog.addEventListener("keydown", (event) => this.key(event));
  }

  open(pictures, number) {
    Object.assign(this, { pictures, number });
    this.draw();
    this.dialog.showModal();
  }

  key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    event.stopPropagation(); // else the sample behind it would turn, too
    if (!step || this.dialog.classList.contains("actual")) return;
    this.number = (this.number + step + this.pictures.length) % this.pictures.length;
    this.draw();
    this.dialog.querySelector("button").focus();
  }

  draw() {
    const picture = this.pictures[this.number];
    const note = make("p", { class: "muted small", role: "status" });
    const image = thumbnail(picture);
    loadFull(image, picture.place, () => Object.assign(note, { textContent: word("full_gone") }));
    if (EMBEDDED) note.textContent = word("no_full_size");
    this.dialog.classList.remove("actual");
    const canvas = make("div", { class: "canvas", tabindex: 0, role: "region", label: "full_size" }, image);
    this.dialog.replaceChildren(this.bar(picture), canvas, note);
  }

  bar(picture) {
    const close = make("button", { type: "button", word: "close" });
    const size = make("button", { type: "button", class: "quiet", word: "actual_size", "aria-pressed": "false" });
    close.addEventListener("click", () => this.dialog.close());
    size.addEventListener("click", () => size.setAttribute("aria-pressed", this.dialog.classList.toggle("actual")));
    const heading = make("h2", { class: "spacer" }, pictureName(picture));
    return make("div", { class: "dialog-bar" }, heading, size, close);
  }
}
