"""Where compiled programs run: precision asked for the thread alone, devices, and the cache between processes.

Each of these is about a whole process, so each runs in one of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from suture.dsl.diagnostics import SutureError
from suture.semantics.networks.compile_cache import cache_directory
from suture.semantics.networks.devices import devices_named

ROOT = Path(__file__).parents[2]

MODEL = """
import numpy as np, suture
from suture.dsl.diagram import model_diagram
from suture.semantics.random_models import random_model
parents = {"A": (), "B": ("A",), "C": ("A", "B"), "D": ("C",)}
model = random_model(model_diagram(parents), np.random.default_rng(0), {"A": 3, "C": 3})
"""


def run(code: str, **environment: str) -> str:
    """The output of a program in a process of its own."""
    chosen = {**os.environ, "SUTURE_COMPILE_CACHE": "off", **environment}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=chosen, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip()


def test_a_float32_program_stays_one() -> None:
    """Before, during (in another thread, and by a function compiled earlier) and after the engine's work."""
    said = run(
        """
import threading
import jax, jax.numpy as jnp
square = jax.jit(lambda x: x * x)
def kinds():
    return [str(jnp.zeros(2).dtype), str(square(1.5).dtype), str(jnp.asarray(0.1).dtype), jax.config.jax_enable_x64]
before = kinds()
"""
        + MODEL
        + """
from suture.semantics.networks import compiled
from suture.semantics.networks import inference
during = []
original = compiled._compiled
def watched(request):
    thread = threading.Thread(target=lambda: during.append(kinds()))
    thread.start(); thread.join()
    return original(request)
compiled._compiled = watched
table = suture.Engine(model, path="jax").posterior("A", {"D": ["0", "1"]})
assert table.values.dtype == np.float64
assert during and all(each == before for each in during), during
assert kinds() == before, kinds()
print(before)
"""
    )
    assert said == "['float32', 'float32', 'float32', False]"


def test_a_program_that_wants_float64_keeps_it() -> None:
    said = run(
        "import jax, jax.numpy as jnp\njax.config.update('jax_enable_x64', True)\n"
        + MODEL
        + "suture.Engine(model, path='jax').posterior('A')\nprint(jnp.zeros(2).dtype, jax.config.jax_enable_x64)"
    )
    assert said == "float64 True"


def test_importing_suture_or_making_an_engine_does_not_load_jax() -> None:
    said = run(MODEL + "import sys; suture.Engine(model).posterior('A', {'D': '0'}); print('jax' in sys.modules)")
    assert said == "False"


# ---------------------------------------------------------------------------------------------------------------------
# Devices

SHARDED = (
    MODEL
    + """
import jax
from suture.semantics.networks import compiled
spread = []
original = compiled._compiled
def watched(request):
    program = original(request)
    def call(*arrays):
        found = program(*arrays)
        spread.append((len(found[0].sharding.device_set), found[0].sharding.is_fully_replicated))
        return found
    return call
compiled._compiled = watched
rng = np.random.default_rng(1)
cases = {name: rng.choice(model.labels[name], size=10) for name in "CD"}
draws = suture.Batch("draw", rng.dirichlet(np.ones(2), size=(3, 3)))
one, many = suture.Engine(model, "jax", device="cpu:0"), suture.Engine(model, "jax", device="all")
assert len(many.devices) == 4 and len(one.devices) == 1
def same(ask):
    first, second = ask(one), ask(many)
    assert first.shape == second.shape, (first.shape, second.shape)
    np.testing.assert_allclose(first, second, rtol=0, atol=1e-15)
same(lambda e: e.posterior("A", cases).values)
same(lambda e: e.posterior(["A", "B"], cases, parameters={"B": draws}).values)
same(lambda e: e.marginals(cases, parameters={"B": draws}).side_by_side)
same(lambda e: e.most_probable({"C": cases["C"]}).codes)
same(lambda e: e.posterior("A", {"C": cases["C"][:3]}).values)
same(lambda e: e.posterior("A", {"C": "0"}).values)
same(lambda e: e.posterior("D", parameters={"B": draws}).values)
print(sorted(set(spread)))
"""
)


def test_batches_are_split_over_devices() -> None:
    """Ten cases on four devices: padded, split, cut; equal to one device; whole answers lie on all of them."""
    said = run(SHARDED, XLA_FLAGS="--xla_force_host_platform_device_count=4")
    assert said == "[(1, True), (4, False), (4, True)]"


def test_a_device_that_is_not_there() -> None:
    with pytest.raises(SutureError) as caught:
        devices_named("cpu:7")
    assert caught.value.render() == "error[S483]: there is no device 'cpu:7' here\n  = help: JAX sees cpu:0"
    assert devices_named("cpu") == devices_named(None) == devices_named("cpu:0") == devices_named(devices_named("all"))


# ---------------------------------------------------------------------------------------------------------------------
# Cache

ASK = (
    MODEL
    + """
import jax
from suture.semantics.networks import compiled
built = []
original = compiled.batched
def watched(*arguments):
    built.append(1)
    return original(*arguments)
compiled.batched = watched
table = suture.Engine(model, path="jax").posterior("A", {"D": ["0", "1"]})
print(len(built), table.values.round(12).tolist(), jax.config.jax_compilation_cache_dir)
"""
)


def test_programs_are_kept_between_processes(tmp_path: Path) -> None:
    folder = tmp_path / "kept" / "programs"
    first = run(ASK, SUTURE_COMPILE_CACHE=str(folder))
    files = list(folder.iterdir())
    assert [file.suffix for file in files] == [".bin"]
    assert folder.stat().st_mode & 0o777 == 0o700
    assert files[0].stat().st_mode & 0o777 == 0o600
    second = run(ASK, SUTURE_COMPILE_CACHE=str(folder))
    assert (first[0], second[0]) == ("1", "0")
    assert first[1:] == second[1:]
    assert first.endswith("None")
    files[0].write_bytes(b"not a program")
    assert run(ASK, SUTURE_COMPILE_CACHE=str(folder)) == first
    assert run(ASK, SUTURE_COMPILE_CACHE=str(folder)) == second


def test_the_cache_can_be_turned_off_and_is_in_the_users_folder(tmp_path: Path) -> None:
    assert run(ASK, XDG_CACHE_HOME=str(tmp_path)).startswith("1 ")
    assert list(tmp_path.iterdir()) == []
    run(ASK, XDG_CACHE_HOME=str(tmp_path), SUTURE_COMPILE_CACHE="")
    assert len(list((tmp_path / "suture" / "compiled").glob("*.bin"))) == 1


def test_the_hosts_own_cache_stays_as_it_is(tmp_path: Path) -> None:
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    code = f"import jax\njax.config.update('jax_compilation_cache_dir', {str(theirs)!r})\n" + ASK
    assert run(code, SUTURE_COMPILE_CACHE=str(ours)).endswith(str(theirs))


def test_a_directory_that_others_may_write_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o770)
    monkeypatch.setenv("SUTURE_COMPILE_CACHE", str(folder))
    with pytest.raises(SutureError) as caught:
        cache_directory()
    assert caught.value.render() == (
        f"error[S484]: compiled programs cannot be kept in {folder}: others may write in it\n"
        "  = help: set SUTURE_COMPILE_CACHE to a directory of your own with mode 0700, or to off"
    )
    folder.chmod(0o700)
    assert cache_directory() == folder
    monkeypatch.setenv("SUTURE_COMPILE_CACHE", str(tmp_path / "file"))
    (tmp_path / "file").write_text("")
    with pytest.raises(SutureError, match="File exists"):
        cache_directory()
