"""The page as text: what it holds, and what its policy lets it do. What a browser makes of it: tests/browser."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from pathlib import Path

from sqlalchemy import Engine

from db.images import FolderStore
from producer.gallery.page import EARLY_SCRIPTS, SCRIPTS, STYLES, tag
from producer.gallery.words import words
from producer.gallery.write import write_gallery
from producer.report.schema import Report
from tests.browser.scene import Edit, Sample, Scorer, enter, picture

ASSETS = Path(__file__).parents[3] / "producer" / "gallery" / "assets"


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
