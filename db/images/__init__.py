"""The image store: image bytes by the digest of their content, in a local folder or in a bucket.

A name is written once and never changed, so readers need no lock. Bytes are durable before `put` returns. What may be
removed is decided elsewhere (`db.upkeep.gc`).
"""

from db.images.folder import FolderStore
from db.images.store import DAMAGED, MISSING, ImageMissing, ImageSource, ImageStore, Stored, digest_of, faults_among

__all__ = [
    "DAMAGED",
    "MISSING",
    "FolderStore",
    "ImageMissing",
    "ImageSource",
    "ImageStore",
    "Stored",
    "digest_of",
    "faults_among",
]
