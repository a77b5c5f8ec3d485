"""The gallery without a browser: thumbnails, data, charts, the policy. What a browser makes of it: tests/browser."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import Engine

from db.errors import StoreAway
from db.images import FolderStore, digest_of
from db.images.address import open_store
from db.images.remote import RemoteStore
from db.samples import RecordedSample, recorded_samples
from producer.gallery.charts import RUN_COLOURS, WIDTH, comparison_chart, histogram_chart, means_chart
from producer.gallery.harmless import data_block, harmless, harmless_all
from producer.gallery.matching import matched
from producer.gallery.originals import originals_for
from producer.gallery.page import EARLY_SCRIPTS, SCRIPTS, STYLES, tag
from producer.gallery.thumbnails import SIDE_PIXELS, PictureFault, embed_thumbnails, make_thumbnails
from producer.gallery.words import words
from producer.gallery.write import write_gallery
from producer.report.schema import Report
from tests.browser.scene import Edit, Sample, Score, Scorer, enter, picture
from tests.db.shelves import BucketShelf
from tests.s3 import S3Server

ASSETS = Path(__file__).parents[2] / "producer" / "gallery" / "assets"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What a gallery holds does not depend on the database."""
    return sqlite_url


# -- thumbnails --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "small"),
    [((1200, 600), (384, 192)), ((600, 1200), (192, 384)), ((40, 30), (40, 30)), ((5000, 1), (384, 1))],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_thumbnail_keeps_proportions_and_enlarges_nothing(
    tmp_path: Path, images: FolderStore, kind: str, size: tuple[int, int], small: tuple[int, int]
) -> None:
    digest = picture(images, "navy", *size, kind=kind)
    made = make_thumbnails([digest], images, tmp_path / "thumbnails")[digest]

    assert (made.width, made.height) == small
    with Image.open(tmp_path / "thumbnails" / f"{digest}.webp") as thumbnail:
        assert (thumbnail.size, thumbnail.format) == (small, "WEBP")


def test_a_thumbnail_that_is_there_is_not_made_again(tmp_path: Path, images: FolderStore) -> None:
    digest = picture(images, "navy")
    make_thumbnails([digest], images, tmp_path)
    images.path(digest).unlink()

    assert make_thumbnails([digest], images, tmp_path)[digest].fault is None


def test_a_half_written_thumbnail_is_made_again(tmp_path: Path, images: FolderStore) -> None:
    digest = picture(images, "navy")
    (tmp_path / f"{digest}.webp").write_bytes(b"RIFF")

    assert make_thumbnails([digest], images, tmp_path)[digest].width == 64
    assert [path.name for path in tmp_path.glob("*.webp")] == [f"{digest}.webp"]
    assert list(tmp_path.glob(".*")) == []


def test_images_that_are_missing_changed_or_none_are_told_apart(tmp_path: Path, images: FolderStore) -> None:
    none, changed = images.put(b"no image"), picture(images, "navy")
    images.path(changed).write_bytes(b"something else")
    made = make_thumbnails(["0" * 64, none, changed], images, tmp_path / "thumbnails")

    faults = [one.fault for one in made.values()]
    assert faults == [PictureFault.MISSING, PictureFault.DAMAGED, PictureFault.DAMAGED]


def test_many_thumbnails_come_in_the_order_in_which_they_were_asked_for(tmp_path: Path, images: FolderStore) -> None:
    digests = [picture(images, "navy", 10 + number, 10) for number in range(40)]

    made = make_thumbnails([*digests, *digests], images, tmp_path / "thumbnails")
    assert [(digest, one.width) for digest, one in made.items()] == [(d, 10 + n) for n, d in enumerate(digests)]


def test_an_embedded_thumbnail_is_its_own_address(images: FolderStore) -> None:
    digest = picture(images, "navy", 900, 900)
    made = embed_thumbnails([digest], images, SIDE_PIXELS)[digest]

    assert made.uri is not None
    assert base64.b64decode(made.uri.removeprefix("data:image/webp;base64,")).startswith(b"RIFF")


# -- full pictures of a store that is no folder ------------------------------------------------------------------------


@pytest.mark.integration
def test_full_pictures_are_copied_beside_the_page_and_what_is_lost_is_told(
    tmp_path: Path, remote: RemoteStore, s3_server: S3Server
) -> None:
    whole, missing, damaged = (picture(remote, colour) for colour in ("navy", "teal", "red"))
    shelf = BucketShelf(remote, s3_server.client())
    shelf.lose(missing)
    shelf.overwrite(damaged, b"half")

    source, originals = originals_for([whole, missing, damaged], remote, tmp_path)
    made = make_thumbnails([whole, missing, damaged], source, tmp_path / "images")

    assert [made[digest].fault for digest in (whole, missing, damaged)] == [
        None,
        PictureFault.MISSING,
        PictureFault.DAMAGED,
    ]
    assert originals == "originals/"
    copies = [path for path in (tmp_path / "originals").rglob("*") if path.is_file()]
    assert [(path.name, digest_of(path.read_bytes())) for path in copies] == [(whole, whole)]


@pytest.mark.integration
def test_a_page_is_not_written_while_its_store_is_away(
    tmp_path: Path, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    away = open_store(f"s3://{bucket}/p")
    with pytest.raises(StoreAway):
        originals_for([digest_of(b"any")], away, tmp_path)
    with pytest.raises(StoreAway):
        embed_thumbnails([digest_of(b"any")], away, SIDE_PIXELS)


# -- text from outside -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["物理，“引号”　全角", "a\nb\tc", "👩‍👩‍👧 é ﷽ שלום", "\u00a0", "\\x00"])
def test_text_that_does_nothing_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


@pytest.mark.parametrize("code", [0, 8, 0xB, 0x1B, 0x7F, 0x85, 0x9F, 0x2028, 0x202E, 0x2066, 0x2069, 0xD800, 0xDFFF])
def test_characters_that_act_are_written_as_python_writes_them(code: int) -> None:
    assert harmless(f"a{chr(code)}b") == f"a{ascii(chr(code))[1:-1]}b"


def test_names_within_data_are_made_harmless_too() -> None:
    assert harmless_all({"a\x00": ["\u202e", {"b": ("\x1b", 1, None)}]}) == {
        "a\\x00": ["\\u202e", {"b": ["\\x1b", 1, None]}]
    }


@pytest.mark.parametrize("text", ["</script>", "<!--<script>", "\u2028\u2029", "&lt;", '"\\'])
def test_a_data_block_comes_back_and_holds_nothing_that_html_knows(text: str) -> None:
    block = data_block({"text": text})

    assert json.loads(block) == {"text": text}
    assert not set("<>&\u2028\u2029") & set(block)


# -- samples of several runs -------------------------------------------------------------------------------------------


def recorded(engine: Engine, run: str, samples: list[Sample]) -> list[RecordedSample]:
    enter(engine, run * 12, samples, [Scorer("s")])
    return recorded_samples(engine, run * 12)


def test_samples_are_the_same_by_category_key_source_and_instruction(engine: Engine) -> None:
    one, two, edits = "1" * 64, "2" * 64, [Edit()]
    ours = [Sample("same", one, edits), Sample("other source", one, edits), Sample("other words", one, edits)]
    theirs = [
        Sample("other words", one, edits, instruction="else"),
        Sample("other source", two, edits),
        Sample("same", one, edits, category="社会"),
        Sample("same", one, edits, description="described otherwise"),
    ]
    found = matched([recorded(engine, "a", ours), recorded(engine, "b", theirs)])

    both = [sample.sample.key for sample in found if None not in sample.edits_by_run]
    assert (both, len(found), len({sample.id for sample in found})) == (["same"], 6, 6)


def test_samples_with_other_further_sources_are_different_ones(engine: Engine) -> None:
    one, two, three, edits = "1" * 64, "2" * 64, "3" * 64, [Edit()]
    ours = [
        Sample("same", one, edits, more_sources=[two, three]),
        Sample("turned", one, edits, more_sources=[two, three]),
    ]
    theirs = [
        Sample("same", one, edits, more_sources=[two, three]),
        Sample("turned", one, edits, more_sources=[three, two]),
    ]
    found = matched([recorded(engine, "a", ours), recorded(engine, "b", theirs)])

    both = [sample.sample.key for sample in found if None not in sample.edits_by_run]
    assert (both, len(found)) == (["same"], 3)


def test_further_sources_have_their_thumbnails_and_their_places_in_the_data(
    tmp_path: Path, engine: Engine, images: FolderStore
) -> None:
    sources = [picture(images, "navy", 10 + number, 10) for number in range(3)]
    report = enter(engine, "a" * 12, [Sample("k", sources[0], [Edit()], more_sources=sources[1:])], [Scorer("s")])
    text = write_gallery([report], engine, images, tmp_path / "gallery").read_text(encoding="utf-8")

    found = re.search(r'<script type="application/json" id="content">(.*?)</script>', text, flags=re.DOTALL)
    assert found is not None
    content = json.loads(found[1])
    shown = [content["samples"][0]["source"], *content["samples"][0]["more_sources"]]
    assert [content["pictures"][place]["digest"] for place in shown] == sources
    assert {path.stem for path in (tmp_path / "gallery" / "images").iterdir()} == set(sources)


# -- charts ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def report(engine: Engine) -> Report:
    """A run of two categories on a scale of 1 to 5; the second has no score."""
    scores = [1.0, 5.0, 5.0]
    samples = [Sample(f"k-{n}", "1" * 64, [Edit("2" * 64, scores={"s": Score(v)})]) for n, v in enumerate(scores)]
    samples.append(Sample("open", "1" * 64, [Edit()], category="<b>社会</b>" * 20))
    return enter(engine, "a" * 12, samples, [Scorer("s", scale=(1, 5))])


def numbers(svg: str, element: str, name: str) -> list[float]:
    return [float(found) for found in re.findall(rf'<{element} [^>]*{name}="([-\d.]+)"', svg)]


def test_means_stand_where_the_scale_says(report: Report) -> None:
    dimension = report.scorers[0].dimensions[0]
    svg = means_chart([*dimension.categories, dimension.overall], (1, 5))
    first_tick, *_, last_tick = numbers(svg, 'line class="grid"', "x1")

    share = (11 / 3 - 1) / 4
    assert numbers(svg, "circle", "cx") == [pytest.approx(first_tick + share * (last_tick - first_tick), abs=0.02)] * 2
    assert svg.count(">–<") == 1
    assert "<b>" not in svg


def test_a_histogram_has_a_bar_for_each_part_and_the_highest_count(report: Report) -> None:
    svg = histogram_chart(report.scorers[0].dimensions[0].histogram, (1, 5))
    heights = numbers(svg, "rect", "height")

    assert (len(heights), heights[0] * 2, sum(heights[1:-1])) == (20, heights[-1], 0)
    assert '<text class="count"' in svg
    assert ">2</text>" in svg


def test_an_empty_histogram_is_drawn() -> None:
    assert "count" not in histogram_chart([0] * 20, (0, 10))


def test_runs_beside_each_other_have_their_colours(report: Report) -> None:
    figures = report.scorers[0].dimensions[0].overall
    svg = comparison_chart([[(0, figures), (1, figures), (RUN_COLOURS, figures)]], (1, 5))

    assert re.findall(r'class="bar (run-\d)"', svg) == ["run-0", "run-1", "run-0"]


def test_nothing_is_drawn_beyond_the_edge(report: Report) -> None:
    dimension = report.scorers[0].dimensions[0]
    beyond = dimension.overall.model_copy(update={"mean": 99.0})

    assert max(numbers(means_chart([beyond], (1, 5)), "circle", "cx")) < WIDTH


# -- the page ----------------------------------------------------------------------------------------------------------


def test_the_policy_holds_the_digest_of_every_script_and_style(
    tmp_path: Path, engine: Engine, images: FolderStore, report: Report
) -> None:
    text = write_gallery([report], engine, images, tmp_path / "gallery").read_text(encoding="utf-8")
    found = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert found is not None
    policy = html.unescape(found[1])

    inline = re.findall(r"<(script|style)(?: type=\"module\")?>(.*?)</\1>", text, flags=re.DOTALL)
    assert [kind for kind, _ in inline] == ["style", "script", "script"]
    for _, content in inline:
        assert f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'" in policy
    for rule in ("default-src 'none'", "base-uri 'none'", "form-action 'none'"):
        assert rule in policy
    assert "unsafe" not in policy


def test_the_page_names_no_place_of_this_machine(
    tmp_path: Path, engine: Engine, images: FolderStore, report: Report
) -> None:
    text = write_gallery([report], engine, images, tmp_path / "gallery").read_text(encoding="utf-8")

    assert str(tmp_path) not in text
    assert '"originals":"../images/"' in text
    assert re.findall(r"https?://|style=|\son\w+=", re.sub(r"<(script|style).*?</\1>", "", text, flags=re.DOTALL)) == []


def test_every_asset_is_used() -> None:
    listed = {f"{name}.css" for name in STYLES} | {f"{name}.js" for name in (*EARLY_SCRIPTS, *SCRIPTS)}

    assert {path.name for path in ASSETS.iterdir() if path.suffix in (".css", ".js")} == listed


def test_every_word_is_there_in_both_languages_and_has_a_use() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in ASSETS.iterdir() if path.suffix in (".js", ".j2"))
    sources += (ASSETS.parent / "charts.py").read_text(encoding="utf-8")
    made_up = ("kind_", "count_", "view_", "order_", "image_")  # from a name and what stands before it

    for name, languages in words().items():
        assert set(languages) == {"en", "zh"}, name
        values = [set(re.findall(r"\{\w+\}", text)) for text in languages.values()]
        assert values[0] == values[1], name
        assert name.startswith(made_up) or f'"{name}"' in sources, name


def test_scripts_never_write_markup() -> None:
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|setTimeout\(\s*[\"'`]"

    for path in ASSETS.glob("*.js"):
        assert re.findall(forbidden, path.read_text(encoding="utf-8")) == [], path.name


def test_runs_are_called_by_letters_while_there_are_some() -> None:
    assert [tag(0), tag(25), tag(26)] == ["A", "Z", "27"]
