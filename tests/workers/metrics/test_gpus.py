"""What a worker tells of its GPUs; there is none here, so a module stands in for the driver's."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from workers.metrics.gpus import UnknownOrder, own_gpus


class NotSupported(Exception):
    pass


class NotFound(Exception):
    pass


class NoDriver(Exception):
    pass


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Three GPUs and a slice of one, as NVML shows them."""
    nvml: Any = ModuleType("pynvml")
    gpus = [SimpleNamespace(uuid=f"GPU-{letter}{letter}11", index=i, name="H200") for i, letter in enumerate("abc")]
    part = SimpleNamespace(uuid="MIG-5", index=0, name="H200 1g")

    def by_uuid(uuid: str) -> Any:
        if uuid != part.uuid:
            raise NotFound
        return part

    def rates(gpu: Any) -> Any:
        if gpu is part:
            raise NotSupported
        return SimpleNamespace(gpu=10 * gpu.index + 5)

    nvml.gpus = gpus
    nvml.NVMLError_LibraryNotFound = nvml.NVMLError_DriverNotLoaded = NoDriver
    nvml.NVMLError_NotSupported, nvml.NVMLError_NotFound, nvml.NVMLError_InvalidArgument = (
        NotSupported,
        NotFound,
        NotFound,
    )
    nvml.nvmlInit = nvml.nvmlShutdown = lambda: None
    nvml.nvmlDeviceGetCount = lambda: len(gpus)
    nvml.nvmlDeviceGetHandleByIndex = gpus.__getitem__
    nvml.nvmlDeviceGetHandleByUUID = by_uuid
    nvml.nvmlDeviceGetUUID = lambda gpu: gpu.uuid
    nvml.nvmlDeviceGetIndex = lambda gpu: gpu.index
    nvml.nvmlDeviceGetName = lambda gpu: gpu.name
    nvml.nvmlDeviceGetMemoryInfo = lambda gpu: SimpleNamespace(used=gpu.index + 1, total=100)
    nvml.nvmlDeviceGetUtilizationRates = rates
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    return nvml  # type: ignore[no-any-return]


def uuids(pinned: str | None, **more: str) -> list[str]:
    environment = more if pinned is None else {"CUDA_VISIBLE_DEVICES": pinned, **more}
    return list(dict.fromkeys(reading.labels["uuid"] for reading in own_gpus(environment)))


@pytest.mark.parametrize(
    ("pinned", "own"),
    [
        (None, ["GPU-aa11", "GPU-bb11", "GPU-cc11"]),
        ("", []),
        ("-1", []),
        ("2,0", ["GPU-cc11", "GPU-aa11"]),
        ("1,7,2", ["GPU-bb11"]),  # CUDA ignores what it does not know, and all behind it
        ("GPU-bb11", ["GPU-bb11"]),
        ("GPU-b, 0", ["GPU-bb11", "GPU-aa11"]),
        ("GPU-", []),  # more than one is meant
        ("MIG-5", ["MIG-5"]),
        ("MIG-6", []),
    ],
)
def test_a_worker_tells_of_the_gpus_that_cuda_shows_it(driver: ModuleType, pinned: str | None, own: list[str]) -> None:
    assert uuids(pinned) == own


def test_memory_is_in_bytes_utilisation_from_0_to_1_and_a_slice_has_none(driver: ModuleType) -> None:
    (used, total, share) = own_gpus({"CUDA_VISIBLE_DEVICES": "2"})
    assert (used.value, total.value, share.value) == (3, 100, 0.25)
    assert share.labels == {"uuid": "GPU-cc11", "index": "2"}
    assert len(own_gpus({"CUDA_VISIBLE_DEVICES": "MIG-5"})) == 2


def test_among_unlike_gpus_an_index_counts_only_where_cuda_counts_by_bus(driver: Any) -> None:
    driver.gpus[1].name = "T4"
    assert uuids("1", CUDA_DEVICE_ORDER="PCI_BUS_ID") == ["GPU-bb11"]
    assert uuids("GPU-bb11") == ["GPU-bb11"]
    with pytest.raises(UnknownOrder, match="CUDA_DEVICE_ORDER=PCI_BUS_ID"):
        uuids("1")


def test_without_a_driver_or_its_library_there_are_no_gpus(driver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise NoDriver

    driver.nvmlInit = fail
    assert uuids("0") == []
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert uuids("0") == []
