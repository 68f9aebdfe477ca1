"""Hooks into the libraries that SDKs send their requests with."""

from __future__ import annotations

import importlib
import importlib.abc
import sys
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from llmspan._wire import Wire, guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from llmspan._httpx import Library
    from llmspan.recorder import Recorder


def instrument(*, recorder: Recorder | None = None) -> None:
    """See the model calls of every SDK, imported before or after.

    SDKs send with ``httpx``, ``httpx2``, ``aiohttp`` (from 3.12 on), ``requests`` or ``botocore``; those are hooked.

    Each physical request is an attempt, also those that an SDK repeats by itself. The attempts of one call are those in the block
    of an open :class:`llmspan.Call`; outside of one, requests that the SDK marks as retries, or sends again unchanged after a failure,
    belong to the call of the first of them. A call whose retries stop coming ends at its last failure.

    Calling it again changes nothing but the recorder.

    :param recorder: recorder of the calls; the one of :func:`llmspan.configure` when it is not said.
    """
    with _lock:
        _uninstrument()
        wire = Wire(recorder)
        for name, hook in _HOOKS.items():
            _waiting_for[name] = _bind(hook, wire)
        for name in list(_waiting_for):
            module = sys.modules.get(name)
            if module is not None and not getattr(getattr(module, "__spec__", None), "_initializing", False):
                _hook(name, module)
        sys.meta_path.insert(0, _finder)


def uninstrument() -> None:
    """Take the hooks out again. Responses that are being read are seen to their end."""
    with _lock:
        _uninstrument()


def is_instrumented() -> bool:
    """Say whether hooks are in place."""
    return _finder in sys.meta_path


def _uninstrument() -> None:
    if _finder in sys.meta_path:
        sys.meta_path.remove(_finder)
    _waiting_for.clear()
    while _patches:
        _patches.pop().undo()


class _Patch(NamedTuple):
    """A method that was replaced."""

    owner: type
    name: str
    original: Callable[..., Any]
    replacement: Callable[..., Any]

    def undo(self) -> None:
        # Somebody may have wrapped what is here: then it stays, and passes everything on.
        if vars(self.owner).get(self.name) is self.replacement:
            setattr(self.owner, self.name, self.original)
        else:
            _disabled.add(self.replacement)


def _patch(owner: type, name: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    original = vars(owner)[name]
    while original in _disabled:
        # Somebody put back what they found.
        original = original.__wrapped__
    replacement = wrap(original)
    replacement.__wrapped__ = original  # type: ignore[attr-defined]
    setattr(owner, name, replacement)
    _patches.append(_Patch(owner, name, original, replacement))


def _httpx(module: ModuleType, wire: Wire) -> None:
    library: Library = importlib.import_module(f"llmspan.{module.__name__}").library

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        def _send_single_request(self: Any, request: Any) -> Any:
            if _send_single_request in _disabled:
                return original(self, request)
            return library.send(wire, request, lambda request: original(self, request))

        return _send_single_request

    def wrap_async(original: Callable[..., Any]) -> Callable[..., Any]:
        async def _send_single_request(self: Any, request: Any) -> Any:
            if _send_single_request in _disabled:
                return await original(self, request)
            return await library.send_async(wire, request, lambda request: original(self, request))

        return _send_single_request

    _patch(module.Client, "_send_single_request", wrap)
    _patch(module.AsyncClient, "_send_single_request", wrap_async)


def _botocore(module: ModuleType, wire: Wire) -> None:
    _urllib3(module.URLLib3Session, wire)


def _requests(module: ModuleType, wire: Wire) -> None:
    _urllib3(module.HTTPAdapter, wire)


def _urllib3(owner: type, wire: Wire) -> None:
    from llmspan import _urllib3 as hooks  # noqa: PLC0415 - it is not needed without

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        def send(self: Any, request: Any, *arguments: Any, **options: Any) -> Any:
            if send in _disabled:
                return original(self, request, *arguments, **options)
            return hooks.send(wire, request, lambda request: original(self, request, *arguments, **options))

        return send

    _patch(owner, "send", wrap)


def _aiohttp(module: ModuleType, wire: Wire) -> None:
    import inspect  # noqa: PLC0415 - it takes long to load, and aiohttp has done so

    if "middlewares" not in inspect.signature(module.ClientSession._request).parameters:
        # Older than 3.12.
        return
    from llmspan import _aiohttp as hooks  # noqa: PLC0415 - it is not needed without

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        async def _request(self: Any, method: str, str_or_url: Any, **options: Any) -> Any:
            if _request in _disabled:
                return await original(self, method, str_or_url, **options)
            decodes, given = options.get("auto_decompress"), options.get("middlewares")
            seeing = hooks.Seeing(wire, is_decoded=self.auto_decompress if decodes is None else decodes)
            options["middlewares"] = (*(self._middlewares if given is None else given), seeing)
            try:
                return await original(self, method, str_or_url, **options)
            except BaseException as error:
                seeing.failed(error)
                raise

        return _request

    _patch(module.ClientSession, "_request", wrap)


_HOOKS: dict[str, Callable[[ModuleType, Wire], None]] = {
    "aiohttp": _aiohttp,
    "httpx": _httpx,
    "httpx2": _httpx,
    "requests.adapters": _requests,
    "botocore.httpsession": _botocore,
}


def _bind(hook: Callable[[ModuleType, Wire], None], wire: Wire) -> Callable[[ModuleType], None]:
    return guarded(lambda module: hook(module, wire))


def _hook(name: str, module: ModuleType) -> None:
    hook = _waiting_for.pop(name, None)
    if hook is not None:
        hook(module)


class _Finder(importlib.abc.MetaPathFinder):
    """Hooks modules when they are imported for the first time."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module that is waited for, with a loader that hooks it."""
        if fullname not in _waiting_for:
            return None
        for finder in sys.meta_path:
            spec = finder.find_spec(fullname, path, target) if finder is not self else None
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Loader(spec.loader)
                return spec
        return None


class _Loader(importlib.abc.Loader):
    """Loads a module as another loader does, and then hooks it."""

    def __init__(self, loader: importlib.abc.Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        _hook(module.__name__, module)


_lock = threading.RLock()
_finder = _Finder()
_waiting_for: dict[str, Callable[[ModuleType], None]] = {}
_patches: list[_Patch] = []
_disabled: set[Callable[..., Any]] = set()
