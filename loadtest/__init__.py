"""Simulated attackers and customers, benchmarks beside peers, faults and the oracle."""
