"""Pictures in the place of those that published scores do not bring: one grey pixel, and a name in their bytes."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache

from PIL import Image

_HEADER_BYTES = 33
"""Of the signature and the first chunk of a PNG, behind which a text may stand."""


def placeholder(*names: str) -> bytes:
    """Return a PNG that says what it stands for.

    The ledger knows images by the digest of their bytes: other names give another picture, so that what shares a source
    image can still be told from what does not; and whoever opens it finds a picture.
    """
    grey, text = _grey(), "\n".join(("not published", *names))  # no name holds a line break: none reads as two
    return grey[:_HEADER_BYTES] + _text_chunk(text) + grey[_HEADER_BYTES:]


@cache
def _grey() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (1, 1), "grey").save(buffer, "PNG")
    return buffer.getvalue()


def _text_chunk(text: str) -> bytes:
    """Return an international text chunk, not compressed, of no language (PNG specification, 11.3.3.4)."""
    content = b"iTXt" + b"Comment\0" + bytes([0, 0]) + b"\0" + b"\0" + text.encode()
    return struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
