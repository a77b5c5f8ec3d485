"""Judges with any vision-language model of the transformers library, in true batches.

Two modes. `generate`: the judge reasons, then gives numbers, and its reply is read. `expected`: nothing is generated;
the score is the mean of the digits 0 to 9 under the probabilities of the reply's first digit, from one forward pass,
stretched to 0 to 10. It is faster, and steadier where bfloat16 makes single tokens depend on the batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from db.options import TransformersJudgeOptions
from workers.models.errors import InputFault, ModelFault, Unparsed
from workers.models.judging.constrained import JsonConstraint
from workers.models.judging.hearing import Heard, Hearing
from workers.models.judging.question import Question, prompts_digest, questions_for
from workers.models.judging.sampling import SeededSampling
from workers.models.judging.vision_language import Reply, VisionLanguageModel
from workers.models.loading.devices import give_back_memory, host_bytes_to_load
from workers.models.loading.parking import HostCopy
from workers.models.loading.quiet import quiet_libraries
from workers.models.loading.weights import folder_at_hand, weights_folder, weights_identity
from workers.models.protocols import OnProgress, Rating, Reserve, Scorer, ScoreRequest

_DIGITS = "0123456789"


class TransformersScorer(Scorer):
    """One judge. In float32 a score does not depend on what else is in its batch; in bfloat16 a reply may."""

    def __init__(self, options: TransformersJudgeOptions) -> None:
        quiet_libraries()
        self._options = options
        self._folder = weights_folder(options.model, options.revision)
        give_back_memory()  # of a model that could not be loaded, too
        self._model = VisionLanguageModel(self._folder, options)
        self._constraint = JsonConstraint(self._model) if options.constrained else None
        self._digits = _digit_tokens(self._model.tokenizer) if options.mode == "expected" else []
        self._identity = weights_identity(self._folder)
        self._host_copy = HostCopy([self._model.network])

    @classmethod
    def fetch(cls, options: TransformersJudgeOptions) -> None:
        """Fetch weights that come from the hub."""
        weights_folder(options.model, options.revision)

    @classmethod
    def host_bytes(cls, options: TransformersJudgeOptions) -> int:
        """Return the size of the weights, on a machine with a GPU of their largest file: they pass through."""
        return host_bytes_to_load(folder_at_hand(options.model, options.revision))

    def score(self, batch: Sequence[ScoreRequest]) -> list[Rating | ModelFault]:
        """Return a rating or a fault for each request; the detail holds reasons and criteria, or the digits' mean.

        Of a rubric, all edits are asked its first question, then its second: a batch is no larger than without one.
        An unreadable reply is asked for once more, sampled, before it is the fault Unparsed, which keeps both replies.
        """
        if self._options.mode == "expected":
            return self._expected([questions_for(request, self._options)[0] for request in batch])
        hearings = [_hearing_or_fault(request, self._options) for request in batch]
        heard = [hearing for hearing in hearings if isinstance(hearing, Hearing)]
        for number in range(max((len(hearing.questions) for hearing in heard), default=0)):
            asked = [hearing for hearing in heard if number < len(hearing.questions)]
            unread = self._hear(asked, number, self._options.temperature, second=False)
            self._hear(unread, number, self._options.second_temperature, second=True)
        return [hearing.rating() if isinstance(hearing, Hearing) else hearing for hearing in hearings]

    def facts(self) -> Mapping[str, object]:
        """Return the network and its weights, and how it computes."""
        network = self._model.network
        return {
            "network": type(network).__name__,
            "weights": self._identity,
            "prompts": prompts_digest(self._options),
            "dtype": str(network.dtype).removeprefix("torch."),
            "attention": str(network.config._attn_implementation),
            "image_processor": type(self._model.processor.image_processor).__name__,
            "patch_embeddings_as_products": self._model.linearized,
        }

    def park(self, reserve: Reserve) -> bool:
        """Leave the GPU, the weights staying in pinned host memory."""
        return self._host_copy.leave(reserve)

    def wake(self) -> None:
        """Come back to the GPU."""
        self._host_copy.come_back()

    def close(self) -> None:
        """Give back all memory."""
        del self._model
        self._host_copy = HostCopy([])
        give_back_memory()

    def _hear(self, hearings: Sequence[Hearing], number: int, temperature: float, *, second: bool) -> list[Hearing]:
        """Ask each its question of this number, in one batch; return those whose reply cannot be read."""
        if not hearings:
            return []
        questions = [hearing.questions[number] for hearing in hearings]
        seeds = [hearing.request.seed ^ (number << 1 | second) for hearing in hearings]
        replies = self._ask(questions, temperature, seeds, hearings[0].request.on_progress)
        return [
            hearing
            for hearing, reply in zip(hearings, replies, strict=True)
            if not hearing.hear(number, Heard(reply.text, reply.cut_off))
        ]

    def _ask(
        self, questions: Sequence[Question], temperature: float, seeds: Sequence[int], on_progress: OnProgress
    ) -> list[Reply]:
        processors: list[Any] = [_Told(on_progress)]
        if self._constraint is not None:
            processors.append(self._constraint.for_one_call())
        if temperature > 0:
            processors.append(SeededSampling(temperature, seeds))
        return self._model.reply(questions, max_new_tokens=self._options.max_new_tokens, processors=processors)

    def _expected(self, questions: Sequence[Question]) -> list[Rating | ModelFault]:
        probabilities = self._model.next_token_probabilities(questions, self._options.reply_prefix)[:, self._digits]
        return [self._expectation(row.tolist()) for row in probabilities]

    def _expectation(self, digits: Sequence[float]) -> Rating | ModelFault:
        """Return 10/9 of the mean digit; Unparsed where the judge would rather have said something else."""
        mass = sum(digits)
        detail: dict[str, object] = {"digits": [round(share, 6) for share in digits], "digit_mass": mass}
        if mass < self._options.min_digit_mass:
            return Unparsed(f"the judge would begin with a digit with a probability of only {mass:.3g}", detail)
        mean = sum(digit * share for digit, share in enumerate(digits)) / mass
        return Rating(min(10.0, mean * 10 / 9), detail)


class _Told:
    """A logits processor that changes nothing: it tells of each token."""

    def __init__(self, on_progress: OnProgress) -> None:
        self._on_progress = on_progress

    def __call__(self, _tokens: Any, scores: Any) -> Any:
        self._on_progress()
        return scores


def _hearing_or_fault(request: ScoreRequest, options: TransformersJudgeOptions) -> Hearing | ModelFault:
    try:
        return Hearing(request, options)
    except InputFault as fault:
        return fault


def _digit_tokens(tokenizer: Any) -> list[int]:
    """Return the token of each digit. Raises ModelFault for a tokenizer that does not keep digits single."""
    tokens = [tokenizer.encode(digit, add_special_tokens=False) for digit in _DIGITS]
    if any(len(token) != 1 for token in tokens):
        raise ModelFault("mode `expected` needs a tokenizer in which each digit is one token; use mode `generate`")
    return [token[0] for token in tokens]
