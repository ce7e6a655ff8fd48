"""Tests of the trials that break a real pipeline."""
