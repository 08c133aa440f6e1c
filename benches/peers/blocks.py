"""Elements a second at which other libraries quantise to block formats, on one thread of the CPU.

    python -m venv venv && venv/bin/pip install torch torchao numpy
    venv/bin/python benches/peers/blocks.py

prints the median of five runs for a 4096 x 4096 tensor of float32 normal numbers. The times are of
the processor, so that other work on the machine counts little. microxcaling is on no package index:
give the folder of a checkout of github.com/microsoft/microxcaling in PYTHONPATH, or it is left out.
fpx's own figures are those of `cargo bench --bench block`.
"""

import statistics
import time

import torch

SHAPE = (4096, 4096)
RUNS = 5


def report(name, run):
    run()
    times = []
    for _ in range(RUNS):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    seconds = statistics.median(times)
    print(f"{name:<32} {SHAPE[0] * SHAPE[1] / seconds / 1e6:>8.2f} M elements/s", flush=True)


def torchao(source):
    import torchao as package
    from torchao.prototype.mx_formats.mx_tensor import MXTensor, ScaleCalculationMode, to_mx
    from torchao.prototype.mx_formats.nvfp4_tensor import NVFP4Tensor, per_tensor_amax_to_scale

    print("torchao", package.__version__)
    floor = ScaleCalculationMode.FLOOR
    for name, element in [
        ("mxfp8_e4m3", torch.float8_e4m3fn),
        ("mxfp8_e5m2", torch.float8_e5m2),
        ("mxfp4", torch.float4_e2m1fn_x2),
    ]:
        report(f"torchao f32 to {name}", lambda: to_mx(source, element, 32, floor))
        tensor = MXTensor.to_mx(source, element, 32, floor)
        report(f"torchao {name} to f32", lambda: tensor.dequantize(torch.float32))

    def nvfp4():
        scale = per_tensor_amax_to_scale(source.abs().max())
        return NVFP4Tensor.to_nvfp4(source, per_tensor_scale=scale)

    report("torchao f32 to nvfp4", nvfp4)
    tensor = nvfp4()
    report("torchao nvfp4 to f32", lambda: tensor.dequantize(torch.float32))


def microxcaling(source):
    from mx.mx_ops import _quantize_mx

    print("microxcaling, which quantises and dequantises in one")
    for name, element in [("mxfp8_e4m3", "fp8_e4m3"), ("mxfp4", "fp4_e2m1")]:
        report(
            f"microxcaling {name}",
            lambda: _quantize_mx(source, 8, element, axes=[-1], block_size=32, round="even"),
        )


def main():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    source = torch.randn(SHAPE)
    print("torch", torch.__version__)
    for peer in (torchao, microxcaling):
        try:
            peer(source)
        except ImportError as error:
            print(f"{peer.__name__} left out: {error}")


if __name__ == "__main__":
    main()
