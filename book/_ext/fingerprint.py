"""One short name for the content of files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


def fingerprint(paths: Iterable[Path]) -> str:
    """Hash names and contents of files, and of all files in folders; compiled Python does not count.

    Raises FileNotFoundError for a path that does not exist.
    """
    digest = hashlib.sha256()
    for top in paths:
        if not top.exists():
            raise FileNotFoundError(f"{top} is part of the notebooks' cache key, but does not exist.")
        files = [top] if top.is_file() else sorted(p for p in top.rglob("*") if p.is_file() and p.suffix != ".pyc")
        for path in files:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.relative_to(top.parent).as_posix()}\0{content}\0".encode())
    return digest.hexdigest()[:16]
