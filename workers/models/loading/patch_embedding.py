"""The patch embedding of Qwen-VL vision towers as a matrix product.

It is a 3-D convolution whose stride is its kernel, so every patch is multiplied once with the flattened kernel. cuDNN
has no fast kernel for that in bfloat16 on several versions: seconds a call on an H100 in place of milliseconds.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional


def linearize_patch_embedding(model: nn.Module) -> int:
    """Replace every such embedding within the model, weights untouched; return how many there were."""
    replaced = 0
    for module in model.modules():
        convolution = getattr(module, "proj", None)
        takes_patches = hasattr(module, "temporal_patch_size")  # others are given whole frames
        if takes_patches and isinstance(convolution, nn.Conv3d) and _is_a_product(convolution):
            module.forward = _Product(convolution)
            replaced += 1
    return replaced


def _is_a_product(convolution: nn.Conv3d) -> bool:
    return (
        tuple(convolution.stride) == tuple(convolution.kernel_size)
        and convolution.padding == (0, 0, 0)
        and tuple(convolution.dilation) == (1, 1, 1)
        and convolution.groups == 1
    )


class _Product:
    """Maps flattened patches (N, channels * depth * height * width) to embeddings (N, out_channels)."""

    def __init__(self, convolution: nn.Conv3d) -> None:
        self._convolution = convolution

    def __call__(self, patches: Tensor, *_: Any) -> Tensor:
        weight = self._convolution.weight
        flat = patches.reshape(-1, weight[0].numel()).to(weight.dtype)
        return functional.linear(flat, weight.flatten(1), self._convolution.bias)
