"""Whether an archive is whole and means a run that the ledger can hold."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Annotated, BinaryIO

from pydantic import Field

from db.images import digest_of
from db.intake import ContentDigest
from db.moving.records import Count, Digest, MovedEdit, MovedRun, MovedSample, Record
from db.tables import State
from producer.benchmark.seen_keys import SeenKeys
from producer.moving import EDITS, FORMAT, IMAGES, RUN, SAMPLES, SUMS
from producer.moving.archive import ArchiveInvalid, Member, members
from producer.moving.outgoing import Counts
from producer.moving.rows import digest, name_of, parse, read, rows_of

_ORDER = (RUN, SAMPLES, EDITS, IMAGES, SUMS)
_SEVERAL = (SAMPLES, EDITS, IMAGES)
_ENDED = (State.DONE, State.FAILED)


class _Head(Record):
    format: str
    editfarm: str
    schema_: Annotated[str, Field(alias="schema")]
    run: MovedRun


class _Sums(Record):
    class Counted(Record):
        samples: Count
        edits: Count
        scores: Count
        images: Count

    members: dict[str, Digest]
    counts: Counted


@dataclass
class Checked:
    """What an archive holds; its edits by their places, and the images that are named and did not come yet."""

    run: MovedRun
    counts: Counts = field(default_factory=Counts)
    unfinished: int = 0
    places: set[tuple[int, int]] = field(default_factory=set)
    awaited: set[bytes] = field(default_factory=set)


def contents(file: BinaryIO, kind: str) -> Iterator[Member]:
    """Yield the members of one kind, each of them what the archive's sums, or its own name, say."""
    return (member for member in _whole(file) if _kind(member.name) == kind)


def check(file: BinaryIO) -> Checked:
    """Read the archive to its end; return what it holds. Raises ArchiveInvalid, and nothing was changed."""
    whole = _whole(file)
    first = next(whole)
    _require_known_form(first)
    try:
        return _checked(read(first.content, _Head, RUN).run, whole)
    except ArchiveInvalid:
        deque(whole, maxlen=0)  # raises where it is damaged, which says more than what that leads to
        raise


def _checked(run: MovedRun, whole: Iterator[Member]) -> Checked:
    checked, content = Checked(run), ContentDigest()
    with SeenKeys() as seen:
        for member in whole:
            kind = _kind(member.name)
            if kind == SAMPLES:
                _check_samples(member, checked, content, seen)
            elif kind == EDITS:
                _check_edits(member, checked)
            elif kind == IMAGES:
                _check_image(member, checked)
            else:
                _check_end(member, checked, content)
    return checked


def _whole(file: BinaryIO) -> Iterator[Member]:
    """Yield the members in the order that they must have, the sums last. Raises ArchiveInvalid."""
    place = _Place()
    sums: dict[str, str] = {}
    for member in members(file):
        kind = place.next(member.name)
        if kind == SUMS:
            _hold_to(read(member.content, _Sums, SUMS).members, sums)
            yield member
            return
        if kind != IMAGES:
            sums[member.name] = digest(member.content)
        elif f"{IMAGES}/{digest_of(member.content)}" != member.name:
            raise ArchiveInvalid(f"archive: {member.name!r} is damaged: it is not what its name says")
        yield member
    raise ArchiveInvalid(f"archive: cut off: its last part, {SUMS}, is missing")


class _Place:
    """Where in an archive its reader is."""

    def __init__(self) -> None:
        self._at = -1
        self._number = 0

    def next(self, name: str) -> str:
        """Return of which kind the next member is. Raises ArchiveInvalid where it is not its turn."""
        kind = _kind(name)
        at = _ORDER.index(kind) if kind in _ORDER else -1
        self._number = self._number + 1 if at == self._at else 1
        called = name_of(kind, self._number) if kind in (SAMPLES, EDITS) else name
        in_order = at > self._at or (at == self._at and kind in _SEVERAL)
        if not in_order or name != called or (self._at == -1 and kind != RUN):
            raise ArchiveInvalid(f"archive: {name!r} does not belong where it stands")
        self._at = at
        return kind


def _kind(name: str) -> str:
    return name.partition("/")[0]


def _hold_to(said: dict[str, str], found: dict[str, str]) -> None:
    for name in found.keys() | said.keys():
        if said.get(name) != found.get(name):
            raise ArchiveInvalid(f"archive: {name!r} is damaged: it is not what {SUMS} says")


def _require_known_form(member: Member) -> None:
    said = parse(member.content, RUN)
    form = said.get("format") if isinstance(said, dict) else None
    if form != FORMAT:
        raise ArchiveInvalid(
            f"archive: by its {RUN} it has the form {form!r}, and this editfarm knows {FORMAT!r}: update editfarm"
        )


def _check_samples(member: Member, checked: Checked, content: ContentDigest, seen: SeenKeys) -> None:
    for sample in rows_of(member, MovedSample):
        where = f"archive: {member.name}, sample {sample.key!r}"
        if sample.position != checked.counts.samples:
            raise ArchiveInvalid(f"{where}: position {sample.position:,} where {checked.counts.samples:,} is next")
        if seen.first_place(sample.category, sample.key, member.name) is not None:
            raise ArchiveInvalid(f"{where}: a second one of this name in its category")
        content.add(sample.model_dump())
        checked.awaited.update(map(bytes.fromhex, sample.images()))
        checked.counts.samples += 1


def _check_edits(member: Member, checked: Checked) -> None:
    for edit in rows_of(member, MovedEdit):
        place = (edit.position, edit.repeat)
        where = f"archive: {member.name}, edit of sample {edit.position}, repeat {edit.repeat}"
        if edit.position >= checked.counts.samples:
            raise ArchiveInvalid(f"{where}: the benchmark has no such sample")
        if place in checked.places:
            raise ArchiveInvalid(f"{where}: a second one")
        if any(score.scorer >= len(checked.run.scorers) for score in edit.scores):
            raise ArchiveInvalid(f"{where}: a score by no scorer of the run")
        if not {job.environment for job in (edit, *edit.scores)} <= {None, *checked.run.environments}:
            raise ArchiveInvalid(f"{where}: an environment that the run does not name")
        checked.places.add(place)
        if edit.image is not None:
            checked.awaited.add(bytes.fromhex(edit.image))
        checked.unfinished += sum(job.state not in _ENDED for job in (edit, *edit.scores))
        checked.counts.edits += 1
        checked.counts.scores += len(edit.scores)


def _check_image(member: Member, checked: Checked) -> None:
    image = bytes.fromhex(member.name.removeprefix(f"{IMAGES}/"))
    if image not in checked.awaited:
        raise ArchiveInvalid(f"archive: {member.name!r}: no row names it, or it came before")
    checked.awaited.remove(image)
    checked.counts.images += 1


def _check_end(member: Member, checked: Checked, content: ContentDigest) -> None:
    """Refuse an archive in which something is missing that it speaks of itself."""
    if checked.awaited:
        raise ArchiveInvalid(f"archive: image {min(checked.awaited).hex()} is missing, which a row names")
    if content.hexdigest() != checked.run.benchmark.id or checked.counts.samples != checked.run.benchmark.sample_count:
        raise ArchiveInvalid("archive: its samples are not those of the benchmark that it names")
    if read(member.content, _Sums, SUMS).counts.model_dump() != asdict(checked.counts):
        raise ArchiveInvalid(f"archive: it does not hold as many rows and images as {SUMS} says")
