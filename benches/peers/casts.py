"""Elements a second of other libraries' casts, to be set beside what `cargo bench --bench kernel` prints.

    python -m venv peers && peers/bin/pip install numpy ml_dtypes numkong torch
    peers/bin/python benches/peers/casts.py

Every cast reads an array that stays in the second cache, on one thread; a library that is not installed is left out.
Figures are medians, in G elements/s. The first line is a copy of the same array, so that machines can be compared.
"""

import importlib
import statistics
import sys
import time

import numpy

ELEMENTS = 1 << 16
ROUNDS = 41


def speed(run, elements=ELEMENTS):
    """Returns G elements/s of a function, the median of many rounds of several calls."""
    calls = 1
    while True:
        start = time.perf_counter()
        for _ in range(calls):
            run()
        if time.perf_counter() - start > 2e-3:
            break
        calls *= 2
    rounds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(calls):
            run()
        rounds.append((time.perf_counter() - start) / calls)
    return elements / statistics.median(rounds) / 1e9


def optional(name):
    """Returns a module, or None where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def subjects():
    """Yields (library, cast, function)."""
    source = numpy.random.default_rng(0).standard_normal(ELEMENTS).astype(numpy.float32)
    copied = numpy.empty_like(source)
    yield "numpy", "copy of f32", lambda: numpy.copyto(copied, source)
    yield "numpy", "f32 -> f16", lambda: source.astype(numpy.float16)
    halves = source.astype(numpy.float16)
    yield "numpy", "f16 -> f32", lambda: halves.astype(numpy.float32)
    if ml_dtypes := optional("ml_dtypes"):
        for name, dtype in [("bf16", ml_dtypes.bfloat16), ("e4m3fn", ml_dtypes.float8_e4m3fn)]:
            codes = source.astype(dtype)
            yield "ml_dtypes", f"f32 -> {name}", lambda dtype=dtype: source.astype(dtype)
            yield "ml_dtypes", f"{name} -> f32", lambda codes=codes: codes.astype(numpy.float32)
    if torch := optional("torch"):
        torch.set_num_threads(1)
        numbers = torch.from_numpy(source)
        names = [("f16", torch.float16), ("bf16", torch.bfloat16), ("e4m3fn", torch.float8_e4m3fn)]
        for name, dtype in names:
            codes = numbers.to(dtype)
            yield "torch", f"f32 -> {name}", lambda dtype=dtype: numbers.to(dtype)
            yield "torch", f"{name} -> f32", lambda codes=codes: codes.to(torch.float32)
    if numkong := optional("numkong"):
        tensor = numkong.Tensor(source)
        for name, dtype in [("f16", "float16"), ("bf16", "bfloat16"), ("e4m3fn", "e4m3")]:
            yield "numkong", f"f32 -> {name}", lambda dtype=dtype: tensor.astype(dtype)


def main():
    """Prints a line a cast."""
    print(f"python {sys.version.split()[0]}", end="")
    for name in ["numpy", "ml_dtypes", "torch", "numkong"]:
        module = optional(name)
        version = getattr(module, "__version__", "") if module else "not installed"
        print(f", {name} {version}", end="")
    print()
    for library, cast, run in subjects():
        print(f"{library:<10} {cast:<14} {speed(run):8.3f} G/s")


main()
