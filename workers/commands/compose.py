"""`python -m workers compose`: one Compose service for each GPU of a host, to lie beside docker/compose.yaml.

A container is given one GPU, and there it is number 0. So which of the host's it is stands in the worker's name, which
is how `status`, `watch` and Flower call it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from db.errors import WrongCall

MOST_GPUS = 64
"""No host has more; a longer range is a slip."""

BOTH = "edit,score"

_RANGE = re.compile(r"(\d{1,4})-(\d{1,4})")
_INDEX = re.compile(r"\d{1,4}")
_UUID = re.compile(r"(?:GPU|MIG)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_UUID_SHOWN = len("GPU-01234567")

SHARED = """\
# What every process of the farm is told.
x-farm: &farm
  FARM_BROKER_URL: ${FARM_BROKER_URL:-redis://:${REDIS_PASSWORD:-}@redis:6379/0}
  FARM_BROKER_PREFIX: ${FARM_BROKER_PREFIX:-}
  FARM_DATABASE_URL: ${FARM_DATABASE_URL:-postgresql://editfarm:${POSTGRES_PASSWORD:-}@postgres:5432/editfarm}
  FARM_IMAGES: ${FARM_IMAGES:-}
  AWS_ACCESS_KEY_ID: # these without a value are handed on where they are set, and else left out
  AWS_SECRET_ACCESS_KEY:
  AWS_ENDPOINT_URL:
  AWS_DEFAULT_REGION:

# What every worker is. /dev/shm is left at its size: what parent and child share does not lie there, and a worker on
# one GPU has no peers to share with.
x-worker: &worker
  image: ${EDITFARM_GPU_IMAGE:-editfarm-gpu:local}
  hostname: ${EDITFARM_HOST:-farm}
  init: true
  environment:
    <<: *farm
    CUDA_VISIBLE_DEVICES: "0" # the only one in here; with this a GPU that is gone is told from none that was wanted
    FARM_GRACE_SECONDS: "300" # longer than one edit takes
    FARM_HEARTBEAT_FILE: /tmp/heartbeat
    FARM_METRICS_ADDRESS: 0.0.0.0 # of the private network: no port of a worker is published
    FARM_METRICS_PORT: "9400"
    FARM_JUDGE_API_KEY:
    HF_TOKEN:
  volumes: [farm:/farm, models:/models]
  networks:
    default:
      aliases: [workers] # one name for all of them, under which Prometheus finds each
  depends_on:
    migrate:
      condition: service_completed_successfully
    prefetch:
      condition: service_completed_successfully
  healthcheck:
    test: [CMD, /bin/sh, -c, find /tmp/heartbeat -mmin -0.5 | grep -q .]
    interval: 15s
    timeout: 5s
    start_period: 120s
    retries: 3
  restart: unless-stopped
  stop_signal: SIGTERM
  stop_grace_period: 330s # longer than FARM_GRACE_SECONDS, so that the worker ends itself
  ulimits:
    memlock: -1 # a model that makes room for another one waits in pinned memory
  cap_drop: [ALL]
  security_opt: ["no-new-privileges:true"]
  logging: &logging
    driver: json-file
    options: {max-size: 20m, max-file: "5"}
"""

_HEAD = """\
# Workers, one for each GPU of this host; made by `python -m workers compose {call}`.
# As compose.override.yaml beside compose.yaml, `docker compose` reads it without being told.

"""

_INSTEAD = """
services:
  worker: # of compose.yaml, which has one for GPU 0; this also ends it where it runs already
    deploy: {replicas: 0}
"""


@dataclass(frozen=True)
class _Worker:
    """One service: the GPU as the driver calls it, and the queues that are served on it."""

    gpu: str
    queues: str

    @property
    def place(self) -> str:
        """The GPU in names; of a UUID the part that people compare."""
        return f"gpu{self.gpu[:_UUID_SHOWN]}"


def compose_override(gpus: str, *, edit: int = 0, score: int = 0) -> str:
    """Return a Compose file with a worker for each of these GPUs: so many that edit, so many that score, the rest both.

    Raises WrongCall for a list that cannot be read, GPUs named twice, or more workers than GPUs.
    """
    named = listed_gpus(gpus)
    if edit + score > len(named):
        raise WrongCall(
            f"--edit {edit} and --score {score} want {edit + score} GPUs, and --gpus {gpus} names {len(named)}"
        )
    roles = ["edit"] * edit + ["score"] * score + [BOTH] * (len(named) - edit - score)
    call = f"--gpus {''.join(gpus.split())} --edit {edit} --score {score}"
    workers = [_Worker(gpu, queues) for gpu, queues in zip(named, roles, strict=True)]
    return _HEAD.format(call=call) + SHARED + _INSTEAD + "".join(f"\n{_service(worker)}" for worker in workers)


def listed_gpus(text: str) -> Sequence[str]:
    """Return the GPUs of a list such as `0-3,5` or `GPU-1a2b...,GPU-3c4d...`, each once. Raises WrongCall."""
    gpus = [gpu for entry in text.split(",") for gpu in _named(entry.strip(), text)]
    if len(gpus) > MOST_GPUS:
        raise WrongCall(f"--gpus {text}: {len(gpus)} GPUs; a host has no more than {MOST_GPUS}")
    places = [gpu[:_UUID_SHOWN] for gpu in gpus]
    for gpu, place in zip(gpus, places, strict=True):
        if places.count(place) > 1:
            raise WrongCall(f"--gpus {text}: {gpu} is named twice")
    return gpus


def _named(entry: str, text: str) -> Iterator[str]:
    if bounds := _RANGE.fullmatch(entry):
        first, last = int(bounds[1]), int(bounds[2])
        if first > last:
            raise WrongCall(f"--gpus {text}: {entry} runs backwards")
        yield from map(str, range(first, last + 1))
    elif _INDEX.fullmatch(entry):
        yield str(int(entry))
    elif _UUID.fullmatch(entry):
        yield entry
    else:
        raise WrongCall(f"--gpus {text}: expected numbers and ranges as in 0-3,5, or UUIDs as `nvidia-smi -L` has them")


def _service(worker: _Worker, name: str | None = None) -> str:
    """Return the worker's service as YAML, indented to stand below `services:`."""
    node = f"{worker.queues.replace(',', '+')}-{worker.place}@%h"
    return f"""\
  {name or f"worker-{worker.place}"}:
    <<: *worker
    command: [celery, -A, workers, worker, -Q, "{worker.queues}", -n, {node}, -l, INFO]
    deploy:
      resources:
        reservations:
          devices: [{{driver: nvidia, device_ids: ["{worker.gpu}"], capabilities: [gpu]}}]
"""
