"""Which dtype and how many threads suit a processor, from its flags as text."""

from __future__ import annotations

import sys
from importlib import metadata

import pytest

from llms.server.processor import Processor, choose_dtype, choose_threads, read_flags, runs_on_cpu, this_processor

X86 = "processor\t: {number}\nmodel name\t: AMD EPYC\nflags\t\t: fpu sse2 avx2{more}\nbugs\t\t: spectre_v1\n\n"
ARM = "processor\t: {number}\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd fphp asimdhp{more}\nCPU part\t: 0xd40\n\n"
POWER = "processor\t: 0\ncpu\t\t: POWER10 (architected), altivec supported\nclock\t\t: 2750.000000MHz\n"


def cpuinfo(block: str, *more: str) -> str:
    return "".join(block.format(number=number, more=f" {text}") for number, text in enumerate(more))


@pytest.mark.parametrize(
    ("text", "dtype", "reason"),
    [
        (cpuinfo(X86, "avx512f avx512_bf16"), "bfloat16", "avx512_bf16"),
        (cpuinfo(X86, "amx_bf16 amx_tile amx_int8"), "bfloat16", "amx_bf16"),
        (cpuinfo(X86, "avx512_bf16 amx_bf16"), "bfloat16", "avx512_bf16"),
        (cpuinfo(X86, ""), "float32", "no bfloat16 instructions"),
        (cpuinfo(X86, "avx512f avx512bw avx512_vnni"), "float32", "no bfloat16 instructions"),
        (cpuinfo(X86, "amx_tile amx_int8"), "float32", "no bfloat16 instructions"),  # tiles for whole numbers alone
        (cpuinfo(X86, "avx512_bf16_not"), "float32", "no bfloat16 instructions"),
        (cpuinfo(X86, "avx512_bf16", ""), "float32", "no bfloat16 instructions"),  # not every core has it
        (cpuinfo(ARM, "bf16 i8mm"), "bfloat16", "bf16"),
        (cpuinfo(ARM, "sve"), "float32", "no bfloat16 instructions"),
        (POWER, "float32", "cannot be read"),
        ("", "float32", "cannot be read"),
    ],
)
def test_dtype_follows_from_the_flags(text, dtype, reason):
    chosen, why = choose_dtype(Processor(read_flags(text), 2, 2))
    assert chosen == dtype
    assert reason in why


@pytest.mark.parametrize(("cores", "reason"), [(1, "one core"), (2, "except one"), (64, "except one")])
def test_where_every_core_may_be_used_vllm_binds(cores, reason):
    chosen, why = choose_threads(Processor(frozenset(), cores, cores))
    assert chosen == {}
    assert reason in why


@pytest.mark.parametrize(("limit", "threads"), [(1, "1"), (2, "1"), (16, "15")])
def test_a_quota_limits_the_threads_and_binds_none(limit, threads):
    chosen, why = choose_threads(Processor(frozenset(), 64, limit))
    assert chosen == {"VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": threads}
    assert f"{limit} of 64" in why


@pytest.mark.parametrize(
    ("installed", "device", "on_cpu"),
    [
        ({"vllm-cpu": "0.32.0"}, None, True),
        ({"vllm": "0.32.0"}, None, False),
        ({"vllm": "0.32.0+cpu"}, None, True),
        ({"vllm": "0.32.0", "vllm-cpu": "0.32.0"}, None, False),
        ({"vllm": "0.32.0"}, "cpu", True),
        ({}, None, False),
    ],
)
def test_which_vllm_computes_on_a_cpu(installed, device, on_cpu, monkeypatch):
    def version(package):
        if package not in installed:
            raise metadata.PackageNotFoundError(package)
        return installed[package]

    monkeypatch.setattr(metadata, "version", version)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("VLLM_TARGET_DEVICE", raising=False)
    if device:
        monkeypatch.setenv("VLLM_TARGET_DEVICE", device)
    assert runs_on_cpu() is on_cpu


def test_this_machine(monkeypatch, tmp_path):
    this_processor.cache_clear()
    found = this_processor()
    assert 1 <= found.limit <= found.cores
    monkeypatch.setattr("llms.server.processor.CPUINFO", tmp_path / "none")  # no Linux, or a sandbox that hides it
    this_processor.cache_clear()
    assert this_processor().flags is None
    this_processor.cache_clear()
