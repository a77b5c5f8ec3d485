"""One sample's jobs done once more in the foreground, with full logs: `python -m workers replay`.

The ledger is read and never written, and no broker is needed; images come from the store and none goes there. Models
take their turn at loading, and at the host's memory, among the workers that run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import click
import structlog
from PIL import Image, ImageChops
from sqlalchemy import Engine

from db.choice import ModelChoice
from db.decode import decode_image
from db.errors import ImageFault, WrongCall, one_line
from db.images import ImageMissing, ImageSource, digest_of
from db.jobs import Claim, Failure, ScoreClaim
from db.one_sample import Stored, edit_once_more, edits_of_sample, find_sample, scores_once_more
from db.queries import Run
from db.tables import Stage
from workers.host import this_host
from workers.job_ids import logged_as_of
from workers.models.errors import DeviceBroken
from workers.resident import Resident
from workers.stint.keeping import as_png
from workers.stint.perform import Made, Scored, give_scores, make_edit
from workers.stint.reading import Reader

log = structlog.get_logger()

_NO_IMAGE = "0" * 64


@dataclass(frozen=True)
class Wanted:
    """What is to be done once more: of which repeat, only one stage or one scorer; where the new image goes.

    `new_image`: scores are given to the image that is made now.
    """

    repeat: int = 0
    stage: Stage | None = None
    scorer: str | None = None
    new_image: bool = False
    output: Path | None = None

    def __post_init__(self) -> None:
        for flag, given in (("-o", self.output is not None), ("--new-image", self.new_image)):
            if given and self.stage is Stage.SCORE:
                raise WrongCall(f"{flag} is for the image that is made now, and --stage score makes none")


class Replay:
    """One sample's jobs, done here; each tells on stdout what came of it, and what the ledger has."""

    def __init__(self, engine: Engine, images: ImageSource, run: Run, sample: str, wanted: Wanted) -> None:
        if run.is_imported:
            raise WrongCall(
                f"run {run.id} was imported: its edits and scores were made elsewhere, none can be done again"
            )
        if run.is_given:
            wanted = _scores_only(run, wanted)
        self._engine = engine
        self._wanted = wanted
        self._sample = find_sample(engine, run.id, sample)
        self._edit = edit_once_more(engine, run.id, self._sample, wanted.repeat)
        (row,) = [one for one in edits_of_sample(engine, run.id, self._sample.id) if one.repeat == wanted.repeat]
        self._stored_image: str | None = row.image
        self._stored_facts = row.facts
        self._images = _WithNewImage(images)
        self._scorers(_NO_IMAGE)  # whom there is not is told before anything takes long
        self._resident = Resident(
            this_host(),
            show=lambda what: log.debug("model.now", doing=what),
            wait=lambda what: log.info("work.waits", on=what),
        )

    def all_done(self) -> bool:
        """Do what is wanted; return whether nothing failed."""
        try:
            return all(list(self._outcomes()))
        except DeviceBroken as error:
            log.exception("device.broken")
            click.echo(one_line(f"the GPU failed: {error}"))
            return False

    def _outcomes(self) -> Iterator[bool]:
        if self._wanted.stage is not Stage.SCORE:
            yield self._make_edit()
        if self._wanted.stage is not Stage.EDIT:
            yield from self._give_scores()

    # -- the edit ------------------------------------------------------------------------------------------------------

    def _make_edit(self) -> bool:
        claim = self._edit
        _tell_begin(claim, claim.model, f"seed {claim.seed}")
        with logged_as_of([claim]):
            request = Reader(self._images).edit_request(claim)
            outcome = make_edit(claim, request, self._resident, _tell_step)
        if isinstance(outcome, Failure):
            _tell_failure(outcome)
            return False
        self._tell_made(outcome)
        return True

    def _tell_made(self, made: Made) -> None:
        png = as_png(made.image)
        self._images.new = png
        size = f"{made.image.width} x {made.image.height}"
        click.echo(f"  made in {made.seconds:.3f} s, {size}, PNG {digest_of(png)}")
        click.echo(f"  {self._compared(made, digest_of(png))}")
        if self._wanted.output is not None:
            self._wanted.output.write_bytes(png)
            click.echo(one_line(f"  written to {self._wanted.output}"))

    def _compared(self, made: Made, digest: str) -> str:
        """Return how the new image compares with the stored one; where they differ, also where they came about."""
        if self._stored_image is None:
            return "there is no stored image to compare it with"
        if digest == self._stored_image:
            return "equal to the stored image"
        facts, before = dict(made.facts), dict(self._stored_facts or {})
        changed = [name for name in sorted({*facts, *before}) if facts.get(name) != before.get(name)]
        told = "".join(f"\n  {one_line(f'{name}: {before.get(name)} then, {facts.get(name)} now')}" for name in changed)
        return f"differs from the stored image {self._stored_image}{self._difference(made.image)}{told}"

    def _difference(self, image: Image.Image) -> str:
        try:
            stored = decode_image(self._images.get(self._stored_image or ""))
        except (ImageMissing, ImageFault) as fault:
            return f", which cannot be read: {fault}"
        if stored.size != image.size:
            return f", which has {stored.width} x {stored.height} pixels"
        histogram = ImageChops.difference(stored, image.convert("RGB")).histogram()  # 256 counts for each channel
        most = max(place % 256 for place, count in enumerate(histogram) if count)
        return f", by at most {most} of 255 in any channel" if most else " as a file; every pixel is the same"

    # -- its scores ----------------------------------------------------------------------------------------------------

    def _give_scores(self) -> Iterator[bool]:
        new, stored = self._images.new_digest, self._stored_image
        image = new if self._wanted.new_image or stored is None else stored
        if image is None:
            click.echo("no image to score: the edit has none, and none was made")
            yield False
            return
        for claim, known in self._scorers(image):
            yield self._give_score(claim, known, of="new" if image == new and image != stored else "stored")

    def _scorers(self, image: str) -> list[tuple[ScoreClaim, Stored]]:
        every, label = scores_once_more(self._engine, self._edit, image), self._wanted.scorer
        chosen = [one for one in every if label in (None, one[1].label)]
        if not chosen:
            known = ", ".join(dict.fromkeys(stored.label for _, stored in every))
            raise WrongCall(f"run {self._edit.run_id} has no scorer {label!r}; it has {known}")
        return chosen

    def _give_score(self, claim: ScoreClaim, known: Stored, *, of: str) -> bool:
        again = f", asked as #{known.judge_repeat}" if known.judge_repeat else ""
        _tell_begin(claim, claim.model, f"the {of} image{again}, seed {claim.seed}")
        with logged_as_of([claim]):
            requests = Reader(self._images).score_requests([claim])
            (outcome,) = give_scores([claim], requests, self._resident)
        if isinstance(outcome, Scored):
            click.echo(f"  {outcome.value:.2f} in {outcome.seconds:.3f} s; {_before(known)}")
            _tell_detail(outcome.detail)
        else:
            _tell_failure(outcome, f"; {_before(known)}")
        return isinstance(outcome, Scored)


def _scores_only(run: Run, wanted: Wanted) -> Wanted:
    """Return what is wanted of a run whose images were given. Raises WrongCall where that is an edit."""
    if wanted.stage is Stage.EDIT or wanted.new_image or wanted.output is not None:
        raise WrongCall(f"the images of run {run.id} were given: no editor can make one again, only scores can be")
    return replace(wanted, stage=Stage.SCORE)


class _WithNewImage:
    """The image store, and beside it the image that was made now, in memory."""

    def __init__(self, store: ImageSource) -> None:
        self._store = store
        self.new: bytes | None = None

    @property
    def new_digest(self) -> str | None:
        return None if self.new is None else digest_of(self.new)

    def get(self, digest: str) -> bytes:
        if self.new is not None and digest == self.new_digest:
            return self.new
        return self._store.get(digest)


def _tell_begin(claim: Claim, model: ModelChoice, more: str) -> None:
    click.echo(one_line(f"{claim.stage} of {claim.key}, repeat {claim.repeat}, by {model.label}: {more}"))


def _tell_step(step: int, steps: int) -> None:
    log.debug("edit.step", step=step, of=steps)


def _tell_failure(failure: Failure, more: str = "") -> None:
    click.echo(one_line(f"  failed, {failure.kind.value}: {failure.reason}{more}", longest=5000))
    _tell_detail(failure.detail)


def _tell_detail(detail: Mapping[str, object]) -> None:
    for name, value in detail.items():
        click.echo(one_line(f"  {name}: {value}", longest=20_000))


def _before(known: Stored) -> str:
    if known.value is not None:
        return f"the stored score is {known.value:.2f}"
    if known.failure_kind is not None:
        return one_line(f"the stored one failed, {known.failure_kind}: {known.failure_reason}")
    return f"the stored one is {known.state}" if known.state is not None else "there is no stored one"
