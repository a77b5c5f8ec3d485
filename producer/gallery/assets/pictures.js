// Pictures: their thumbnails, their full sizes, and what stands where there is none.

// Where a picture's thumbnail is; undefined where there is none.
function thumbnailUrl(place) {
  const picture = CONTENT.pictures[place];
  if (!picture || picture.fault) return undefined;
  return EMBEDDED ? EMBEDDED[place] : `images/${picture.digest}.webp`;
}

// Where the full image is, should it still be there; undefined in a single file.
function fullUrl(place) {
  const picture = CONTENT.pictures[place];
  if (CONTENT.originals === null || !picture || picture.fault) return undefined;
  return `${CONTENT.originals}${picture.digest.slice(0, 2)}/${picture.digest}`;
}

// The picture in an element, or a few words in its place. `name`, with its `values`, is the word for what it shows.
function thumbnail({ place, name, values }) {
  const picture = CONTENT.pictures[place];
  if (!picture) return make("span", { class: "no-picture", word: "no_image" });
  if (picture.fault) return make("span", { class: "no-picture", word: `image_${picture.fault}` });
  const { width, height } = picture;
  const said = { alt: word(name, values), "data-alt": name, values };
  const image = make("img", { loading: "lazy", decoding: "async", width, height, ...said });
  const gone = () => image.replaceWith(make("span", { class: "no-picture", word: "image_missing" }));
  image.addEventListener("error", gone);
  image.src = thumbnailUrl(place);
  return image;
}

// Show the full image in place of the thumbnail once it is loaded; `gone` is called where it cannot be.
function loadFull(image, place, gone = () => {}) {
  const url = fullUrl(place);
  if (!url) return;
  const full = new Image();
  full.onload = () => (image.src = url);
  full.onerror = gone;
  full.src = url;
}

// A sample's source images, numbered where there are several.
function sourcesOf(sample) {
  const places = [sample.source, ...(sample.more_sources ?? [])];
  if (places.length === 1) return [{ name: "source", place: sample.source }];
  return places.map((place, number) => ({ name: "source_number", values: { n: number + 1 }, place }));
}

// All pictures of a sample for one repeat: what each is called, where it is, and of which run it is.
function picturesOf(sample, repeat) {
  const given = sourcesOf(sample);
  if (sample.reference !== undefined) given.push({ name: "reference", place: sample.reference });
  const edited = sample.runs.map((edits, run) => edits && { name: "edited", place: edits[repeat]?.image, run });
  return [...given, ...edited.filter(Boolean)];
}

// What a picture is called, with its run among several.
function pictureName({ name, values, run }) {
  return make("span", {}, run !== undefined && runTag(run), " ", make("span", { word: name, values }));
}
