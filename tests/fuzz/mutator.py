"""Seeded mutations: of a corpus, what comes out is decided by the seed and the number of the input alone."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from time import process_time

CORPUS = Path(__file__).parent / "corpus"

FUZZ_INPUTS = int(os.environ.get("FUZZ_INPUTS", "1000"))
"""Mutated inputs that each kind of file is tried with; `make chaos` takes 10,000."""

FUZZ_SEED = int(os.environ.get("FUZZ_SEED", "0"))

LONGEST_BYTES = 64 * 1024
LONGEST_SECONDS = 5.0
"""What one input may take of a processor; a thousand times what it does take."""

_TOKEN = re.compile(rb'"[^"]{0,200}"|-?\d+(?:\.\d+)?|\w+|[^\w\s]')

HOSTILE = (
    *(b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"1e-999", b"-0", b"0x10", b"1.", b".5", b"9" * 30),
    *(b"9" * 5000, b"-" + b"9" * 400, b"null", b"true", b"[]", b"{}", b'""', b'" "', b"'", b"\\", b'"', b"//", b"#"),
    *(b"\x00", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x85"),
    *(rb'"\ud800"', rb'"\udc00x"', rb'"\u0000"', rb'"\u001b[2J"', rb'"\u202e"', rb'"\u2028"', rb'"\n"', b'"\n"'),
    *(b"[" * 40, b"[" * 3000, b'{"a":' * 3000, b"[" * 900 + b"]" * 900, b"{" * 200, b'"' + b"a" * 30_000 + b'"'),
    *(b"\r", b"\n", b"\n\n", b"\t", b" " * 500, "\u2028".encode(), "\u3000".encode(), "\u202e".encode()),
)
"""What breaks readers of any text: numbers that are none, halves of characters, depth, length, bytes that act."""


@dataclass(frozen=True)
class Mutator:
    """Makes inputs of a corpus; `hostile` is what they get inserted beside HOSTILE."""

    corpus: Sequence[bytes]
    hostile: Sequence[bytes]
    seed: int = FUZZ_SEED

    def content(self, number: int) -> bytes:
        """Return the input of this number."""
        random = Random(f"{self.seed} {number}")
        content = random.choice(self.corpus)
        for _ in range(random.choice((1, 1, 1, 2, 2, 3, 5, 8))):
            content = random.choice(_MUTATIONS)(self, random, content)[:LONGEST_BYTES]
        return content


def corpus_files(kind: str, pattern: str) -> list[Path]:
    """Return the kept files of this kind; what is named `found-` once broke its reader."""
    files = sorted((CORPUS / kind).glob(pattern))
    assert files, f"no {pattern} in {CORPUS / kind}"
    return files


@contextmanager
def within_time(what: str) -> Iterator[None]:
    """Fail when the block takes longer than one input may; whatever it raises is noted to be of this input."""
    started = process_time()
    try:
        yield
    except BaseException as error:
        error.add_note(what)
        raise
    seconds = process_time() - started
    assert seconds < LONGEST_SECONDS, f"{what} took {seconds:.1f} s"


def _flip_bits(_mutator: Mutator, random: Random, content: bytes) -> bytes:
    flipped = bytearray(content)
    for _ in range(random.choice((1, 1, 2, 8))):
        if flipped:
            flipped[random.randrange(len(flipped))] ^= 1 << random.randrange(8)
    return bytes(flipped)


def _cut_off(_mutator: Mutator, random: Random, content: bytes) -> bytes:
    return content[: random.randint(0, len(content))]


def _cut_out(_mutator: Mutator, random: Random, content: bytes) -> bytes:
    start, end = _span(random, content)
    return content[:start] + content[end:]


def _repeat(_mutator: Mutator, random: Random, content: bytes) -> bytes:
    start, end = _span(random, content)
    return content[:end] + content[start:end] * random.choice((1, 1, 2, 10, 200)) + content[end:]


def _splice(mutator: Mutator, random: Random, content: bytes) -> bytes:
    other = random.choice(mutator.corpus)
    start, end = _span(random, other)
    place = random.randint(0, len(content))
    return content[:place] + other[start:end] + content[place if random.random() < 0.5 else end :]


def _insert_hostile(mutator: Mutator, random: Random, content: bytes) -> bytes:
    place = random.randint(0, len(content))
    return content[:place] + _hostile(mutator, random) + content[place:]


def _swap_tokens(_mutator: Mutator, random: Random, content: bytes) -> bytes:
    tokens = list(_TOKEN.finditer(content))
    if len(tokens) < 2:
        return content
    first, second = sorted(random.sample(tokens, 2), key=lambda token: token.start())
    between = content[first.end() : second.start()]
    return content[: first.start()] + second[0] + between + first[0] + content[second.end() :]


def _make_token_hostile(mutator: Mutator, random: Random, content: bytes) -> bytes:
    tokens = list(_TOKEN.finditer(content))
    if not tokens:
        return content
    token = random.choice(tokens)
    return content[: token.start()] + _hostile(mutator, random) + content[token.end() :]


def _recode(_mutator: Mutator, random: Random, content: bytes) -> bytes:
    encoding = random.choice(("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "gb18030", "latin-1"))
    return content.decode("utf-8", "replace").encode(encoding, "replace")


def _hostile(mutator: Mutator, random: Random) -> bytes:
    return random.choice(random.choice((HOSTILE, mutator.hostile)))


def _span(random: Random, content: bytes) -> tuple[int, int]:
    start = random.randint(0, len(content))
    return start, min(len(content), start + random.choice((1, 3, 10, 50, 500)))


_RARELY = (_cut_off, _recode)  # of most inputs they leave one and the same fault
_OFTEN = (_flip_bits, _cut_out, _repeat, _splice, _insert_hostile, _swap_tokens, _make_token_hostile)
_MUTATIONS: Sequence[Callable[[Mutator, Random, bytes], bytes]] = (*_RARELY, *_OFTEN * 2, *(_make_token_hostile,) * 6)
