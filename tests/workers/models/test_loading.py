"""Networks onto their device: which weights, how large, and how they leave for the host and come back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tests.workers.models.conftest import Weights
from workers.models.errors import DeviceBroken, ModelFault
from workers.models.loading import devices
from workers.models.loading.devices import is_out_of_memory, placement
from workers.models.loading.parking import HostCopy, host_bytes_of
from workers.models.loading.processors import is_processor, load_processor
from workers.models.loading.weights import (
    folder_at_hand,
    largest_file_bytes,
    stored_dtype,
    weight_bytes,
    weights_folder,
    weights_identity,
)

# -- parking -----------------------------------------------------------------------------------------------------------


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 3)
        self.again = self.linear  # shared
        self.register_buffer("counted", torch.arange(3.0))


class Memory:
    """Host memory of so many bytes; what is asked for is noted."""

    def __init__(self, size: int = 10**6) -> None:
        self.size, self.asked = size, list[int]()

    @contextmanager
    def reserve(self, count: int) -> Iterator[bool]:
        self.asked.append(count)
        yield count <= self.size


def host_copy(network: nn.Module) -> HostCopy:
    """Return a copy that takes the CPU for a device: pinning needs a GPU."""
    return HostCopy(
        [network], is_away=lambda tensor: True, allocate=lambda count: torch.empty(count, dtype=torch.uint8)
    )


def places(network: Network) -> list[int]:
    return [tensor.data_ptr() for tensor in (network.linear.weight, network.linear.bias, network.counted)]


def test_a_network_comes_back_as_it_left() -> None:
    network = Network()
    before, at_first = network.linear(network.counted).tolist(), places(network)
    parked = host_copy(network)

    assert parked.leave(Memory().reserve)
    on_the_host = places(network)
    parked.come_back()

    assert network.linear(network.counted).tolist() == before
    assert not set(at_first) & set(on_the_host) and not set(on_the_host) & set(places(network))


def test_the_copy_is_made_once_and_shared_weights_count_once() -> None:
    network, memory = Network(), Memory()
    parked = host_copy(network)

    for _ in range(2):
        assert parked.leave(memory.reserve)
        parked.come_back()

    assert memory.asked == [2048]  # three places of 512 bytes, rounded up to a power of two


def test_every_kind_of_tensor_is_kept_bit_for_bit() -> None:
    class Mixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("halved", torch.randn(3, 5).to(torch.bfloat16))
            self.register_buffer("small", torch.randn(7).to(torch.float8_e4m3fn))
            self.register_buffer("counted", torch.arange(5))
            self.register_buffer("one", torch.tensor(2.5))
            self.register_buffer("none", torch.empty(0, 4))
            self.register_buffer("turned", torch.randn(4, 6).t())

    network = Mixed()
    before = {name: (tensor.shape, tensor.float().tolist()) for name, tensor in network.named_buffers()}
    parked = host_copy(network)

    parked.leave(Memory().reserve)
    assert {name: (tensor.shape, tensor.float().tolist()) for name, tensor in network.named_buffers()} == before
    parked.come_back()
    assert {name: (tensor.shape, tensor.float().tolist()) for name, tensor in network.named_buffers()} == before


def test_the_full_size_models_take_hardly_more_of_the_host_than_their_weights() -> None:
    from diffusers import QwenImageTransformer2DModel

    with torch.device("meta"):
        transformer = QwenImageTransformer2DModel().to(torch.bfloat16)
    weights = sum(parameter.nbytes for parameter in transformer.parameters())

    assert weights == pytest.approx(40.9e9, rel=0.01)
    assert host_bytes_of([transformer]) < 1.06 * weights


def test_without_room_on_the_host_nothing_moves() -> None:
    network = Network()
    before = places(network)

    assert not host_copy(network).leave(Memory(size=10).reserve)
    assert places(network) == before


def test_without_room_on_the_device_everything_stays_on_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network()
    parked = host_copy(network)
    parked.leave(Memory().reserve)
    on_the_host = places(network)
    moves = iter([None, None])
    to = Tensor.to

    def crowded(self: Tensor, *args: object, **named: object) -> Tensor:
        if next(moves, "full") == "full":
            raise torch.OutOfMemoryError("CUDA out of memory")
        return to(self, *args, **named)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(Tensor, "to", crowded)
    with pytest.raises(torch.OutOfMemoryError):
        parked.come_back()

    assert places(network) == on_the_host


def test_what_is_on_the_host_already_takes_no_copy() -> None:
    memory = Memory(size=0)

    assert HostCopy([Network()]).leave(memory.reserve)
    assert memory.asked == [0]


# -- devices -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "shortage"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (MemoryError(), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:121] . DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("shape mismatch"), False),
        (ValueError("DefaultCPUAllocator"), False),
    ],
)
def test_a_lack_of_memory_is_told_from_other_errors(error: Exception, shortage: bool) -> None:
    assert is_out_of_memory(error) is shortage


def test_a_real_lack_of_host_memory_is_seen() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)

    assert is_out_of_memory(caught.value)


@pytest.mark.parametrize(("gpus", "where"), [(0, "cpu"), (1, "cuda"), (2, "balanced")])
def test_weights_go_to_the_gpus_that_the_worker_sees(monkeypatch: pytest.MonkeyPatch, gpus: int, where: str) -> None:
    monkeypatch.setattr(devices.torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(devices.torch.cuda, "device_count", lambda: gpus)

    assert placement(1000) == where


@pytest.mark.parametrize(
    ("built_for", "pinned", "broken"), [("13.0", "3", True), ("13.0", "", False), (None, "3", False)]
)
def test_a_gpu_that_is_pinned_and_not_to_be_seen_is_broken(
    monkeypatch: pytest.MonkeyPatch, built_for: str | None, pinned: str, broken: bool
) -> None:
    monkeypatch.setattr(devices.torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(devices.torch.version, "cuda", built_for)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", pinned)

    with pytest.raises(DeviceBroken, match="CUDA_VISIBLE_DEVICES=3") if broken else nullcontext():
        assert placement(1000) == "cpu"


def test_large_weights_do_not_go_to_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices.torch.cuda, "is_available", lambda: False)

    with pytest.raises(ModelFault, match=r"57\.7 GB of weights need a GPU"):
        placement(57_700_000_000)


# -- weights -----------------------------------------------------------------------------------------------------------


def test_a_local_folder_is_taken_as_it_is(weights: Weights) -> None:
    folder = weights("judge")

    assert weights_folder(str(folder), None) == folder == folder_at_hand(str(folder), None)


def test_what_has_to_be_fetched_is_not_at_hand() -> None:
    assert folder_at_hand("nobody/has-this", "main") is None


def test_sizes_are_those_of_the_weight_files(weights: Weights) -> None:
    folder = weights("qwen-image-edit-plus")
    sizes = [path.stat().st_size for path in folder.rglob("*.safetensors")]

    assert len(sizes) == 3
    assert (weight_bytes(folder), largest_file_bytes(folder)) == (sum(sizes), max(sizes))
    assert weight_bytes(folder / "tokenizer") == largest_file_bytes(folder / "tokenizer") == 0


def test_the_stored_type_is_read_from_the_files(weights: Weights, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(2, dtype=torch.float16)}, tmp_path / "model.safetensors")

    assert stored_dtype(tmp_path) == "float16"
    assert stored_dtype(weights("judge")) == "float32"


def test_weights_are_told_apart_by_their_content_and_not_by_their_place(weights: Weights, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "elsewhere"
    shutil.copytree(weights("judge"), copy)
    os.utime(copy / "model.safetensors", (0, 0))

    assert weights_identity(copy) == weights_identity(weights("judge"))
    assert weights_identity(weights("babbling")) != weights_identity(weights("judge"))


def test_a_hub_snapshot_is_known_by_its_commit(tmp_path: Path) -> None:
    snapshot = tmp_path / "models--owner--name" / "snapshots" / "0123abcd"
    snapshot.mkdir(parents=True)

    assert weights_identity(snapshot) == "commit 0123abcd"


# -- processors --------------------------------------------------------------------------------------------------------


def test_a_processor_pads_on_the_left_and_refuses_videos(weights: Weights) -> None:
    processor = load_processor(weights("judge"))

    assert processor.tokenizer.padding_side == "left"
    with pytest.raises(RuntimeError, match="videos are not processed"):
        processor.video_processor([])


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("Qwen2VLProcessor", True), ("Qwen3VLProcessor", True), ("CLIPTokenizer", False), ("No", False)],
)
def test_processors_are_known_by_their_class(name: str, is_one: bool) -> None:
    assert is_processor(name) is is_one
