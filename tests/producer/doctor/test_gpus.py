"""What the doctor makes of GPUs: an executable of the name `nvidia-smi` prints what the driver's tool would print."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from db.engine import open_engine
from db.gpus import DriverFault, look_at_gpus, visible_gpus
from db.owner import Process, this_host
from db.presence import enter_worker
from producer.doctor import gpus as gpu_checks
from producer.doctor.finding import State
from producer.doctor.gpus import _has_kernels
from producer.doctor.torch import Torch, TorchFault, ask_torch
from tests.farm.conftest import ROOT
from tests.producer.doctor.conftest import Look, commands_of, states

H200 = "GPU-8f6a3c1e-0b1d-4f6e-9a37-2b1f0c9d7e{index:02}, NVIDIA H200"
L4 = "GPU-1c0d9f2b-7a54-4c3e-8f10-6d5e4c3b2a{index:02}, NVIDIA L4"

Tool = Callable[..., None]


@pytest.fixture
def nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tool:
    """Put a driver's tool first on PATH, which prints rows of GPUs (used and total MiB, errors) and of processes."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def put(*gpus: str, apps: str = "", code: int = 0, says: str = "") -> None:
        rows = [f"{index}, {gpu.format(index=index)}, 550.54.15" for index, gpu in enumerate(gpus)]
        printed = {
            "--query-gpu=index,uuid": "\n".join(rows),
            "--query-gpu=index ": "\n".join(map(str, range(len(gpus)))),
        }
        cases = "".join(f"  *'{query}'*) printf '%s\\n' '{text}' ;;\n" for query, text in printed.items())
        tool = folder / "nvidia-smi"
        failing = f"echo '{says}'\nexit {code}\n" if code else ""
        tool.write_text(
            f"#!/bin/sh\n{failing}case \"$* \" in\n{cases}  *compute-apps*) printf '%s' '{apps}' ;;\nesac\n"
        )
        tool.chmod(0o755)

    return put


FREE, FULL, BROKEN = f"{H200}, 1, 143771, 0", f"{H200}, 90000, 143771, 0", f"{H200}, 1, 143771, 7"
SMALL = f"{L4}, 1, 23034, [N/A]"


def test_a_machine_without_a_driver_is_a_note_and_nothing_else_is_said(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    assert states(look("gpu-driver")) == [State.NOTE]
    for name in ("gpu-visible", "gpu-order", "gpu-torch", "gpu-memory", "gpu-health"):
        assert look(name) == [], name


def test_gpus_that_are_free_and_sound_are_ok(look: Look, nvidia_smi: Tool) -> None:
    nvidia_smi(FREE, FREE)

    (found,) = look("gpu-driver")

    assert found.seen == "driver 550.54.15; 0: NVIDIA H200, 1: NVIDIA H200"
    for name in ("gpu-visible", "gpu-order", "gpu-memory", "gpu-health"):
        assert {*states(look(name))} == {State.OK}, name
    assert visible_gpus() == ["0", "1"]


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (9, "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."),
        (18, "Failed to initialize NVML: Driver/library version mismatch"),
    ],
)
def test_a_driver_that_does_not_answer_is_a_fault_in_its_own_words(
    look: Look, nvidia_smi: Tool, code: int, says: str
) -> None:
    nvidia_smi(code=code, says=says.replace("'", "'\\''"))

    (found,) = look("gpu-driver")

    assert (found.state, found.seen) == (State.FAULT, says)
    assert look("gpu-memory") == []
    assert visible_gpus() == []


LOST = "Unable to determine the device handle for GPU 0000:06:00.0: Unknown Error"


def test_a_gpu_that_the_driver_has_lost_is_a_fault_in_its_own_words(look: Look, nvidia_smi: Tool) -> None:
    nvidia_smi(f"{FREE}, 550.54.15\n{LOST}")

    (found,) = look("gpu-driver")

    assert (found.state, found.seen) == (State.FAULT, f"nvidia-smi: {LOST}, 550.54.15")


def test_a_driver_that_hangs_is_given_up(nvidia_smi: Tool, tmp_path: Path) -> None:
    (tmp_path / "bin" / "nvidia-smi").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "bin" / "nvidia-smi").chmod(0o755)

    with pytest.raises(DriverFault, match="has not answered"):
        look_at_gpus(seconds=0.2)


@pytest.mark.parametrize("pinned", ["3", "0,3", "GPU-ffffffff"])
def test_a_pinned_gpu_that_is_not_there_is_a_fault_and_its_fix_mends_it(
    look: Look, nvidia_smi: Tool, pinned: str
) -> None:
    nvidia_smi(FREE)  # as in a container that was given one GPU of eight

    (found,) = look("gpu-visible", CUDA_VISIBLE_DEVICES=pinned)

    assert found.state is State.FAULT
    _, value = commands_of(found)[0].split("=")
    assert states(look("gpu-visible", CUDA_VISIBLE_DEVICES=value)) == [State.OK]


@pytest.mark.parametrize("pinned", ["0", "1,0", "GPU-8f6a", "MIG-4d1f"])
def test_a_pinned_gpu_may_be_named_by_index_or_by_uuid(look: Look, nvidia_smi: Tool, pinned: str) -> None:
    nvidia_smi(FREE, FREE)

    assert states(look("gpu-visible", CUDA_VISIBLE_DEVICES=pinned)) == [State.OK]


def test_hidden_gpus_are_a_note(look: Look, nvidia_smi: Tool) -> None:
    nvidia_smi(FREE)

    assert states(look("gpu-visible", CUDA_VISIBLE_DEVICES="")) == [State.NOTE]


def test_gpus_of_different_kinds_in_cudas_own_order_are_a_warning_and_its_fix_mends_it(
    look: Look, nvidia_smi: Tool
) -> None:
    nvidia_smi(SMALL, FREE)

    (found,) = look("gpu-order")

    assert found.state is State.WARNING
    name, value = commands_of(found)[0].removeprefix("export ").split("=")
    assert states(look("gpu-order", **{name: value})) == [State.OK]


@pytest.mark.parametrize("ours", ["0", H200[:12]])
def test_memory_that_others_hold_is_a_warning_that_names_them_and_our_workers_may_hold_it(
    look: Look, nvidia_smi: Tool, sqlite_url: str, ours: str
) -> None:
    nvidia_smi(FULL, FREE, apps=f"{H200.format(index=0).partition(',')[0]}, 4711, /usr/bin/python3\n")
    engine = open_engine(sqlite_url)

    taken, free = look("gpu-memory", FARM_DATABASE_URL=sqlite_url)

    assert (taken.state, free.state) == (State.WARNING, State.OK)
    assert taken.seen.endswith("held by python3 4711")
    assert "--gpus 1`" in (taken.fix or "")
    enter_worker(engine, f"edit-gpu{ours}", Process(this_host(), 1, "1"), ours)
    engine.dispose()
    assert states(look("gpu-memory")) == [State.OK, State.OK]


def test_uncorrected_memory_errors_are_a_fault(look: Look, nvidia_smi: Tool) -> None:
    nvidia_smi(FREE, BROKEN)

    (found,) = look("gpu-health")

    assert (found.state, found.seen) == (State.FAULT, "GPU 1: 7 uncorrected memory errors")


# -- torch -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "state"),
    [
        (Torch("12.8", True, ["sm_90", "compute_90"], [("NVIDIA H200", 90)], ""), State.OK),
        (Torch(None, False, [], [], ""), State.FAULT),
        (Torch("13.0", False, [], [], "the NVIDIA driver on your system is too old"), State.FAULT),
        (Torch("11.8", True, ["sm_80"], [("NVIDIA H200", 90)], ""), State.FAULT),
    ],
)
def test_a_torch_that_cannot_use_the_gpus_is_a_fault(
    look: Look, nvidia_smi: Tool, monkeypatch: pytest.MonkeyPatch, told: Torch, state: State
) -> None:
    nvidia_smi(FREE)
    monkeypatch.setattr(gpu_checks, "ask_torch", lambda: told)

    assert states(look("gpu-torch")) == [state]


@pytest.mark.parametrize(
    ("capability", "kernels", "has"),
    [
        (90, ["sm_90"], True),
        (89, ["sm_80", "sm_86"], True),  # binaries run on later minors of their generation
        (120, ["sm_90"], False),
        (120, ["compute_90"], True),  # and intermediate code on every later GPU
        (75, ["sm_80"], False),
    ],
)
def test_kernels_fit_their_generation_and_intermediate_code_all_later_ones(
    capability: int, kernels: list[str], has: bool
) -> None:
    assert _has_kernels(capability, kernels) is has


def test_a_real_torch_tells_in_a_process_of_its_own_what_it_was_built_for() -> None:
    pytest.importorskip("importlib.metadata").version("torch")

    told = ask_torch(seconds=60)

    assert told.cuda is None or told.cuda[0].isdigit()


def test_a_torch_that_does_not_come_to_an_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torch.py").write_text("import time; time.sleep(60)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    with pytest.raises(TorchFault, match="has not ended"):
        ask_torch(seconds=0.3)


def test_a_torch_that_cannot_be_imported_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('libcudart.so.12: cannot open shared object file')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    with pytest.raises(TorchFault, match=r"libcudart\.so\.12"):
        ask_torch(seconds=20)
    assert "torch" not in sys.modules or tmp_path not in Path(sys.modules["torch"].__file__ or "").parents


# -- the driver's library, where its tool is missing -------------------------------------------------------------------

NVML = r"""
#include <string.h>
typedef struct { unsigned long long total, free, used; } memory;
int nvmlInitWithFlags(unsigned flags) { return 0; }
int nvmlInit_v2(void) { return 0; }
int nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(int code) { return code == 15 ? "GPU is lost" : "another error"; }
int nvmlSystemGetDriverVersion(char *text, unsigned length) { strcpy(text, "550.54.15"); return 0; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 1; return COUNT_CODE; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) { *device = (void *)1; return 0; }
int nvmlDeviceGetUUID(void *device, char *text, unsigned length) { strcpy(text, "GPU-8f6a"); return 0; }
int nvmlDeviceGetName(void *device, char *text, unsigned length) { strcpy(text, "NVIDIA L4"); return 0; }
int nvmlDeviceGetMemoryInfo(void *device, memory *found) { found->total = 24; found->used = 4; return 0; }
int nvmlDeviceGetTotalEccErrors(void *device, int kind, int counter, unsigned long long *count) { return 3; }
int nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned *count, void *found) { *count = 0; return 0; }
"""


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs a C compiler")
@pytest.mark.parametrize(
    ("count_code", "told"),
    [
        (0, "gpus=[Gpu(index=0, uuid='GPU-8f6a', name='NVIDIA L4', memory_used_bytes=4, memory_total_bytes=24,"),
        (15, "DriverFault: GPU is lost"),
    ],
)
def test_without_the_drivers_tool_its_library_is_asked(tmp_path: Path, count_code: int, told: str) -> None:
    """A library of the driver's name answers as the driver's would."""
    source, library = tmp_path / "nvml.c", tmp_path / "libnvidia-ml.so.1"
    source.write_text(NVML.replace("COUNT_CODE", str(count_code)))
    subprocess.run([str(shutil.which("gcc")), "-shared", "-fPIC", "-w", "-o", library, source], check=True)

    code = "from db.gpus import look_at_gpus; print(look_at_gpus())"
    environment = {"LD_LIBRARY_PATH": str(tmp_path), "PATH": "/nowhere"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True)

    assert told in done.stdout + done.stderr
