"""What is asked, entered into the ledger: a benchmark's samples, and a run with its scorers and queued edits.

Edits and scores that went missing are entered here, too.
"""

from db.intake.chosen import asked_samples, by_turns
from db.intake.held import benchmark_of, one_at_a_time, require_benchmark
from db.intake.many_rows import COUNTED, MANY, count_anew, insert_in_parts
from db.intake.missing import enter_missing_edits, enter_missing_scores, lacking_scores
from db.intake.runs import Asked, enter_asked, enter_run, found_again, run_id_of, stored_run_id
from db.intake.samples import ContentDigest, enter_samples, has_benchmark, image_digests

__all__ = [
    "COUNTED",
    "MANY",
    "Asked",
    "ContentDigest",
    "asked_samples",
    "benchmark_of",
    "by_turns",
    "count_anew",
    "enter_asked",
    "enter_missing_edits",
    "enter_missing_scores",
    "enter_run",
    "enter_samples",
    "found_again",
    "has_benchmark",
    "image_digests",
    "insert_in_parts",
    "lacking_scores",
    "one_at_a_time",
    "require_benchmark",
    "run_id_of",
    "stored_run_id",
]
