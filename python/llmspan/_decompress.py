"""Compressed response bodies, decompressed beside the application's own reading."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def decompressor(content_encoding: str) -> Callable[[bytes], bytes] | None:
    """Make a function that takes the next bytes of a body and gives what they stand for.

    ``None`` for encodings that are not known, or whose library is not there: the engine then counts a compressed body. After an
    error the function gives nothing more.
    """
    names = [name.strip().lower() for name in content_encoding.split(",")]
    names = [name for name in names if name not in {"", "identity"}]
    if len(names) != 1:
        return None
    make = {"gzip": _zlib, "x-gzip": _zlib, "deflate": _deflate, "br": _brotli, "zstd": _zstd}.get(names[0])
    decompress = make() if make is not None else None
    return _stopping_at_errors(decompress) if decompress is not None else None


def _zlib() -> Callable[[bytes], bytes]:
    import zlib  # noqa: PLC0415 - only for bodies that are compressed

    # 32 more than the largest window: the header tells gzip from zlib.
    return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress


def _deflate() -> Callable[[bytes], bytes]:
    import zlib  # noqa: PLC0415 - only for bodies that are compressed

    wrapped, bare = zlib.decompressobj(), zlib.decompressobj(-zlib.MAX_WBITS)
    decompress = None

    def go_on(chunk: bytes) -> bytes:
        # Some servers leave out the header that RFC 9110 asks for.
        nonlocal decompress
        if decompress is None and chunk:
            decompress = wrapped.decompress if chunk[0] & 0x0F == zlib.DEFLATED else bare.decompress
        return decompress(chunk) if decompress is not None else b""

    return go_on


def _brotli() -> Callable[[bytes], bytes] | None:
    for name in ("brotli", "brotlicffi"):
        try:
            decompressor = importlib.import_module(name).Decompressor()
        except ImportError:
            continue
        decompress: Callable[[bytes], bytes] = getattr(decompressor, "decompress", None) or decompressor.process
        return decompress
    return None


def _zstd() -> Callable[[bytes], bytes] | None:
    for name in ("compression.zstd", "backports.zstd"):
        try:
            decompressor = importlib.import_module(name).ZstdDecompressor()
        except ImportError:
            continue
        decompress: Callable[[bytes], bytes] = decompressor.decompress
        return decompress
    try:
        decompress = importlib.import_module("zstandard").ZstdDecompressor().decompressobj().decompress
    except ImportError:
        return None
    return decompress


def _stopping_at_errors(decompress: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    failed = False

    def go_on(chunk: bytes) -> bytes:
        nonlocal failed
        if failed:
            return b""
        try:
            return decompress(chunk)
        except Exception:
            failed = True
            return b""

    return go_on
