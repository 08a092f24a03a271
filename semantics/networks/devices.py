"""Where and how compiled contractions run: precision and devices.

Precision.  Probabilities need float64, and JAX has it switched off for the whole process unless asked.  Everything here
runs inside `precision()`, which asks for it in the current thread alone and gives it back; the host program's setting
is never changed.

Devices.  `devices_named` finds the devices that a name means; batches are split over several of them with JAX's own
sharding, along one axis of the batch.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

from ...dsl.diagnostics import Diagnostic, SutureError


@contextmanager
def precision() -> Generator[None]:
    """float64 in JAX for the current thread, whatever the host program has set.

    >>> import jax.numpy as jnp
    >>> with precision():
    ...     inside = jnp.zeros(1).dtype
    >>> str(inside)
    'float64'
    """
    import jax

    with jax.enable_x64(True):
        yield


# ---------------------------------------------------------------------------------------------------------------------
# Devices


def devices_named(name: str | Sequence[Any] | None) -> tuple[Any, ...]:
    """The JAX devices that a name means: None the default one, `cpu`, `gpu`, `tpu` or `all` every one of those, `cpu:1`
    one of them; a sequence of JAX devices is taken as it is.

    Raises `SutureError` S483 where this machine has none of that name.
    """
    import jax

    if name is None:
        return (jax.devices()[0],)
    if not isinstance(name, str):
        return tuple(name)
    if name == "all":
        return tuple(jax.devices())
    platform, _, number = name.partition(":")
    try:
        found = tuple(jax.devices(platform))
        return (found[int(number)],) if number else found
    except (RuntimeError, IndexError, ValueError):
        known = sorted({f"{each.platform}:{each.id}" for each in jax.devices()})
        message = f"there is no device '{name}' here"
        raise SutureError(Diagnostic("S483", message, help=f"JAX sees {', '.join(known)}")) from None


def sharding(devices: tuple[Any, ...], dimension: int | None) -> Any:
    """How an array lies on the devices: split along one of its dimensions, or whole on each of them."""
    from jax.sharding import NamedSharding, PartitionSpec, SingleDeviceSharding

    if len(devices) == 1:
        return SingleDeviceSharding(devices[0])
    spec = PartitionSpec() if dimension is None else PartitionSpec(*([None] * dimension), "batch")
    return NamedSharding(_mesh(devices), spec)


def _mesh(devices: tuple[Any, ...]) -> Any:
    import numpy as np
    from jax.sharding import Mesh

    return Mesh(np.array(devices, dtype=object), ("batch",))
