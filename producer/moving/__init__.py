"""A run moved between farms as one archive: rows as JSON Lines, images by their digests, and sums over it all.

run.json              what the archive is, and the run with its benchmark, scorers and environments
samples/00000001.jsonl, ...    every sample of the benchmark, in its order
edits/00000001.jsonl, ...      every edit with its scores
images/<sha-256>      every image that a row names, once
sums.json             the sha-256 of every member that holds rows, and how much there is of everything
"""

from __future__ import annotations

FORMAT = "editfarm.run/1"
"""What an archive says it is. A reader refuses fields that it does not know, so each new one makes a new version."""

RUN, SUMS = "run.json", "sums.json"
SAMPLES, EDITS, IMAGES = "samples", "edits", "images"
