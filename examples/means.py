"""Reads a report as data: `python -m producer report latest --json | python examples/means.py`."""

import json
import sys

report = json.load(sys.stdin)
assert report["schema"] == "editfarm.report/2", report["schema"]
for scorer in report["scorers"]:
    score = scorer["dimensions"][0]  # the score itself; the others are what a judge gave besides
    for figures in [*score["categories"], score["overall"]]:
        mean = "none" if figures["mean"] is None else f"{figures['mean']:.3f}"
        row = (scorer["scorer"], figures["category"] or "all", f"{figures['scored']}/{figures['n']}", mean)
        sys.stdout.write("\t".join(row) + "\n")
