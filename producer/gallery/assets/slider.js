// Two pictures on top of each other, parted by a line that is moved by mouse, finger or arrow keys.

// Make the slider for two pictures of `picturesOf`; where one has no image, the two stand side by side.
function slider(left, right) {
  const stage = make("div", { class: "stage" });
  const [under, over] = [stagePicture(right, "under"), stagePicture(left, "over")];
  stage.append(under, over);
  if (!thumbnailUrl(left.place) || !thumbnailUrl(right.place)) {
    stage.classList.add("apart");
    return stage;
  }
  const { width, height } = CONTENT.pictures[right.place];
  stage.style.setProperty("--ratio", width / height);
  const range = make("input", { type: "range", min: 0, max: 100, value: 50, step: 1, label: "slider" });
  const move = () => stage.style.setProperty("--cut", `${range.value}%`);
  range.addEventListener("input", move);
  move();
  stage.append(make("span", { class: "line", "aria-hidden": "true" }), ...corners(left, right), range);
  return stage;
}

function stagePicture(picture, layer) {
  const shown = make("div", { class: `layer ${layer}` }, thumbnail(picture));
  const image = shown.querySelector("img");
  if (image) {
    image.loading = "eager";
    loadFull(image, picture.place);
  }
  return shown;
}

const corners = (left, right) => [
  make("span", { class: "corner corner-left", "aria-hidden": "true" }, pictureName(left)),
  make("span", { class: "corner corner-right", "aria-hidden": "true" }, pictureName(right)),
];
