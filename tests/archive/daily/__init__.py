"""Tests of the daily record."""
