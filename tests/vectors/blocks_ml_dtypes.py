"""Writes blocks_ml_dtypes.tsv: blocks as numpy and ml_dtypes quantise them.

Run with numpy 2.4.6 and ml_dtypes 0.6.0 (2026-11-23):  python blocks_ml_dtypes.py > blocks_ml_dtypes.tsv

Powers of two divide exactly, so that every rounding below is one of ml_dtypes', from float32. Where a
quotient is not exact (NVFP4, float32 scales), it is formed in float64 and rows in which float64 and an
exact comparison could differ are left out: none of those written is near a midpoint.
"""

import ml_dtypes
import numpy as np

RANDOM = np.random.default_rng(20261123)
ELEMENTS = {
    "mxfp8_e4m3": (ml_dtypes.float8_e4m3fn, 8),
    "mxfp8_e5m2": (ml_dtypes.float8_e5m2, 15),
    "mxfp6_e3m2": (ml_dtypes.float6_e3m2fn, 4),
    "mxfp6_e2m3": (ml_dtypes.float6_e2m3fn, 2),
    "mxfp4": (ml_dtypes.float4_e2m1fn, 2),
}


def tensors():
    for length in (1, 31, 32, 33, 64, 90):
        yield RANDOM.standard_normal(length).astype(np.float32)
        yield (RANDOM.standard_normal(length) * np.exp2(RANDOM.uniform(-30, 30, length))).astype(np.float32)
        yield (RANDOM.integers(-64, 65, length) / 8).astype(np.float32)


def saturated(x, dtype):
    """Rounds to a dtype, the finite range first: rounding within it never leaves it."""
    largest = np.float64(ml_dtypes.finfo(dtype).max)
    return np.clip(x, -largest, largest).astype(np.float32).astype(dtype)


def hexes(numbers):
    return ",".join(f"{b:08x}" for b in np.asarray(numbers, np.float32).view(np.uint32))


def write(spec, x, scales, codes, back):
    scales = ",".join(f"{s:02x}" for s in scales)
    print(spec, hexes(x), scales, "".join(f"{c:02x}" for c in codes), hexes(back), sep="\t")


def mx(spec, x):
    dtype, emax = ELEMENTS[spec]
    scales, codes, back = [], [], []
    for block in np.split(x, range(32, len(x), 32)):
        amax = np.max(np.abs(block))
        if amax == 0:
            return
        shared = int(np.clip(np.frexp(np.float64(amax))[1] - 1 - emax, -127, 127))
        elements = saturated(np.ldexp(block.astype(np.float64), -shared), dtype)
        scale = np.uint8(shared + 127).view(ml_dtypes.float8_e8m0fnu)
        scales.append(shared + 127)
        codes.extend(elements.view(np.uint8))
        back.extend((elements.astype(np.float64) * np.float64(scale)).astype(np.float32))
    write(spec, x, scales, codes, back)


def is_clear(quotient, dtype):
    """Whether no quotient is so near a midpoint that float64 might be on the wrong side."""
    values = np.arange(256, dtype=np.uint8) if dtype is not ml_dtypes.float4_e2m1fn else np.arange(16, dtype=np.uint8)
    grid = np.unique(values.view(dtype).astype(np.float64)[np.isfinite(values.view(dtype).astype(np.float64))])
    middles = (grid[1:] + grid[:-1]) / 2
    distance = np.min(np.abs(quotient[:, None] - middles), axis=1)
    return np.all(distance > 1e-6)


def nvfp4(x):
    amax = np.float64(np.max(np.abs(x)))
    if amax == 0:
        return
    tensor = np.float32(amax / 2688)
    scales, codes, back = [], [], []
    for block in np.split(x, range(16, len(x), 16)):
        wanted = np.array([np.float64(np.max(np.abs(block))) / 6 / np.float64(tensor)])
        scale = saturated(wanted, ml_dtypes.float8_e4m3fn)
        both = np.float64(scale[0]) * np.float64(tensor)
        if both == 0 or not is_clear(wanted, ml_dtypes.float8_e4m3fn):
            return
        quotient = block.astype(np.float64) / both
        if not is_clear(quotient, ml_dtypes.float4_e2m1fn):
            return
        elements = saturated(quotient, ml_dtypes.float4_e2m1fn)
        scales.append(scale.view(np.uint8)[0])
        codes.extend(elements.view(np.uint8))
        back.extend((elements.astype(np.float64) * both).astype(np.float32))
    write("nvfp4", x, scales, codes, back)


def main():
    print("#target\tin_f32\tscales\tcodes (2 digits each)\tdequantised_f32")
    for x in tensors():
        for spec in ELEMENTS:
            mx(spec, x)
        nvfp4(x)


main()
