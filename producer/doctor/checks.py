"""Every check by its name, in the order in which they are shown."""

from __future__ import annotations

from producer.doctor import broker, clocks, dashboard, database, gpus, host, models, settings, store, workers
from producer.doctor.finding import Check, Group

CHECKS = (
    Check(
        Group.SETTINGS,
        "settings",
        "every FARM_ variable, of the environment and of .env, is a setting with a value that it can have",
        settings.readable,
        (settings.WRONG, settings.MISSPELT, settings.UNKNOWN),
    ),
    Check(
        Group.SETTINGS,
        "home",
        "FARM_HOME can be written by this user, and by no other",
        settings.home,
        (settings.HOME_CLOSED, settings.HOME_CANNOT_BE_MADE, settings.HOME_OPEN, settings.HOME_NOT_THERE),
    ),
    Check(
        Group.SETTINGS, "env-file", "nobody else can read a .env with secrets", settings.env_file, (settings.ENV_OPEN,)
    ),
    Check(
        Group.BROKER,
        "broker",
        "it answers, with this user and password",
        broker.answers,
        (
            *(broker.WRONG_URL, broker.NO_ANSWER, broker.NOT_TRUSTED, broker.NOT_TOLD, broker.NO_TLS),
            *(broker.NOT_RUNNING, broker.WRONG_LOGIN, broker.TELLS_LITTLE),
        ),
    ),
    Check(Group.BROKER, "broker-version", "it speaks Redis 6.2 or newer", broker.version, (broker.TOO_OLD,)),
    Check(
        Group.BROKER, "broker-eviction", "it keeps messages when its memory is full", broker.eviction, (broker.EVICTS,)
    ),
    Check(Group.BROKER, "broker-persistence", "its queues outlive a restart", broker.persistence, (broker.NOT_KEPT,)),
    Check(
        Group.BROKER,
        "broker-memory",
        "it has memory left, where maxmemory is set",
        broker.memory,
        (broker.NO_MEMORY, broker.NEARLY_NO_MEMORY),
    ),
    Check(
        Group.BROKER,
        "broker-access",
        "across a network it asks for a password, and is reached by TLS",
        broker.access,
        (broker.OPEN_TO_ALL, broker.IN_THE_CLEAR),
    ),
    Check(
        Group.BROKER,
        "visibility-timeout",
        "the visibility timeout is longer than the longest job and than the lease",
        broker.visibility,
        (broker.TOO_SHORT,),
    ),
    Check(
        Group.BROKER,
        "broker-clock",
        "its clock agrees with this host's within 5 seconds",
        clocks.broker_clock_agrees,
        (clocks.BROKER_OFF,),
    ),
    Check(
        Group.DATABASE,
        "database",
        "it answers, with this user and password",
        database.answers,
        (
            *(database.WRONG_URL, database.NO_DRIVER, database.NO_ANSWER, database.REFUSED),
            *(database.WRONG_FILE, database.NOT_THERE_YET),
        ),
    ),
    Check(
        Group.DATABASE,
        "database-schema",
        "the ledger's schema is the one of this version",
        database.schema,
        (database.NEWER, database.OLD, database.NOT_THERE_YET),
    ),
    Check(
        Group.DATABASE,
        "database-writable",
        "the ledger can be written",
        database.writable,
        (database.READ_ONLY, database.CLOSED_FILE),
    ),
    Check(
        Group.DATABASE,
        "database-hosts",
        "SQLite only on a local disk and for one host",
        database.hosts,
        (database.SEVERAL_HOSTS, database.NETWORK_FILE),
    ),
    Check(
        Group.DATABASE,
        "database-connections",
        "PostgreSQL has five connections for each known worker, and ten for others",
        database.connections,
        (database.FEW_SESSIONS,),
    ),
    Check(
        Group.DATABASE,
        "database-durability",
        "what is committed is on disk",
        database.durability,
        (database.NOT_DURABLE, database.LATE_TO_DISK),
    ),
    Check(
        Group.DATABASE,
        "database-clock",
        "its clock, by which leases go, agrees with this host's within 5 seconds",
        clocks.database_clock_agrees,
        (clocks.FAR_OFF, clocks.WRONG_AGES),
    ),
    Check(
        Group.WORKERS, "workers", "where jobs wait, workers live", workers.living, (workers.NOBODY, workers.NOBODY_IDLE)
    ),
    Check(
        Group.WORKERS, "workers-health", "no worker is sick or silent", workers.health, (workers.SICK, workers.SILENT)
    ),
    Check(Group.WORKERS, "leases", "jobs whose lease ran out are handed back", workers.leases, (workers.EXPIRED,)),
    Check(Group.WORKERS, "messages", "jobs that wait have their messages", workers.messages, (workers.OWED,)),
    Check(
        Group.STORE,
        "store",
        "an object of its own is written, read back and removed",
        store.writable,
        (
            store.CLOSED,
            store.CANNOT_BE_MADE,
            store.FULL,
            store.READ_ONLY,
            store.FAILS,
            store.NOT_THERE_YET,
            store.WRONG_ADDRESS,
            store.BUCKET_AWAY,
            store.BUCKET_REFUSES,
        ),
    ),
    Check(
        Group.STORE,
        "store-space",
        "the disks of the store and of FARM_HOME have room for the edits that wait",
        store.space,
        (store.NO_ROOM, store.LITTLE_ROOM, store.NO_FILES),
    ),
    Check(Group.GPUS, "gpu-driver", "the driver answers", gpus.driver, (gpus.DRIVER_FAULT, gpus.NO_DRIVER)),
    Check(
        Group.GPUS,
        "gpu-visible",
        "CUDA_VISIBLE_DEVICES names GPUs that are there",
        gpus.visible,
        (gpus.NO_SUCH_GPU, gpus.HIDDEN),
    ),
    Check(Group.GPUS, "gpu-order", "a number means the same GPU to all", gpus.order, (gpus.ORDER,)),
    Check(
        Group.GPUS,
        "gpu-torch",
        "torch, in a process of its own, finds the GPUs and has kernels for them",
        gpus.torch_cuda,
        (
            *(gpus.TORCH_BROKEN, gpus.TORCH_FOR_CPUS, gpus.TORCH_NO_CUDA),
            *(gpus.NO_KERNELS, gpus.NO_TORCH, gpus.TORCH_SLOW),
        ),
    ),
    Check(
        Group.GPUS,
        "gpu-memory",
        "a GPU's memory is free, or held by this farm's workers, and enough for the waiting models",
        gpus.memory,
        (gpus.TAKEN, gpus.TOO_SMALL),
    ),
    Check(Group.GPUS, "gpu-health", "no memory errors", gpus.health, (gpus.MEMORY_ERRORS,)),
    Check(
        Group.MODELS,
        "weights",
        "the weights of waiting runs, and of `--model NAME`, are on this host and whole",
        models.weights,
        (models.NO_FOLDER, models.NOT_HERE_OFFLINE, models.NOT_HERE),
    ),
    Check(
        Group.MODELS,
        "weights-space",
        "there is room for weights that are still to be fetched",
        models.cache_space,
        (models.CACHE_FULL,),
    ),
    Check(
        Group.MODELS,
        "judges",
        "a judge behind a server has its key; with `--ask-judges`, it answers",
        models.judges,
        (models.NO_JUDGE, models.NO_KEY),
    ),
    Check(
        Group.DASHBOARD,
        "flower-login",
        "a Flower that is started from here asks for a login",
        dashboard.flower_login,
        (dashboard.OPEN_ADDRESS, dashboard.NO_LOGIN),
    ),
    Check(
        Group.DASHBOARD,
        "flower",
        "no Flower runs here that asks for none",
        dashboard.flower_running,
        (dashboard.OPEN_TO_NETWORK, dashboard.OPEN_HERE),
    ),
    Check(Group.DASHBOARD, "metrics", "the metrics are on loopback", dashboard.metrics, (dashboard.METRICS_OPEN,)),
    Check(Group.HOST, "packages", "Python packages go together", host.packages, (host.WRONG_VERSION,)),
    Check(Group.HOST, "memory", "host memory is left for models", host.memory, (host.NO_MEMORY, host.LITTLE_MEMORY)),
    Check(Group.HOST, "shared-memory", "/dev/shm has room", host.shared_memory, (host.LITTLE_SHARED,)),
    Check(Group.HOST, "open-files", "processes may open files enough", host.open_files, (host.FEW_FILES,)),
)
