"""Compiled programs kept on disk between processes.

Compiling a contraction takes seconds and running it microseconds, so what was compiled once is loaded the next time:
by a key of what is computed, the versions of JAX and of the machine's kind.  The cache is our own, so that neither JAX
nor the host program sees anything of it: JAX's own cache is one setting for the whole process, which stays as the host
has it.

What lies in the directory is executed.  So it is the user's own (mode 0700), and one that anybody else may write in is
refused.  `SUTURE_COMPILE_CACHE` names another directory, or turns the cache off (`off`).
"""

from __future__ import annotations

import hashlib
import os
import pickle
import platform
import stat
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from ...dsl.diagnostics import Diagnostic, SutureError

CACHE_VARIABLE = "SUTURE_COMPILE_CACHE"
MOST_BYTES = 512 << 20
_OFF = ("off", "none", "no", "0", "false")


def kept(key: str, devices: tuple[Any, ...], build: Callable[[], Any]) -> Any:
    """The compiled program of a key: from the cache, or built and put there.

    `build` gives a `jax.stages.Compiled`.  Raises `SutureError` S484 where the cache's directory is not safe.
    """
    folder = cache_directory()
    if folder is None:
        return build()
    path = folder / f"{_digest(key, devices)}.bin"
    found = _loaded(path, devices)
    if found is None:
        found = build()
        _store(path, found)
    return found


def cache_directory() -> Path | None:
    """Where compiled programs are kept, made where it is missing; None where they are not kept.

    `SUTURE_COMPILE_CACHE` if it is set (`off` for none), else `suture/compiled` below `XDG_CACHE_HOME` or `~/.cache`;
    none where that cannot be made.  Raises `SutureError` S484 where others may write in it.
    """
    named = os.environ.get(CACHE_VARIABLE, "").strip()
    if named.lower() in _OFF:
        return None
    if named:
        return _private(Path(named).expanduser())
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        path = (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "suture" / "compiled"
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # no home, or one that cannot be written: there is nothing to keep
        return None
    return _private(path)


def _private(path: Path) -> Path:
    """The directory, made with mode 0700 where it is missing, refused where others may write in it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.stat()
    except OSError as error:
        raise SutureError(_unusable(path, error.strerror or str(error))) from None
    if hasattr(os, "getuid") and found.st_uid != os.getuid():
        raise SutureError(_unusable(path, "it belongs to another user"))
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise SutureError(_unusable(path, "others may write in it"))
    return path


def _unusable(path: Path, reason: str) -> Diagnostic:
    message = f"compiled programs cannot be kept in {path}: {reason}"
    return Diagnostic(
        "S484", message, help=f"set {CACHE_VARIABLE} to a directory of your own with mode 0700, or to off"
    )


# ---------------------------------------------------------------------------------------------------------------------
# Files


def _digest(key: str, devices: tuple[Any, ...]) -> str:
    """The name of a program: what it computes, and everything that decides whether it runs here."""
    kinds = [f"{each.platform}:{each.device_kind}:{each.id}" for each in devices]
    whole = "\n".join([key, *kinds, machine()])
    return hashlib.sha256(whole.encode()).hexdigest()[:40]


@lru_cache(maxsize=1)
def machine() -> str:
    """What a compiled program depends on besides its key: this package, JAX, the processor, the compiler's options."""
    from importlib.metadata import version

    import jax

    flags = ""
    if os.path.exists("/proc/cpuinfo"):
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
        flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    parts = [jax.__version__, version("jaxlib"), platform.machine(), platform.system(), flags]
    return "\n".join([*parts, os.environ.get("XLA_FLAGS", ""), _sources()])


def _sources() -> str:
    """A digest of this package's meaning: a program compiled from other sources is another program."""
    folder = Path(__file__).parent
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(folder.glob("*.py")))).hexdigest()


def _loaded(path: Path, devices: tuple[Any, ...]) -> Any:
    """The program in a file; None where there is none that can be used."""
    from jax.experimental.serialize_executable import deserialize_and_load

    try:
        found = path.stat()
        if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) or (hasattr(os, "getuid") and found.st_uid != os.getuid()):
            return None
        program = pickle.loads(path.read_bytes())
        made = deserialize_and_load(*program, backend=devices[0].client, execution_devices=list(devices))
        os.utime(path)
    except Exception:  # whatever is wrong with a kept program, it is compiled again
        return None
    return made


def _store(path: Path, compiled: Any) -> None:
    """Write a program beside its place, then into it; what cannot be kept is not."""
    from jax.experimental.serialize_executable import serialize

    beside = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        content = pickle.dumps(serialize(compiled))
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
        beside.replace(path)
        _shrink(path.parent)
    except Exception:  # a full disk or a program that cannot be written: the answer does not depend on it
        beside.unlink(missing_ok=True)


def _shrink(folder: Path) -> None:
    """Drop the programs used longest ago, where all of them take more than `MOST_BYTES`."""
    files = sorted(((file.stat(), file) for file in folder.glob("*.bin")), key=lambda pair: pair[0].st_mtime)
    total = sum(found.st_size for found, _ in files)
    for found, file in files:
        if total <= MOST_BYTES:
            return
        file.unlink(missing_ok=True)
        total -= found.st_size
