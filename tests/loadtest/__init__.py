"""Tests of the simulator, the oracle and the benchmarks."""
