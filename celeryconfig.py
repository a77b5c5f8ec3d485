"""The broker, the two queues and the rules of delivery, each with its reason; read by Celery on both sides.

The ledger decides what is done; a message only wakes a worker. So delivery is tuned to cost little and to recover fast,
not to be exact. The figures named below were measured with Celery 5.7 on Valkey 9.
"""

import socket
from typing import Any

from kombu import Exchange, Queue

from db.broker import broker_address
from db.broker_url import BrokerUrl
from db.jobs import Doorbell
from db.settings import settings

# -- the broker --------------------------------------------------------------------------------------------------------

_BROKER = BrokerUrl.read(broker_address())
broker_url = _BROKER.for_celery
broker_use_ssl = dict(_BROKER.tls) or None  # never left to kombu, whose own rediss:// trusts any certificate
broker_connection_retry_on_startup = True
broker_connection_max_retries = None  # the default gives up after 100 tries, and then the worker stands still
broker_channel_error_retry = True  # a key of ours that is no list or hash any more; the default ends the worker
_TAKEN_FOR_LOST_SECONDS = 24 * 3600
_KEEPALIVE = {  # a peer that is gone without a word is noticed after 5 + 3 * 3 seconds, by who waits and by who writes
    "TCP_KEEPIDLE": 5,
    "TCP_KEEPINTVL": 3,
    "TCP_KEEPCNT": 3,
    "TCP_USER_TIMEOUT": 14_000,  # milliseconds
}
_TIMEOUTS = {"socket_timeout": 5, "socket_connect_timeout": 5}  # a frozen broker must not hold a publish for ever
broker_transport_options = {
    **_TIMEOUTS,
    "global_keyprefix": settings().broker_prefix,  # of lists, hashes and channels alike
    # Longer than any job: a shorter one hands live jobs out again. What dies is found by the ledger's leases.
    "visibility_timeout": _TAKEN_FOR_LOST_SECONDS,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,  # with the line above: looks every 10 s, not every 100 s
    "queue_order_strategy": "priority",  # `-Q edit,score` serves edits first
    "socket_keepalive": True,
    "socket_keepalive_options": {
        getattr(socket, name): value for name, value in _KEEPALIVE.items() if hasattr(socket, name)
    },
    "health_check_interval": 10,
    **_BROKER.options_for_sentinels(_TIMEOUTS),
}
visibility_timeout = _TAKEN_FOR_LOST_SECONDS

# -- queues ------------------------------------------------------------------------------------------------------------

# Spelled out: a bare Queue("score") inherits exchange and routing key from the default queue.
task_queues = [Queue(name, Exchange(name), routing_key=name) for name in ("edit", "score")]
task_default_queue = "edit"
task_create_missing_queues = False  # a misspelt queue fails loudly

_PRIORITIES = {"high": 3, "normal": 6, "low": 9}  # on Redis 0 goes first; the transport keeps a list for 0, 3, 6, 9
_AGAIN = -3  # a job that was begun before does not wait behind the whole backlog once more


def message_for(doorbell: Doorbell) -> dict[str, Any]:
    """Return the arguments of `app.send_task` for a doorbell: task and queue are both called as the stage."""
    return {
        "name": doorbell.stage.value,
        "args": [doorbell.job_id],
        "queue": doorbell.stage.value,
        "priority": _PRIORITIES[doorbell.priority] + (_AGAIN if doorbell.again else 0),
        # Who knows the tasks, as workers do, would send their limits along; the receiver's own are what counts.
        "time_limit": None,
        "soft_time_limit": None,
    }


# -- delivery ----------------------------------------------------------------------------------------------------------

task_acks_late = True
task_reject_on_worker_lost = True  # with the line above a killed child's job is back within 5 s; the ledger bounds it
task_ignore_result = True  # results are in the ledger
worker_prefetch_multiplier = 1  # with late acknowledgement nothing is hoarded beyond the running job
worker_cancel_long_running_tasks_on_connection_loss = False  # minutes of GPU time; a double run is fenced off
task_publish_retry_policy = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.2}
task_time_limit = 3600  # the last resort against a job that hangs; the child is killed and the ledger hands it on

# -- the worker process ------------------------------------------------------------------------------------------------

include = [
    "workers.tasks",
    "workers.lease",
    "workers.broker.heartbeat",
    "workers.metrics.serving",
]  # a spawned child imports the app and these only
# Celery's prefork: only a child process leaves the parent free to answer, to renew leases and to survive a crash.
worker_pool = "workers.pool:TaskPool"
worker_pool_start_method = "spawn"  # threads and connections of a parent; `workers/pool.py` forks the first one
worker_concurrency = 1  # one worker, one GPU
worker_proc_alive_timeout = 600  # the 4 s default kills children that start slowly, again and again
worker_hijack_root_logger = False
worker_send_task_events = True  # for Flower

# -- content -----------------------------------------------------------------------------------------------------------

task_serializer = "json"
event_serializer = "json"
accept_content = ["json"]
